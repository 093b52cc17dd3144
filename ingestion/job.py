"""One job, from queued to done or failed: fetch, chunk, embed, index.

Each step leaves behind what a later run needs and finds there: segments, then chunks under ids
that follow from their text, then points under the same ids. A worker killed anywhere leaves a
job that another one finishes, with nothing twice and nothing lost.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ingestion import steps
from ingestion.failures import TryAgain, as_failure, asked, broken, delay_s
from ingestion.progress import JobProgress
from ingestion.provider import TranscriptProvider, provider_down
from ingestion.rows import count_chunks, count_segments, indexed_chunks
from ingestion.steps import Job
from talker.database import DATABASE_AWAY
from talker.errors import LoadingFailed, TalkerError, VideoNotFound
from talker.logs import about
from talker.models import IngestionJob, Video
from talker.resources import Resources
from talker.search_indexes import hold_switch
from talker.spans import span

log = logging.getLogger(__name__)

FETCHED, CHUNKED, EMBEDDED = 0.1, 0.15, 0.95
"""A job's progress after each step; embedding is nearly all of the work."""


async def load(
    job_id: UUID, *, resources: Resources, providers: Sequence[TranscriptProvider]
) -> None:
    """Load one job's video, or record why it cannot be.

    Raises TryAgain when a later try may succeed. A job that is done, paused or cancelled, or
    whose video was removed, is left as it is, also when that happens while it runs.
    """
    about(job_id=job_id)
    job = await _start(resources, job_id)
    if job is None:
        return
    ids = {"talker.job_id": str(job_id), "talker.video_id": str(job.video_id)}
    try:
        async with JobProgress(resources.sessions, job.id) as progress:
            with span("ingest video", ids):
                await _run(job, resources, providers, progress)
        if progress.stopped:
            await _sweep(job, resources)
        else:
            log.info("video loaded")
    except VideoNotFound:
        log.info("video removed while it was loaded", extra={"job_id": str(job_id)})
    except asyncio.CancelledError:
        await _put_back(resources, job_id, None)
        raise
    except DATABASE_AWAY:
        # Nothing can be recorded; the row still says what was going on, and the queue tries again.
        raise
    except TalkerError as error:
        await _after(error, job, resources)
    except Exception as error:
        await _fail(resources, job_id, broken(error))
        raise


async def _start(resources: Resources, job_id: UUID) -> Job | None:
    """Mark the job as running; None when there is nothing left to do."""
    async with resources.sessions.begin() as session:
        locked = await _locked(session, job_id)
        if locked is None:
            return None
        job, video = locked
        if job.status not in ("queued", "running"):
            return None
        job.status, job.failure = "running", None
        job.attempt += 1
        if video.status != "ready":
            video.status, video.failure = "loading", None
        return Job(
            id=job.id,
            user_id=job.user_id,
            video_id=video.id,
            youtube_id=video.youtube_id,
            languages=[part.strip() for part in (job.language or "").split(",") if part.strip()],
            generate=job.generate,
            attempt=job.attempt - job.attempts_before,
            is_extra=video.status == "ready",
            is_described=video.described_at is not None,
            priority=job.priority,
            transcript_id=job.transcript_id,
            service_job=job.service_job,
        )


async def _locked(session: AsyncSession, job_id: UUID) -> tuple[IngestionJob, Video] | None:
    """The job and its video, the video locked first, as everywhere: so none waits in a circle."""
    found = select(IngestionJob.video_id).where(IngestionJob.id == job_id).scalar_subquery()
    video = await session.scalar(select(Video).where(Video.id == found).with_for_update())
    if video is None:
        return None
    job = await session.get(IngestionJob, job_id, with_for_update=True)
    return None if job is None else (job, video)


async def _run(
    job: Job,
    resources: Resources,
    providers: Sequence[TranscriptProvider],
    progress: JobProgress,
) -> None:
    await steps.check_length(job, resources)
    if job.transcript_id is None:
        progress.at("fetch", 0.0)
        with _timed("fetch", resources):
            job = replace(job, transcript_id=await steps.fetch(job, resources, providers))
    if not job.is_described:
        with _timed("describe", resources):
            await steps.describe(job, resources, providers)
    progress.at("chunk", FETCHED)
    with _timed("chunk", resources):
        chunks = await steps.chunk(job, resources)
    progress.at("embed", CHUNKED)

    def embedded(count: int) -> None:
        progress.at("embed", CHUNKED + (EMBEDDED - CHUNKED) * count / len(chunks))

    try:
        with _timed("embed", resources):
            await resources.chunks.write(chunks, embedded, urgent=job.priority > 0)
        progress.at("index", EMBEDDED)
        with _timed("index", resources):
            async with resources.sessions() as session:
                whole = await indexed_chunks(session, job.video_id)
            await resources.chunks.delete(job.video_id, keep=[one.id for one in whole])
            await _finish(job, resources)
    except VideoNotFound:
        await resources.chunks.delete(job.video_id)
        raise


@contextmanager
def _timed(step: str, resources: Resources) -> Iterator[None]:
    with resources.metrics.step(step), span(f"ingest {step}"):
        yield


async def _sweep(job: Job, resources: Resources) -> None:
    """Of a video that was removed while its chunks were written, none stay in the index."""
    async with resources.sessions() as session:
        video = await session.get(Video, job.video_id)
    if video is None:
        await resources.chunks.delete(job.video_id)


async def _finish(job: Job, resources: Resources) -> None:
    """Ready, if the segments are there and the index counts as many points as there are chunks.

    It counts where the switch to another index cannot come between it and the commit. A job that
    somebody paused or cancelled just now is left as it is.
    """
    assert job.transcript_id is not None
    async with resources.sessions.begin() as session:
        await hold_switch(session)
        count = await resources.chunks.count(job.video_id)
        locked = await _locked(session, job.id)
        if locked is None:
            raise VideoNotFound(job.video_id)
        row, video = locked
        chunks = await count_chunks(session, video.id)
        segments = await count_segments(session, job.transcript_id)
        if not segments or count != chunks:
            raise provider_down(f"The index holds {count} of this video's {chunks} chunks.")
        if row.status == "running":
            video.status, video.failure = "ready", None
            row.status, row.step, row.progress, row.failure = "done", "index", 1.0, None
            resources.metrics.loaded()


async def _after(error: TalkerError, job: Job, resources: Resources) -> None:
    """Fail, or wait for another try. Raises TryAgain."""
    failure = as_failure(error)
    delay = delay_s(error, job.attempt)
    if delay is None:
        await _fail(resources, job.id, failure)
        return
    resources.metrics.loading_failed(failure.reason, final=False)
    await _put_back(resources, job.id, failure, counted=asked(error))
    raise TryAgain(delay) from error


async def _put_back(
    resources: Resources, job_id: UUID, failure: LoadingFailed | None, *, counted: bool = True
) -> None:
    """Back to waiting; `failure` says why it has to be tried again."""
    async with resources.sessions.begin() as session:
        locked = await _locked(session, job_id)
        if locked is None or locked[0].status != "running":
            return
        job, video = locked
        job.status = "queued"
        job.attempt -= 0 if counted else 1
        job.failure = failure.as_json() if failure else None
        if video.status != "ready":
            video.status = "queued"


async def _fail(resources: Resources, job_id: UUID, failure: LoadingFailed) -> None:
    resources.metrics.loading_failed(failure.reason, final=True)
    log.info("loading failed", extra={"job_id": str(job_id), "reason": failure.reason})
    async with resources.sessions.begin() as session:
        locked = await _locked(session, job_id)
        if locked is None or locked[0].status != "running":
            return
        job, video = locked
        job.status, job.failure = "failed", failure.as_json()
        if video.status != "ready":
            video.status, video.failure = "failed", job.failure
