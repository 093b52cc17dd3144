"""One job, from queued to done or failed: fetch, chunk, embed, index.

Each step leaves behind what a later run needs and finds there: segments, then chunks under ids
that follow from their text, then points under the same ids. A worker killed anywhere leaves a
job that another one finishes, with nothing twice and nothing lost.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ingestion import transcripts
from ingestion.chunking import chunk
from ingestion.failures import TryAgain, as_failure, broken, delay_s, too_long
from ingestion.progress import JobProgress
from ingestion.provider import TranscriptProvider, no_speech, provider_down
from ingestion.rows import (
    add_transcript,
    count_chunks,
    count_segments,
    indexed_chunks,
    transcript_of,
)
from talker.database import DATABASE_AWAY
from talker.errors import LoadingFailed, TalkerError, VideoNotFound
from talker.models import Chunk, IngestionJob, Segment, Transcript, Video
from talker.points import IndexedChunk
from talker.resources import Resources

log = logging.getLogger(__name__)

FETCHED, CHUNKED, EMBEDDED = 0.1, 0.15, 0.95
"""A job's progress after each step; embedding is nearly all of the work."""


async def load(
    job_id: UUID,
    *,
    resources: Resources,
    providers: Sequence[TranscriptProvider],
    earlier_tries: int = 0,
) -> None:
    """Load one job's video, or record why it cannot be.

    Raises TryAgain when a later try may succeed. A job that is done, or whose video was removed,
    is left as it is.
    """
    try:
        job = await _start(resources, job_id)
        if job is None:
            return
        await _run(job, resources, providers)
    except VideoNotFound:
        log.info("video removed while it was loaded", extra={"job_id": str(job_id)})
    except asyncio.CancelledError:
        await _put_back(resources, job_id, None)
        raise
    except DATABASE_AWAY:
        # Nothing can be recorded; the row still says what was going on, and the queue tries again.
        raise
    except TalkerError as error:
        failure = as_failure(error)
        delay = delay_s(error, earlier_tries)
        if delay is None:
            await _fail(resources, job_id, failure)
            return
        await _put_back(resources, job_id, failure)
        raise TryAgain(delay) from error
    except Exception as error:
        await _fail(resources, job_id, broken(error))
        raise


@dataclass(frozen=True, slots=True)
class _Job:
    id: UUID
    video_id: UUID
    youtube_id: str | None
    languages: Sequence[str]


async def _start(resources: Resources, job_id: UUID) -> _Job | None:
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
        video.status, video.failure = "loading", None
        languages = [part.strip() for part in (job.language or "").split(",") if part.strip()]
        return _Job(job.id, video.id, video.youtube_id, languages)


async def _locked(session: AsyncSession, job_id: UUID) -> tuple[IngestionJob, Video] | None:
    """The job and its video, the video locked first, as everywhere: so none waits in a circle."""
    found = select(IngestionJob.video_id).where(IngestionJob.id == job_id).scalar_subquery()
    video = await session.scalar(select(Video).where(Video.id == found).with_for_update())
    if video is None:
        return None
    job = await session.get(IngestionJob, job_id, with_for_update=True)
    return None if job is None else (job, video)


async def _run(job: _Job, resources: Resources, providers: Sequence[TranscriptProvider]) -> None:
    async with JobProgress(resources.sessions, job.id) as progress:
        transcript = await transcript_of(resources.sessions, job.video_id)
        if transcript is None:
            progress.at("fetch", 0.0)
            await _fetch(job, resources, providers)
        progress.at("chunk", FETCHED)
        chunks = await _chunk(job, resources)
        progress.at("embed", CHUNKED)

        def embedded(count: int) -> None:
            progress.at("embed", CHUNKED + (EMBEDDED - CHUNKED) * count / len(chunks))

        await resources.chunks.write(chunks, embedded)
        progress.at("index", EMBEDDED)
        await resources.chunks.delete(job.video_id, keep=[chunk.id for chunk in chunks])
        count = await resources.chunks.count(job.video_id)
    try:
        await _finish(job, resources, count)
    except VideoNotFound:
        await resources.chunks.delete(job.video_id)
        raise


async def _fetch(job: _Job, resources: Resources, providers: Sequence[TranscriptProvider]) -> None:
    """Captions and what is known of the video, from outside to rows."""
    if job.youtube_id is None:
        raise VideoNotFound(job.video_id)
    fetched = await transcripts.fetch(providers, job.youtube_id, job.languages)
    about = await transcripts.describe(providers, job.youtube_id)
    end_ms = max(segment.start_ms + segment.duration_ms for segment in fetched.segments)
    duration_ms = max(about.duration_ms or 0, end_ms)
    max_hours = resources.settings.max_video_hours
    if duration_ms > max_hours * 3_600_000:
        raise too_long(duration_ms, max_hours)
    async with resources.sessions.begin() as session:
        video = await _video(session, job.video_id)
        await add_transcript(session, video, fetched)
        video.title, video.channel = about.title, about.channel
        video.published_at, video.duration_ms = about.published_at, duration_ms
        row = await session.get_one(IngestionJob, job.id)
        row.credits += fetched.credits + about.credits


async def _chunk(job: _Job, resources: Resources) -> list[IndexedChunk]:
    """The chunks' rows, made from the stored segments where they are not there yet."""
    async with resources.sessions.begin() as session:
        await _video(session, job.video_id)
        transcript = await session.scalar(
            select(Transcript).where(Transcript.video_id == job.video_id)
        )
        if transcript is None:
            raise VideoNotFound(job.video_id)
        if not await count_chunks(session, job.video_id):
            await _add_chunks(session, transcript)
        chunks = await indexed_chunks(session, job.video_id)
    if not chunks:
        raise no_speech(job.youtube_id or "this file")
    return chunks


async def _add_chunks(session: AsyncSession, transcript: Transcript) -> None:
    segments = await session.scalars(
        select(Segment).where(Segment.transcript_id == transcript.id).order_by(Segment.position)
    )
    found = await asyncio.to_thread(chunk, segments.all())
    session.add_all(
        Chunk(
            id=uuid5(transcript.id, f"{piece.position} {piece.text}"),
            video_id=transcript.video_id,
            transcript_id=transcript.id,
            position=piece.position,
            first_segment=piece.first_segment,
            last_segment=piece.last_segment,
            start_ms=piece.start_ms,
            end_ms=piece.end_ms,
            text=piece.text,
        )
        for piece in found
    )
    await session.flush()


async def _video(session: AsyncSession, video_id: UUID) -> Video:
    video = await session.get(Video, video_id, with_for_update=True)
    if video is None:
        raise VideoNotFound(video_id)
    return video


async def _finish(job: _Job, resources: Resources, count: int) -> None:
    """Ready, if the segments are there and the index counts as many points as there are chunks."""
    async with resources.sessions.begin() as session:
        locked = await _locked(session, job.id)
        if locked is None:
            raise VideoNotFound(job.video_id)
        row, video = locked
        chunks = await count_chunks(session, video.id)
        segments = await count_segments(session, video.id)
        if not segments or count != chunks:
            raise provider_down(f"The index holds {count} of this video's {chunks} chunks.")
        video.status, video.failure = "ready", None
        row.status, row.step, row.progress, row.failure = "done", "index", 1.0, None


async def _put_back(resources: Resources, job_id: UUID, failure: LoadingFailed | None) -> None:
    """Back to waiting; `failure` says why it has to be tried again."""
    async with resources.sessions.begin() as session:
        locked = await _locked(session, job_id)
        if locked is not None:
            job, video = locked
            job.status = video.status = "queued"
            job.failure = failure.as_json() if failure else None


async def _fail(resources: Resources, job_id: UUID, failure: LoadingFailed) -> None:
    log.info("loading failed", extra={"job_id": str(job_id), "reason": failure.reason})
    async with resources.sessions.begin() as session:
        locked = await _locked(session, job_id)
        if locked is not None:
            job, video = locked
            job.status = video.status = "failed"
            job.failure = video.failure = failure.as_json()
