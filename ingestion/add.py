"""Adding videos to a person's library: what is known is ready at once, the rest is queued.

Both functions work inside the caller's transaction: rows and queue change together or not at all.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from ingestion.captions import CaptionFile, parse_file
from ingestion.failures import too_long
from ingestion.provider import FetchedTranscript
from ingestion.queue import put_on_queue
from ingestion.rows import add_transcript
from ingestion.sources import youtube_id
from talker.errors import LoadingFailed
from talker.models import IngestionJob, LibraryEntry, User, Video, now

ACTIVE = ("queued", "running", "paused")


@dataclass(frozen=True, slots=True)
class Added:
    """What became of one source; `status` is the video's, `failed` for a source that is none."""

    source: str
    video_id: UUID | None
    job_id: UUID | None
    status: str
    failure: dict[str, Any] | None = None

    @classmethod
    def refused(cls, source: str, failure: LoadingFailed) -> "Added":
        return cls(source, None, None, "failed", failure.as_json())


async def add_sources(
    session: AsyncSession, user: User, sources: Sequence[str], *, language: str | None = None
) -> list[Added]:
    """Add the videos that links or ids name; one answer for each source, in order.

    A known video is `ready` without any call to the outside; one that somebody is loading is
    joined; one that failed is tried again. A bad source fails beside the good ones. `language`
    is a comma-separated list of the captions' languages in order of preference.
    """
    wanted: dict[str, str] = {}
    refused: dict[str, LoadingFailed] = {}
    for source in dict.fromkeys(sources):
        try:
            wanted[source] = youtube_id(source)
        except LoadingFailed as failure:
            refused[source] = failure
    found = await _own(session, user, set(wanted.values()))
    found |= await _shared(session, set(wanted.values()) - set(found))
    await _enter(session, user, [video.id for video in found.values()])
    answers = {source: Added.refused(source, failure) for source, failure in refused.items()}
    for source, name in wanted.items():
        answers[source] = await _queued(session, user, found[name], source, language)
    return [answers[source] for source in sources]


async def add_file(
    session: AsyncSession,
    user: User,
    name: str,
    content: bytes,
    *,
    title: str | None = None,
    url: str | None = None,
    language: str | None = None,
    max_hours: int,
) -> Added:
    """Add a caption file as a video of the person's own; the same captions again are that video.

    Raises LoadingFailed with reason `bad_file` (or `not_a_video` for the `url`) or
    WrongKindOfFile; then nothing was stored.
    """
    file = await asyncio.to_thread(parse_file, name, content)
    if file.duration_ms > max_hours * 3_600_000:
        raise too_long(file.duration_ms, max_hours)
    file = replace(
        file,
        title=title or file.title,
        youtube_id=youtube_id(url) if url else file.youtube_id,
        language=language or file.language,
    )
    video = await _of_file(session, user, file)
    await _enter(session, user, [video.id])
    return await _queued(session, user, video, name, None)


async def retry(session: AsyncSession, job: IngestionJob) -> None:
    """Queue a failed job again, in place; one that is not failed is left as it is."""
    video = await session.get_one(Video, job.video_id, with_for_update=True)
    await session.refresh(job)
    if job.status in ("failed", "cancelled"):
        await _put_back(session, job, video)


async def _own(session: AsyncSession, user: User, ids: Collection[str]) -> dict[str, Video]:
    """The person's own files' videos by the YouTube ids they name, the newest of each."""
    videos = await session.scalars(
        select(Video)
        .where(Video.owner_id == user.id, Video.youtube_id.in_(ids), Video.status != "failed")
        .order_by(Video.created_at)
    )
    return {video.youtube_id: video for video in videos if video.youtube_id}


async def _shared(session: AsyncSession, ids: Collection[str]) -> dict[str, Video]:
    """Everybody's videos by YouTube id, made where missing and locked, always in one order."""
    ordered = sorted(ids)
    if not ordered:
        return {}
    await session.execute(
        insert(Video)
        .values([{"youtube_id": name, "title": f"YouTube video {name}"} for name in ordered])
        .on_conflict_do_nothing(index_elements=["youtube_id"], index_where=text("owner_id IS NULL"))
    )
    videos = await session.scalars(
        select(Video)
        .where(Video.owner_id.is_(None), Video.youtube_id.in_(ordered))
        .order_by(Video.youtube_id)
        .with_for_update()
    )
    return {video.youtube_id: video for video in videos if video.youtube_id}


async def _of_file(session: AsyncSession, user: User, file: CaptionFile) -> Video:
    content_hash = file.content_hash()
    await session.execute(
        insert(Video)
        .values(
            youtube_id=file.youtube_id,
            owner_id=user.id,
            content_hash=content_hash,
            title=file.title,
            channel=file.channel,
            duration_ms=file.duration_ms,
        )
        .on_conflict_do_nothing(index_elements=["owner_id", "content_hash"])
    )
    video = await session.scalar(
        select(Video)
        .where(Video.owner_id == user.id, Video.content_hash == content_hash)
        .with_for_update()
    )
    if video is None:
        raise LookupError(content_hash)
    transcript = FetchedTranscript("file", file.language, "uploaded", file.segments)
    await add_transcript(session, video, transcript)
    return video


async def _enter(session: AsyncSession, user: User, video_ids: Iterable[UUID]) -> None:
    entries = [{"user_id": user.id, "video_id": video_id} for video_id in video_ids]
    if entries:
        await session.execute(insert(LibraryEntry).values(entries).on_conflict_do_nothing())


async def _queued(
    session: AsyncSession, user: User, video: Video, source: str, language: str | None
) -> Added:
    """Let the video be loaded unless it is, or is about to be."""
    if video.status == "ready":
        return Added(source, video.id, None, "ready")
    job = await session.scalar(
        select(IngestionJob)
        .where(IngestionJob.video_id == video.id)
        .order_by(IngestionJob.created_at.desc())
        .limit(1)
    )
    if job is None:
        job = IngestionJob(video_id=video.id, user_id=user.id, source=source, language=language)
        session.add(job)
        await session.flush()
        await put_on_queue(session, job.id, video.id)
    elif job.status not in ACTIVE:
        job.language = language or job.language
        await _put_back(session, job, video)
    return Added(source, video.id, job.id, video.status, video.failure)


async def _put_back(session: AsyncSession, job: IngestionJob, video: Video) -> None:
    job.status = video.status = "queued"
    job.failure = video.failure = None
    job.progress, job.step, job.updated_at = 0.0, None, now()
    await session.flush()
    await put_on_queue(session, job.id, video.id)
