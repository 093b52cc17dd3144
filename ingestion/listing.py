"""From what a person gave to the videos that it names: links as they are, lists asked for."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from ingestion.errands import PersonsErrand
from ingestion.provider import ListedVideo, Listing, TranscriptProvider
from ingestion.transcripts import list_source
from talker.errors import LoadingFailed
from talker.models import StoredListing, now
from talker.resources import Resources
from talker.sources import ListSource, source_of

MAX_LISTED = 5_000
"""The most that Supadata lists of a channel or playlist at once."""

KEPT = timedelta(minutes=10)
"""A price and the loading that follows it are about the same list, and cost one listing."""


@dataclass(frozen=True, slots=True)
class Found:
    """One source and its videos: one for a link, any number for a list, none with a failure.

    `listed` is the playlist or channel, `title` its name and `limit` how many of its first videos
    were asked for, where the person set one; `left_out` says why some of them are not taken.
    """

    source: str
    videos: Sequence[ListedVideo] = ()
    listed: ListSource | None = None
    limit: int | None = None
    title: str | None = None
    failure: LoadingFailed | None = None
    left_out: LoadingFailed | None = None


async def find_videos(
    resources: Resources,
    providers: Sequence[TranscriptProvider],
    user_id: UUID,
    sources: Sequence[str],
    *,
    limit: int | None = None,
    fresh: bool = False,
) -> list[Found]:
    """What each source names, in order, at most `limit` videos in all.

    With `fresh`, lists are asked for anew. Holds no session while a service is asked.
    """
    left = limit if limit is not None else MAX_LISTED * max(1, len(sources))
    found = []
    for source in dict.fromkeys(sources):
        if left <= 0:
            break
        try:
            named = source_of(source)
            if isinstance(named, ListSource):
                most = min(left, MAX_LISTED)
                listing = await _listing(resources, providers, user_id, named, most, fresh=fresh)
                one = Found(
                    source,
                    listing.videos[:most],
                    named,
                    None if limit is None else most,
                    listing.title,
                )
            else:
                one = Found(source, [ListedVideo(named.youtube_id)])
        except LoadingFailed as failure:
            one = Found(source, failure=failure)
        found.append(one)
        left -= len(one.videos)
    return found


async def _listing(
    resources: Resources,
    providers: Sequence[TranscriptProvider],
    user_id: UUID,
    source: ListSource,
    limit: int,
    *,
    fresh: bool,
) -> Listing:
    if not fresh and (kept := await _kept(resources, source, limit)):
        return kept
    errand = PersonsErrand(resources.sessions, user_id)
    listing = await list_source(providers, source, limit, errand)
    await _keep(resources, source, limit, listing)
    return listing


async def _kept(resources: Resources, source: ListSource, limit: int) -> Listing | None:
    """The list as it was a moment ago, if it was then asked for as far as now."""
    async with resources.sessions() as session:
        row = await session.get(StoredListing, source.key)
    if row is None or row.listed_at < now() - KEPT:
        return None
    videos = [ListedVideo(**video) for video in row.listing["videos"]]
    whole = len(videos) < row.listing["limit"]
    if not whole and row.listing["limit"] < limit:
        return None
    return Listing(row.listing["title"], videos)


async def _keep(resources: Resources, source: ListSource, limit: int, listing: Listing) -> None:
    kept: dict[str, Any] = {
        "title": listing.title,
        "limit": limit,
        "videos": [asdict(video) for video in listing.videos],
    }
    values = {"listing": kept, "listed_at": now()}
    async with resources.sessions.begin() as session:
        await session.execute(delete(StoredListing).where(StoredListing.listed_at < now() - KEPT))
        await session.execute(
            insert(StoredListing)
            .values(source=source.key, **values)
            .on_conflict_do_update(index_elements=["source"], set_=values)
        )
