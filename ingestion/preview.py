"""What a person is shown before videos are loaded: titles, lengths, and what it costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import or_, select

from ingestion import transcripts
from ingestion.errands import PersonsErrand
from ingestion.listing import find_videos
from ingestion.price import Planned, Price, price
from ingestion.provider import ListedVideo, TranscriptProvider
from ingestion.rows import shared_videos
from ingestion.steps import described
from ingestion.wishes import Wishes
from talker.models import Video
from talker.resources import Resources

DESCRIBED = 5
"""So many links are asked about one by one; of more, and of what lists hold, the list must do."""


@dataclass(frozen=True, slots=True)
class Previewed:
    """One source; `title`, `channel` and `duration_ms` of a single video where anybody tells."""

    planned: Planned
    youtube_id: str | None = None
    title: str | None = None
    channel: str | None = None
    duration_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    price: Price
    sources: Sequence[Previewed]


async def preview(
    resources: Resources,
    providers: Sequence[TranscriptProvider],
    user_id: UUID,
    sources: Sequence[str],
) -> Preview:
    """What adding links would bring, without loading any.

    What a service says of a video is written down, so that loading it does not pay for it again.
    """
    found = await find_videos(resources, providers, user_id, sources)
    single = {one.source: one.videos[0] for one in found if one.listed is None and one.videos}
    await _describe(resources, providers, user_id, list(single.values())[:DESCRIBED])
    cost = await price(resources, providers, user_id, sources, wishes=Wishes())
    videos = await _rows(resources, user_id, [video.youtube_id for video in single.values()])
    shown = []
    for planned in cost.sources:
        video = single.get(planned.source)
        row = videos.get(video.youtube_id) if video else None
        if row is None:
            shown.append(Previewed(planned, video.youtube_id if video else None, planned.title))
        else:
            shown.append(
                Previewed(planned, row.youtube_id, row.title, row.channel, row.duration_ms)
            )
    return Preview(cost, shown)


async def _describe(
    resources: Resources,
    providers: Sequence[TranscriptProvider],
    user_id: UUID,
    listed: Sequence[ListedVideo],
) -> None:
    """Have those described of whom nobody has told yet; holds no session while services answer."""
    known = await _rows(resources, user_id, [video.youtube_id for video in listed])
    errand = PersonsErrand(resources.sessions, user_id)
    for video in listed:
        row = known.get(video.youtube_id)
        if row is not None and (row.described_at is not None or row.status == "ready"):
            continue
        about = await transcripts.describe(providers, video.youtube_id, errand)
        if about is None:
            continue
        async with resources.sessions.begin() as session:
            rows = await shared_videos(session, {video.youtube_id: video})
            described(rows[video.youtube_id], about)


async def _rows(
    resources: Resources, user_id: UUID, youtube_ids: Sequence[str]
) -> dict[str, Video]:
    """The videos we have rows of by YouTube's id, the person's own files before everybody's."""
    own = or_(Video.owner_id.is_(None), Video.owner_id == user_id)
    query = select(Video).where(Video.youtube_id.in_(youtube_ids), own)
    async with resources.sessions() as session:
        rows = await session.scalars(query.order_by(Video.owner_id.nulls_first()))
        return {row.youtube_id: row for row in rows if row.youtube_id}
