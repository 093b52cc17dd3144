"""What loading reads and writes in the tables, shared by adding and by jobs."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from ingestion.captions import UNKNOWN_LANGUAGE
from ingestion.provider import FetchedTranscript
from talker.models import Chunk, Segment, Transcript, Video
from talker.points import IndexedChunk
from talker.sentences import TimedText
from talker.text import guess_language, stop_words, tokens

_GUESS_FROM_SEGMENTS = 300


async def add_transcript(session: AsyncSession, video: Video, fetched: FetchedTranscript) -> None:
    """Store a video's captions, once: a repeated step finds them there and changes nothing.

    The caller holds the video's row locked.
    """
    there = select(Transcript.id).where(Transcript.video_id == video.id)
    if await session.scalar(there) is not None:
        return
    video.language = _language(fetched.language, fetched.segments)
    transcript = Transcript(
        id=uuid4(),
        video_id=video.id,
        language=video.language,
        kind=fetched.kind,
        provider=fetched.provider,
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


async def transcript_of(sessions: async_sessionmaker[AsyncSession], video_id: UUID) -> UUID | None:
    async with sessions() as session:
        return await session.scalar(select(Transcript.id).where(Transcript.video_id == video_id))


async def count_segments(session: AsyncSession, video_id: UUID) -> int:
    counted = select(func.count()).select_from(Segment).join(Transcript)
    return await session.scalar(counted.where(Transcript.video_id == video_id)) or 0


async def count_chunks(session: AsyncSession, video_id: UUID) -> int:
    counted = select(func.count()).select_from(Chunk)
    return await session.scalar(counted.where(Chunk.video_id == video_id)) or 0


async def indexed_chunks(session: AsyncSession, video_id: UUID) -> list[IndexedChunk]:
    """A video's chunks in order, as the index takes them."""
    rows = await session.execute(
        select(Chunk, Transcript.language)
        .join(Transcript, Transcript.id == Chunk.transcript_id)
        .where(Chunk.video_id == video_id)
        .order_by(Chunk.position)
    )
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
