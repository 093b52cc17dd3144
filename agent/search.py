"""The passages that bear on a question, best first."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from agent.ranking import blend
from talker.chunks import Candidate, ChunkIndex
from talker.models import Chunk, Segment
from talker.sentences import Sentence, sentences

CANDIDATES = 50


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk as retrieved for a question.

    `score` only compares passages of one question; `cosine` is the raw one, None for a passage
    that was found by its words alone. `sentences` are the chunk's, with their exact times;
    `shown` is the stretch of them that a list of results shows and plays.
    """

    chunk_id: UUID
    video_id: UUID
    language: str
    start_ms: int
    end_ms: int
    text: str
    score: float
    cosine: float | None
    sentences: tuple[Sentence, ...]
    shown: Sentence


class Search:
    def __init__(self, chunks: ChunkIndex, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._chunks = chunks
        self._sessions = sessions

    async def passages(
        self, question: str, video_ids: Collection[UUID], *, before: str = "", limit: int = 8
    ) -> list[Passage]:
        """The best passages within the videos that the caller may read.

        `before` is the user's turn before a follow-up. Raises IndexUnavailable, IndexMismatch,
        and ModelError's kinds when a remote embedding model fails.
        """
        asked = f"{before}\n{question}" if before else question
        ranked = blend(await self._chunks.candidates(asked, video_ids, CANDIDATES))[:limit]
        said = await self._sentences([candidate.chunk.id for candidate, _ in ranked])
        return [
            _passage(candidate, score, said[candidate.chunk.id])
            for candidate, score in ranked
            if said[candidate.chunk.id]
        ]

    async def _sentences(self, chunk_ids: Sequence[UUID]) -> dict[UUID, list[Sentence]]:
        """Each chunk's sentences; none for a chunk that was deleted meanwhile."""
        lines: defaultdict[UUID, list[Segment]] = defaultdict(list)
        of_chunk = and_(
            Segment.transcript_id == Chunk.transcript_id,
            Segment.position.between(Chunk.first_segment, Chunk.last_segment),
        )
        query = (
            select(Chunk.id, Segment)
            .join(Segment, of_chunk)
            .where(Chunk.id.in_(chunk_ids))
            .order_by(Segment.position)
        )
        async with self._sessions() as session:
            for chunk_id, segment in await session.execute(query):
                lines[chunk_id].append(segment)
        return {chunk_id: sentences(lines[chunk_id]) for chunk_id in chunk_ids}


def _passage(candidate: Candidate, score: float, said: Sequence[Sentence]) -> Passage:
    chunk = candidate.chunk
    return Passage(
        chunk_id=chunk.id,
        video_id=chunk.video_id,
        language=chunk.language,
        start_ms=chunk.start_ms,
        end_ms=chunk.end_ms,
        text=chunk.text,
        score=score,
        cosine=candidate.dense,
        sentences=tuple(said),
        shown=Sentence(chunk.start_ms, chunk.end_ms, chunk.text, 0, 0),
    )
