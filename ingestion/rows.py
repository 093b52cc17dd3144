"""What loading reads and writes in the tables, shared by adding and by jobs."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import Result, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from ingestion.captions import UNKNOWN_LANGUAGE
from ingestion.provider import FetchedTranscript, ListedVideo
from talker.cleaning import plain_name
from talker.errors import VideoNotFound
from talker.models import Chunk, IngestionJob, LibraryEntry, Segment, Transcript, User, Video
from talker.points import IndexedChunk
from talker.sentences import TimedText
from talker.text import guess_language, stop_words, tokens

ROWS_AT_ONCE = 1_000
"""One statement takes at most 65,535 parameters."""

_GUESS_FROM_SEGMENTS = 300

Value = TypeVar("Value")


async def own_videos(session: AsyncSession, user: User, ids: Collection[str]) -> dict[str, Video]:
    """The person's own files' videos by the YouTube ids they name, the newest of each."""
    videos = await session.scalars(
        select(Video)
        .where(Video.owner_id == user.id, Video.youtube_id.in_(ids), Video.status != "failed")
        .order_by(Video.created_at)
    )
    return {video.youtube_id: video for video in videos if video.youtube_id}


async def shared_videos(
    session: AsyncSession, listed: Mapping[str, ListedVideo]
) -> dict[str, Video]:
    """Everybody's videos by YouTube id, made where missing and locked, always in one order."""
    found: dict[str, Video] = {}
    for names in _slices(sorted(listed)):
        rows = [_row(listed[name]) for name in names]
        await session.execute(
            insert(Video)
            .values(rows)
            .on_conflict_do_nothing(
                index_elements=["youtube_id"], index_where=text("owner_id IS NULL")
            )
        )
        videos = await session.scalars(
            select(Video)
            .where(Video.owner_id.is_(None), Video.youtube_id.in_(names))
            .order_by(Video.youtube_id)
            .with_for_update()
        )
        found |= {video.youtube_id: video for video in videos if video.youtube_id}
    return found


def _row(listed: ListedVideo) -> dict[str, Any]:
    return {
        "youtube_id": listed.youtube_id,
        "title": plain_name(listed.title or "") or f"YouTube video {listed.youtube_id}",
        "channel": plain_name(listed.channel or "") or None,
        "duration_ms": listed.duration_ms,
    }


async def enter(session: AsyncSession, user: User, video_ids: Iterable[UUID]) -> None:
    """Put videos into the person's library."""
    for some in _slices(dict.fromkeys(video_ids)):
        entries = [{"user_id": user.id, "video_id": video_id} for video_id in some]
        await session.execute(insert(LibraryEntry).values(entries).on_conflict_do_nothing())


async def add_transcript(session: AsyncSession, video: Video, fetched: FetchedTranscript) -> UUID:
    """Store captions of a video, once in each language; their transcript's id.

    A repeated step finds them there and changes nothing. The caller holds the video's row locked.
    """
    language = _language(fetched.language, fetched.segments)
    there = await session.scalar(
        select(Transcript.id).where(
            Transcript.video_id == video.id, Transcript.language == language
        )
    )
    if there is not None:
        return there
    video.language = video.language or language
    transcript = Transcript(
        id=uuid4(),
        video_id=video.id,
        language=language,
        kind=fetched.kind,
        provider=fetched.provider,
        bytes=text_bytes(fetched.segments),
    )
    session.add(transcript)
    await session.flush()
    await session.execute(
        insert(Segment),
        [
            {
                "transcript_id": transcript.id,
                "position": position,
                "start_ms": segment.start_ms,
                "duration_ms": segment.duration_ms,
                "text": segment.text,
            }
            for position, segment in enumerate(fetched.segments)
        ],
    )
    return transcript.id


def text_bytes(segments: Iterable[TimedText]) -> int:
    return sum(len(segment.text.encode()) for segment in segments)


async def store_transcript(
    sessions: async_sessionmaker[AsyncSession], job_id: UUID, fetched: FetchedTranscript
) -> UUID:
    """Write down what a job's service gave, at once; the transcript's id. Raises VideoNotFound."""
    end_ms = max(segment.start_ms + segment.duration_ms for segment in fetched.segments)
    async with sessions.begin() as session:
        of_job = select(IngestionJob.video_id).where(IngestionJob.id == job_id).scalar_subquery()
        video = await session.scalar(select(Video).where(Video.id == of_job).with_for_update())
        if video is None:
            raise VideoNotFound(job_id)
        transcript_id = await add_transcript(session, video, fetched)
        video.duration_ms = max(video.duration_ms or 0, end_ms)
        if fetched.available:
            video.available = [
                {"language": captions.language, "kind": captions.kind}
                for captions in fetched.available
            ]
        row = await session.get_one(IngestionJob, job_id)
        row.transcript_id, row.service_job = transcript_id, None
    return transcript_id


async def loaded_languages(
    session: AsyncSession, video_ids: Collection[UUID]
) -> dict[UUID, list[str]]:
    """The languages of videos' transcripts, by the video's id."""
    rows = await session.execute(
        select(Transcript.video_id, Transcript.language).where(Transcript.video_id.in_(video_ids))
    )
    loaded: dict[UUID, list[str]] = {}
    for video_id, language in rows:
        loaded.setdefault(video_id, []).append(language)
    return loaded


async def count_segments(session: AsyncSession, transcript_id: UUID) -> int:
    counted = select(func.count()).select_from(Segment)
    return await session.scalar(counted.where(Segment.transcript_id == transcript_id)) or 0


async def count_chunks(session: AsyncSession, video_id: UUID) -> int:
    counted = select(func.count()).select_from(Chunk)
    return await session.scalar(counted.where(Chunk.video_id == video_id)) or 0


async def indexed_chunks(session: AsyncSession, video_id: UUID) -> list[IndexedChunk]:
    """The chunks of all a video's transcripts, each transcript's in order, for the index."""
    query = _CHUNKS.where(Chunk.video_id == video_id)
    return _indexed(
        await session.execute(query.order_by(Transcript.created_at, Transcript.id, Chunk.position))
    )


async def transcript_chunks(session: AsyncSession, transcript_id: UUID) -> list[IndexedChunk]:
    """One transcript's chunks in order."""
    query = _CHUNKS.where(Chunk.transcript_id == transcript_id)
    return _indexed(await session.execute(query.order_by(Chunk.position)))


_CHUNKS = select(Chunk, Transcript.language).join(Transcript, Transcript.id == Chunk.transcript_id)


def _indexed(rows: Result[Chunk, str]) -> list[IndexedChunk]:
    return [
        IndexedChunk(
            id=chunk.id,
            video_id=chunk.video_id,
            position=chunk.position,
            language=language,
            start_ms=chunk.start_ms,
            end_ms=chunk.end_ms,
            text=chunk.text,
        )
        for chunk, language in rows
    ]


def _language(named: str, segments: Sequence[TimedText]) -> str:
    """The language that the captions name, else the one whose small words they use."""
    if named != UNKNOWN_LANGUAGE:
        return named
    said = {token for segment in segments[:_GUESS_FROM_SEGMENTS] for token in tokens(segment.text)}
    guess = guess_language(said)
    return guess if said & stop_words(guess) else UNKNOWN_LANGUAGE


def _slices(values: Iterable[Value]) -> Iterator[list[Value]]:
    """In parts that one statement may have as parameters."""
    every = list(values)
    for at in range(0, len(every), ROWS_AT_ONCE):
        yield every[at : at + ROWS_AT_ONCE]
