"""The steps of a job up to the index: captions and what is known of the video, then chunks.

Each leaves behind what a later run needs, and finds there what an earlier one left.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from ingestion import transcripts
from ingestion.chapters import chapters
from ingestion.chunking import chunk as chunk_segments
from ingestion.errands import JobErrand
from ingestion.failures import too_long
from ingestion.provider import Metadata, TranscriptProvider, Wanted, no_speech
from ingestion.rows import indexed_chunks, store_transcript, transcript_chunks
from talker.cleaning import plain_name
from talker.errors import VideoNotFound
from talker.models import Chunk, Segment, Transcript, Video, now
from talker.points import IndexedChunk
from talker.resources import Resources


@dataclass(frozen=True, slots=True)
class Job:
    """`is_extra` says that the video is ready without it: the captions of one more language.

    `attempt` counts from 1 since somebody last queued the job.
    """

    id: UUID
    user_id: UUID
    video_id: UUID
    youtube_id: str | None
    languages: Sequence[str]
    generate: bool
    attempt: int
    is_extra: bool
    is_described: bool
    priority: int
    transcript_id: UUID | None
    service_job: Mapping[str, Any] | None


async def fetch(job: Job, resources: Resources, providers: Sequence[TranscriptProvider]) -> UUID:
    """Captions from outside to rows; the transcript's id."""
    if job.youtube_id is None:
        raise VideoNotFound(job.video_id)
    wanted = Wanted(job.youtube_id, job.languages, strictly=job.is_extra, generate=job.generate)
    errand = JobErrand(resources.sessions, job.user_id, job.id, job.service_job)
    fetched = await transcripts.fetch(providers, wanted, errand)
    end_ms = max(segment.start_ms + segment.duration_ms for segment in fetched.segments)
    _check(end_ms, resources)
    return await store_transcript(resources.sessions, job.id, fetched)


async def describe(job: Job, resources: Resources, providers: Sequence[TranscriptProvider]) -> None:
    """Title, channel, length and chapters; a video is loaded without them where nobody tells."""
    if job.youtube_id is None:
        return
    errand = JobErrand(resources.sessions, job.user_id, job.id, None)
    about = await transcripts.describe(providers, job.youtube_id, errand)
    if about is None:
        return
    _check(about.duration_ms or 0, resources)
    async with resources.sessions.begin() as session:
        described(await _video(session, job.video_id), about)


def described(video: Video, about: Metadata) -> None:
    """Write down what a service says of a video beside its words."""
    video.title = plain_name(about.title or "") or video.title
    video.channel = plain_name(about.channel or "") or video.channel
    video.published_at = about.published_at or video.published_at
    video.duration_ms = max(video.duration_ms or 0, about.duration_ms or 0) or None
    video.chapters = [
        {"start_ms": chapter.start_ms, "title": chapter.title}
        for chapter in chapters(about.description, video.duration_ms)
    ]
    video.described_at = now()


async def check_length(job: Job, resources: Resources) -> None:
    """A list may have told the length: what is too long then costs no call."""
    async with resources.sessions() as session:
        video = await session.get(Video, job.video_id)
    _check((video.duration_ms if video else 0) or 0, resources)


def _check(duration_ms: int, resources: Resources) -> None:
    max_hours = resources.settings.max_video_hours
    if duration_ms > max_hours * 3_600_000:
        raise too_long(duration_ms, max_hours)


async def chunk(job: Job, resources: Resources) -> list[IndexedChunk]:
    """The chunks to index, their rows made from stored segments where they are not there yet.

    One more language of a ready video is indexed beside the others; else all that the video has.
    """
    async with resources.sessions.begin() as session:
        video = await _video(session, job.video_id)
        bare = await session.scalars(
            select(Transcript).where(
                Transcript.video_id == video.id,
                ~exists().where(Chunk.transcript_id == Transcript.id),
            )
        )
        for transcript in bare.all():
            await _add_chunks(session, transcript, [one["start_ms"] for one in video.chapters])
        if job.is_extra and job.transcript_id:
            chunks = await transcript_chunks(session, job.transcript_id)
        else:
            chunks = await indexed_chunks(session, video.id)
    if not chunks:
        raise no_speech(job.youtube_id or "this file")
    return chunks


async def _add_chunks(
    session: AsyncSession, transcript: Transcript, breaks_ms: Sequence[int]
) -> None:
    segments = await session.scalars(
        select(Segment).where(Segment.transcript_id == transcript.id).order_by(Segment.position)
    )
    found = await asyncio.to_thread(chunk_segments, segments.all(), breaks_ms)
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
