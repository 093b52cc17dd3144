"""A person's library to files, so that it can move to another server. No vectors, no secrets."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import case, select
from sqlalchemy.ext.asyncio import AsyncSession

from ingestion import archive_files as files
from ingestion.meters import Meter
from talker.models import (
    Collection,
    CollectionVideo,
    LibraryEntry,
    Segment,
    Transcript,
    User,
    Video,
    now,
)
from talker.resources import Resources


async def export_library(
    resources: Resources, user: User, folder: Path, meter: Meter
) -> files.Outcome:
    """Write every video that the person can read, and their collections.

    It may be run again over its own folder: what is the same stays as it is, and files of videos
    that have left the library go to `removed/`, where an import does not look; nothing is ever
    deleted. A killed run leaves a folder that says of itself that it is not complete. Raises
    BadRequest for a folder that holds something else, or another person's library.
    """
    await asyncio.to_thread(_open, folder, user)
    names, failed = await _export_videos(resources, user, folder, meter)
    collections = await _collections(resources, user, names)
    await asyncio.to_thread(files.write, folder / files.COLLECTIONS, collections)
    count = len(collections.collections)
    if not failed:
        for name in await asyncio.to_thread(_put_away, folder, set(names.values())):
            meter.tell("removed", name, f"It left the library; its file is in {files.REMOVED}/.")
        library = _library(user, complete=True, videos=len(names), collections=count)
        await asyncio.to_thread(files.write, folder / files.LIBRARY, library)
    return files.Outcome(len(names), count, failed)


async def _export_videos(
    resources: Resources, user: User, folder: Path, meter: Meter
) -> tuple[dict[UUID, str], int]:
    """The names of the written files by their videos, and how many could not be written."""
    names: dict[UUID, str] = {}
    failed = 0
    every_id = await _video_ids(resources, user)
    for done, video_id in enumerate(every_id, 1):
        try:
            async with resources.sessions() as session:
                content = await _video(session, user, video_id)
        except ValidationError as error:
            failed += 1
            meter.tell("failed", str(video_id), files.first_wrong(error))
            continue
        if content is not None:
            path = folder / files.VIDEOS / f"{content.name}.json"
            await asyncio.to_thread(files.write, path, content)
            names[video_id] = content.name
        meter.at(done, len(every_id))
    return names, failed


def _library(user: User, *, complete: bool, videos: int, collections: int) -> files.LibraryFile:
    return files.LibraryFile(
        user=user.email,
        exported_at=now(),
        complete=complete,
        videos=videos,
        collections=collections,
    )


def _open(folder: Path, user: User) -> None:
    files.open_folder(folder, user.email)
    unfinished = _library(user, complete=False, videos=0, collections=0)
    files.write(folder / files.LIBRARY, unfinished)
    (folder / files.VIDEOS).mkdir(exist_ok=True)
    for partial in folder.rglob(f"*{files.PARTIAL}"):  # of a run that was killed
        partial.unlink()


def _put_away(folder: Path, names: set[str]) -> list[str]:
    """Move the files of other videos out of the way; their names."""
    gone = [path for path in files.video_files(folder) if path.stem not in names]
    for path in gone:
        (folder / files.REMOVED).mkdir(exist_ok=True)
        path.replace(folder / files.REMOVED / path.name)
    return [path.stem for path in gone]


async def _video_ids(resources: Resources, user: User) -> Sequence[UUID]:
    """In the order in which they were added."""
    async with resources.sessions() as session:
        ids = await session.scalars(
            select(LibraryEntry.video_id)
            .where(LibraryEntry.user_id == user.id)
            .order_by(LibraryEntry.added_at, LibraryEntry.video_id)
        )
        return ids.all()


async def _video(session: AsyncSession, user: User, video_id: UUID) -> files.VideoFile | None:
    """None when it was removed a moment ago."""
    row = (
        await session.execute(
            select(Video, LibraryEntry.added_at)
            .join(LibraryEntry, LibraryEntry.video_id == Video.id)
            .where(Video.id == video_id, LibraryEntry.user_id == user.id)
        )
    ).one_or_none()
    if row is None:
        return None
    video, added_at = row
    transcripts = await _transcripts(session, video)
    first = transcripts[0] if transcripts else None
    return files.VideoFile(
        video_id=video.youtube_id,
        content_hash=video.content_hash,
        title=video.title,
        channel=video.channel,
        language=first.language if first else video.language,
        duration_s=None if video.duration_ms is None else files.seconds(video.duration_ms),
        published_at=_utc(video.published_at),
        described_at=_utc(video.described_at),
        added_at=added_at.astimezone(UTC),
        chapters=[
            files.ChapterFile(start_s=files.seconds(chapter["start_ms"]), title=chapter["title"])
            for chapter in video.chapters
        ],
        available=[files.CaptionsFile.model_validate(captions) for captions in video.available],
        kind=first.kind if first else None,
        provider=first.provider if first else None,
        segments=first.segments if first else [],
        more_transcripts=transcripts[1:],
    )


async def _transcripts(session: AsyncSession, video: Video) -> list[files.TranscriptFile]:
    """The one in the video's language first, then as they were fetched."""
    found = await session.scalars(
        select(Transcript)
        .where(Transcript.video_id == video.id)
        .order_by(
            case((Transcript.language == video.language, 0), else_=1),
            Transcript.created_at,
            Transcript.language,
        )
    )
    return [
        files.TranscriptFile.model_validate(
            {
                "language": transcript.language,
                "kind": transcript.kind,
                "provider": transcript.provider,
                "segments": segments,
            }
        )
        for transcript in found.all()
        if (segments := await _segments(session, transcript.id))
    ]


async def _segments(session: AsyncSession, transcript_id: UUID) -> Sequence[files.SegmentFile]:
    rows = await session.execute(
        select(Segment.start_ms, Segment.duration_ms, Segment.text)
        .where(Segment.transcript_id == transcript_id)
        .order_by(Segment.position)
    )
    return [
        files.SegmentFile.model_construct(
            start_s=files.seconds(start_ms), duration_s=files.seconds(duration_ms), text=text
        )
        for start_ms, duration_ms, text in rows
    ]


async def _collections(
    resources: Resources, user: User, names: dict[UUID, str]
) -> files.CollectionsFile:
    """Every collection by age; of its videos those that were exported, in order."""
    async with resources.sessions() as session:
        found = await session.scalars(
            select(Collection)
            .where(Collection.user_id == user.id)
            .order_by(Collection.created_at, Collection.name)
        )
        return files.CollectionsFile(
            collections=[
                files.CollectionFile.model_validate(
                    {
                        "name": collection.name,
                        "source_kind": collection.source_kind,
                        "source_id": collection.source_id,
                        "language": collection.language,
                        "source_limit": collection.source_limit,
                        "seen": collection.seen,
                        "subscribed": collection.subscribed,
                        "created_at": collection.created_at.astimezone(UTC),
                        "videos": await _names_in(session, collection.id, names),
                    }
                )
                for collection in found.all()
            ]
        )


async def _names_in(
    session: AsyncSession, collection_id: UUID, names: dict[UUID, str]
) -> list[str]:
    ids = await session.scalars(
        select(CollectionVideo.video_id)
        .where(CollectionVideo.collection_id == collection_id)
        .order_by(CollectionVideo.position, CollectionVideo.video_id)
    )
    return [names[video_id] for video_id in ids if video_id in names]


def _utc(instant: datetime | None) -> datetime | None:
    return instant.astimezone(UTC) if instant else None
