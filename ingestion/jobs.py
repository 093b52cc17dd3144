"""Jobs as rows: queued, paused, cancelled, tried again, each with its place in the queue."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from ingestion.failures import cancelled
from ingestion.gate import forget_refusals
from ingestion.queue import FEWEST_TOGETHER, put_on_queue, put_together
from talker.models import IngestionJob, Video, now

ACTIVE = ("queued", "running", "paused")
OVER = ("done", "failed", "cancelled")

PERSONAL, BATCH = 10, 0
"""A job's priority: a person waits for it, or nobody in particular."""


async def put_back(
    session: AsyncSession, jobs: Collection[IngestionJob], *, together: bool = False
) -> None:
    """Queue jobs again, in place, that are not active; videos that are ready stay so.

    With `together`, many that have no transcript yet get theirs in one request.
    """
    for video in (await _lock_videos(session, jobs)).values():
        if video.status != "ready":
            video.status, video.failure = "queued", None
    for job in jobs:
        job.status, job.failure, job.attempts_before = "queued", None, job.attempt or 0
        job.progress, job.step, job.updated_at = 0.0, None, now()
    await session.flush()
    bare = [job for job in jobs if job.transcript_id is None and not job.generate]
    if not together or len(bare) < FEWEST_TOGETHER:
        await put_on_queue(session, jobs)
        return
    await put_together(session, bare)
    await put_on_queue(session, [job for job in jobs if job.transcript_id or job.generate])


async def retry(session: AsyncSession, jobs: Collection[IngestionJob]) -> list[IngestionJob]:
    """Queue again, in place, those of the jobs that failed or were cancelled; these.

    A video's earlier jobs are history: the last one is what there is to do. Somebody asks for it,
    so services that refused key or credit are asked again too.
    """
    await _lock(session, jobs)
    latest = await latest_jobs(session, {job.video_id for job in jobs})
    over = [
        job
        for job in jobs
        if job.status in ("failed", "cancelled") and latest[job.video_id].id == job.id
    ]
    if over:
        await forget_refusals(session, ("quota", "unauthorised"))
        await put_back(session, over)
    return over


async def latest_jobs(
    session: AsyncSession, video_ids: Collection[UUID]
) -> dict[UUID, IngestionJob]:
    """The last job of each video that has one, by the video's id."""
    jobs = await session.scalars(
        select(IngestionJob)
        .where(IngestionJob.video_id.in_(video_ids))
        .ext(distinct_on(IngestionJob.video_id))
        .order_by(IngestionJob.video_id, IngestionJob.created_at.desc(), IngestionJob.id)
    )
    return {job.video_id: job for job in jobs}


async def hurry(session: AsyncSession, jobs: Collection[IngestionJob]) -> None:
    """Move jobs that wait in a batch, and that a person now waits for, before the batches."""
    waiting = [job for job in jobs if job.priority < PERSONAL]
    for job in waiting:
        job.priority = PERSONAL
    await session.flush()
    await put_on_queue(session, waiting)


async def pause(session: AsyncSession, jobs: Collection[IngestionJob]) -> list[IngestionJob]:
    """Let jobs rest that wait or run; a worker lets go of a running one within a second."""
    videos = await _lock(session, jobs)
    paused = [job for job in jobs if job.status in ("queued", "running")]
    for job in paused:
        job.status, job.updated_at = "paused", now()
        if videos[job.video_id].status != "ready":
            videos[job.video_id].status = "queued"
    return paused


async def resume(session: AsyncSession, jobs: Collection[IngestionJob]) -> list[IngestionJob]:
    """Queue paused jobs again; what they have fetched is kept."""
    await _lock(session, jobs)
    paused = [job for job in jobs if job.status == "paused"]
    await put_back(session, paused)
    return paused


async def cancel(session: AsyncSession, jobs: Collection[IngestionJob]) -> list[IngestionJob]:
    """End jobs that are not over. Their videos say so, unless an earlier job had loaded them."""
    videos = await _lock(session, jobs)
    ended = [job for job in jobs if job.status in ACTIVE]
    for job in ended:
        job.status, job.failure, job.updated_at = "cancelled", cancelled().as_json(), now()
        video = videos[job.video_id]
        if video.status != "ready":
            video.status, video.failure = "failed", job.failure
    return ended


async def _lock(session: AsyncSession, jobs: Collection[IngestionJob]) -> dict[UUID, Video]:
    """The jobs' videos and the jobs, locked and as they are now: a worker may just have ended
    one, or be about to write how far it is, which then comes before the change, not after it."""
    videos = await _lock_videos(session, jobs)
    anew = select(IngestionJob).where(IngestionJob.id.in_([job.id for job in jobs]))
    anew = anew.order_by(IngestionJob.id).with_for_update()
    (await session.scalars(anew.execution_options(populate_existing=True))).all()
    return videos


async def _lock_videos(session: AsyncSession, jobs: Collection[IngestionJob]) -> dict[UUID, Video]:
    """Locked in one order as everywhere, so that nobody waits in a circle."""
    ids = {job.video_id for job in jobs}
    videos = await session.scalars(
        select(Video).where(Video.id.in_(ids)).order_by(Video.id).with_for_update()
    )
    return {video.id: video for video in videos}
