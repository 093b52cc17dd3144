"""Whole transcripts, as sentences: which one of a video is read, and its words."""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from agent.library import VideoName
from talker.database import autocommit
from talker.errors import NotFound
from talker.models import Segment, Video
from talker.models import Transcript as TranscriptRow
from talker.sentences import Sentence, TimedText, sentences
from talker.text import primary

KEPT = 8
"""Transcripts whose sentences stay in memory: an hour of speech has some 200 kB of them."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """As the video's author set it."""

    start_ms: int
    title: str


@dataclass(frozen=True, slots=True)
class Transcript:
    id: UUID
    video: VideoName
    language: str
    chapters: tuple[Chapter, ...]
    sentences: Sequence[Sentence]


class Transcripts:
    """Reads transcripts; the sentences of those read last are kept, as they never change."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions
        self._kept: OrderedDict[UUID, asyncio.Task[list[Sentence]]] = OrderedDict()

    async def read(self, transcript_id: UUID) -> Transcript:
        """Raises NotFound for one that was removed meanwhile."""
        query = (
            select(TranscriptRow, Video)
            .join(Video, Video.id == TranscriptRow.video_id)
            .where(TranscriptRow.id == transcript_id)
        )
        async with autocommit(self._sessions) as session:
            found = (await session.execute(query)).one_or_none()
        if found is None:
            raise NotFound("The video was removed, or is being loaded anew. Ask again.")
        row, video = found
        return Transcript(
            id=row.id,
            video=VideoName(
                video.id,
                video.youtube_id,
                video.title,
                video.channel,
                video.duration_ms,
                video.published_at,
            ),
            language=row.language,
            chapters=tuple(Chapter(one["start_ms"], one["title"]) for one in video.chapters),
            sentences=await self._sentences(row.id),
        )

    async def _sentences(self, transcript_id: UUID) -> list[Sentence]:
        """A transcript's sentences, cut once for all who ask for them at the same time."""
        task = self._kept.get(transcript_id)
        if task is None:
            task = asyncio.create_task(self._cut(transcript_id))
            self._kept[transcript_id] = task
        self._kept.move_to_end(transcript_id)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        try:
            return await asyncio.shield(task)
        except Exception:
            self._kept.pop(transcript_id, None)
            raise

    async def _cut(self, transcript_id: UUID) -> list[Sentence]:
        query = (
            select(Segment.start_ms, Segment.duration_ms, Segment.text)
            .where(Segment.transcript_id == transcript_id)
            .order_by(Segment.position)
        )
        async with autocommit(self._sessions) as session:
            lines = [TimedText(*row) for row in await session.execute(query)]
        return await asyncio.to_thread(sentences, lines)


async def transcripts_in(
    session: AsyncSession, video_ids: Collection[UUID], language: str
) -> dict[UUID, TranscriptRow]:
    """The transcript that each video is read in: in the language asked for, else the first."""
    query = select(TranscriptRow).where(TranscriptRow.video_id.in_(video_ids))
    chosen: dict[UUID, TranscriptRow] = {}
    for row in await session.scalars(query.order_by(TranscriptRow.created_at, TranscriptRow.id)):
        there = chosen.setdefault(row.video_id, row)
        wanted = primary(language)
        if primary(there.language) != wanted and primary(row.language) == wanted:
            chosen[row.video_id] = row
    return chosen
