"""What the agent adds videos with: `ingestion`, in the agent's words."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from functools import partial
from uuid import UUID

from sqlalchemy import select

from agent.add_videos import Loading
from agent.library import reader_id
from agent.state import LoadPrice, Offer, Offered
from ingestion.add import add_found
from ingestion.jobs import latest_jobs
from ingestion.listing import find_videos
from ingestion.prefetch import batching
from ingestion.preview import Previewed, preview
from ingestion.provider import TranscriptProvider
from ingestion.wishes import Added, Wishes
from talker.database import statement
from talker.models import User, Video
from talker.quotas import quotas_of
from talker.resources import Resources

POLL_S = 0.5


class VideoLoader:
    """Adds videos for a person, as a link pasted into the library does."""

    def __init__(self, resources: Resources, services: Sequence[TranscriptProvider]) -> None:
        self._resources = resources
        self._services = services

    async def offer(self, user_id: UUID | None, sources: Sequence[str]) -> Offer:
        """What would be loaded and what it costs; nothing is loaded."""
        person = await reader_id(partial(statement, self._resources.sessions), user_id)
        found = await preview(self._resources, self._services, person, sources)
        price = LoadPrice(
            new=found.price.new,
            credits=found.price.credits,
            cost_usd=found.price.cost_usd,
            seconds=found.price.seconds,
        )
        return Offer(videos=[_offered(one) for one in found.sources], price=price)

    async def load(self, user_id: UUID | None, sources: Sequence[str]) -> AsyncGenerator[Loading]:
        """Add the sources, and tell how far they are until all are ready or failed."""
        person = await reader_id(partial(statement, self._resources.sessions), user_id)
        found = await find_videos(self._resources, self._services, person, sources)
        async with self._resources.sessions.begin() as session:
            user = await session.get_one(User, person)
            together = batching(self._services) is not None
            quotas = quotas_of(user, self._resources.settings)
            added = await add_found(
                session, user, found, Wishes(), quotas=quotas, together=together
            )
        refused = [_reason(one) for one in added if one.video_id is None and one.failure]
        videos = [video for one in added for video in (one.videos if one.is_list else [one])]
        ids = list(dict.fromkeys(video.video_id for video in videos if video.video_id))
        while True:
            loading = await self._loading(ids, refused)
            yield loading
            if loading["ready"] + loading["failed"] >= loading["total"]:
                return
            await asyncio.sleep(POLL_S)

    async def _loading(self, ids: Sequence[UUID], refused: Sequence[str]) -> Loading:
        async with self._resources.sessions() as session:
            videos = (await session.scalars(select(Video).where(Video.id.in_(ids)))).all()
            jobs = await latest_jobs(session, ids)
        ready = [video for video in videos if video.status == "ready"]
        failed = [video for video in videos if video.status == "failed"]
        at_work = [job for job in jobs.values() if job.status == "running"]
        return Loading(
            # A video that was removed meanwhile is neither ready nor to come.
            total=len(videos) + len(refused),
            ready=len(ready),
            failed=len(failed) + len(refused),
            step=at_work[0].step if at_work else None,
            progress=at_work[0].progress if at_work else 0.0,
            video_ids=[str(video.id) for video in ready],
            failures=[*refused, *(_failure(video.title, video.failure) for video in failed)],
        )


def _offered(one: Previewed) -> Offered:
    planned = one.planned
    failure = planned.failure
    return Offered(
        source=planned.source,
        kind="video" if planned.kind == "file" else planned.kind,
        youtube_id=one.youtube_id,
        title=one.title,
        channel=one.channel,
        duration_s=None if one.duration_ms is None else one.duration_ms / 1000,
        videos=planned.videos,
        known=planned.known,
        failure=f"{failure.detail} {failure.next_step}" if failure else None,
    )


def _reason(added: Added) -> str:
    return _failure(added.source, added.failure)


def _failure(title: str, failure: dict[str, str] | None) -> str:
    known = failure or {}
    return f"“{title}”: {known.get('detail', '')} {known.get('next_step', '')}".strip()
