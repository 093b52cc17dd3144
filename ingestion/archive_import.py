"""An exported library into a person's own: nothing that is there already is touched."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, text, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from ingestion import archive_files as files
from ingestion.archive_collections import import_collection
from ingestion.jobs import ACTIVE, latest_jobs, put_back
from ingestion.meters import Meter
from ingestion.room import open_room
from talker.errors import LibraryFull
from talker.models import (
    IngestionBatch,
    IngestionJob,
    LibraryEntry,
    Segment,
    Transcript,
    User,
    Video,
)
from talker.quotas import quotas_of
from talker.resources import Resources
from talker.sources import watch_url


async def import_library(
    resources: Resources, user: User, folder: Path, meter: Meter
) -> tuple[files.Outcome, Sequence[UUID]]:
    """Enter an export's videos and collections; also the jobs that will make the videos ready.

    The files are trusted as the operator who gives the command is: a shared YouTube video is
    everybody's again, and another one becomes the person's own file. No service is asked; a video
    without a transcript goes to the queue by its link. Each file is entered whole or not at all,
    so a run after a killed one ends as if that had not been; one that the person's quotas leave no
    room for fails beside the others. Raises BadRequest for a folder that is no export.
    """
    library = await asyncio.to_thread(files.read_library, folder)
    importing = _Import(resources, user, f"import of {folder}")
    paths = await asyncio.to_thread(lambda: list(files.video_files(folder)))
    failed = 0
    if not library.complete:
        failed += 1
        meter.tell("failed", files.LIBRARY, "The export was not finished; videos may be missing.")
    elif len(paths) < library.videos:
        failed += 1
        missing = library.videos - len(paths)
        meter.tell("failed", files.VIDEOS, f"{missing} of {library.videos} files are missing.")
    for done, path in enumerate(paths, 1):
        try:
            content = await asyncio.to_thread(files.read, path, files.VideoFile)
            await importing.video(content)
        except (files.BadArchiveFile, LibraryFull) as error:
            failed += 1
            meter.tell("failed", f"{files.VIDEOS}/{path.name}", str(error))
        meter.at(done, len(paths))
    collections, wrong = await _collections(importing, folder, meter)
    return files.Outcome(len(importing.ids), collections, failed + wrong), importing.jobs


class _Import:
    """`ids` are the entered videos' by their names in the export, `jobs` those not over yet."""

    def __init__(self, resources: Resources, user: User, source: str) -> None:
        self.resources = resources
        self.user = user
        self.ids: dict[str, UUID] = {}
        self.jobs: list[UUID] = []
        self._quotas = quotas_of(user, resources.settings)
        self._batch: dict[str, Any] = {"id": uuid4(), "user_id": user.id, "source": source}

    async def video(self, content: files.VideoFile) -> None:
        """Enter one video, its transcripts and its job, all together. Raises LibraryFull."""
        async with self.resources.sessions.begin() as session:
            room = await open_room(session, self.user, self._quotas)
            video = await _video(session, self.user, content)
            is_new = await session.scalar(
                insert(LibraryEntry)
                .values(user_id=self.user.id, video_id=video.id, added_at=content.added_at)
                .on_conflict_do_nothing()
                .returning(true())
            )
            if room is not None and is_new:
                own = content.transcripts() if video.owner_id is not None else ()
                size = sum(_bytes(transcript) for transcript in own)
                room.take(duration_ms=video.duration_ms or 0, size=size)
            transcript_id = await _transcript(session, video, content)
            if video.status != "ready":
                await session.execute(
                    insert(IngestionBatch).values(self._batch).on_conflict_do_nothing()
                )
            job_id = await queue_stored(
                session, self.user, video, transcript_id=transcript_id, batch_id=self._batch["id"]
            )
        self.ids[content.name] = video.id
        if job_id is not None:
            self.jobs.append(job_id)


async def queue_stored(
    session: AsyncSession,
    user: User,
    video: Video,
    *,
    transcript_id: UUID | None,
    batch_id: UUID | None = None,
) -> UUID | None:
    """Let a worker make the video ready from its stored transcript, or from its link without one.

    The job, or None where the video is ready. The caller holds the video's row locked.
    """
    if video.status == "ready":
        return None
    job = (await latest_jobs(session, [video.id])).get(video.id)
    is_new = job is None
    if job is None:
        shared = video.owner_id is None and video.youtube_id
        source = watch_url(shared) if shared else video.title
        job = IngestionJob(
            video_id=video.id,
            user_id=user.id,
            batch_id=batch_id,
            source=source,
            transcript_id=transcript_id,
        )
        session.add(job)
    job.transcript_id = job.transcript_id or transcript_id
    await session.flush()
    if is_new or job.status not in ACTIVE:
        await put_back(session, [job])
    return job.id


async def _video(session: AsyncSession, user: User, content: files.VideoFile) -> Video:
    """The video's row, made where it is missing, and locked."""
    wanted: Mapping[str, Any]
    if content.content_hash is None:
        wanted = {"youtube_id": content.video_id, "owner_id": None}
        conflict: dict[str, Any] = {
            "index_elements": ["youtube_id"],
            "index_where": text("owner_id IS NULL"),
        }
    else:
        wanted = {"content_hash": content.content_hash, "owner_id": user.id}
        conflict = {"index_elements": ["owner_id", "content_hash"]}
    values = {**_about(content), "youtube_id": content.video_id, **wanted}
    await session.execute(insert(Video).values(values).on_conflict_do_nothing(**conflict))
    found = select(Video).filter_by(**wanted).with_for_update()
    return (await session.scalars(found)).one()


def _about(content: files.VideoFile) -> dict[str, Any]:
    """What is known of a video, as columns."""
    duration_s = content.duration_s
    return {
        "title": content.title,
        "channel": content.channel,
        "language": content.language,
        "duration_ms": None if duration_s is None else files.milliseconds(duration_s),
        "published_at": content.published_at,
        "described_at": content.described_at,
        "chapters": [
            {"start_ms": files.milliseconds(chapter.start_s), "title": chapter.title}
            for chapter in content.chapters
        ],
        "available": [captions.model_dump() for captions in content.available],
    }


async def _transcript(session: AsyncSession, video: Video, content: files.VideoFile) -> UUID | None:
    """The video's transcript: the one that is there, or the file's, stored with all the others."""
    first = (
        select(Transcript.id)
        .where(Transcript.video_id == video.id)
        .order_by(Transcript.language != video.language, Transcript.created_at)
        .limit(1)
    )
    if (known := await session.scalar(first)) is not None or not content.segments:
        return known
    for column, value in _about(content).items():
        setattr(video, column, value)
    ids = [await _store(session, video, transcript) for transcript in content.transcripts()]
    return ids[0]


async def _store(session: AsyncSession, video: Video, content: files.TranscriptFile) -> UUID:
    """A transcript and its segments, times and words as they are in the file."""
    transcript = Transcript(
        video_id=video.id,
        language=content.language,
        kind=content.kind,
        provider=content.provider,
        bytes=_bytes(content),
    )
    session.add(transcript)
    await session.flush()
    await session.execute(
        insert(Segment),
        [
            {
                "transcript_id": transcript.id,
                "position": position,
                "start_ms": files.milliseconds(segment.start_s),
                "duration_ms": files.milliseconds(segment.duration_s),
                "text": segment.text,
            }
            for position, segment in enumerate(content.segments)
        ],
    )
    return transcript.id


def _bytes(transcript: files.TranscriptFile) -> int:
    return sum(len(segment.text.encode()) for segment in transcript.segments)


async def _collections(importing: _Import, folder: Path, meter: Meter) -> tuple[int, int]:
    """How many collections were made or extended, and how many things went wrong."""
    path = folder / files.COLLECTIONS
    try:
        content = await asyncio.to_thread(files.read, path, files.CollectionsFile)
    except files.BadArchiveFile as error:
        meter.tell("failed", files.COLLECTIONS, str(error))
        return 0, 1
    wrong = 0
    for collection in content.collections:
        missing = [name for name in collection.videos if name not in importing.ids]
        if missing:
            wrong += 1
            meter.tell(
                "failed",
                f"collection {collection.name}",
                f"{len(missing)} of its {len(collection.videos)} videos were not imported, "
                f"the first of them {missing[0]}.",
            )
        ids = [importing.ids[name] for name in collection.videos if name in importing.ids]
        async with importing.resources.sessions.begin() as session:
            await import_collection(session, importing.user, collection, ids)
    return len(content.collections), wrong
