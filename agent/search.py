"""The passages that bear on a question, best first."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from agent.quotes import as_one, without_lead
from agent.ranking import SCALES, Ranked, Stretch, join, rank, shifted_cosine
from agent.state import Span
from talker.chunks import ChunkIndex
from talker.database import statement
from talker.points import Candidate, IndexedChunk
from talker.sentences import Sentence, TimedText, joined, sentences_of
from talker.text import guess_language, primary, tokens

AROUND = 8
"""Segments before and behind a passage in which the rest of a sentence is looked for."""

SEGMENTS: LiteralString = """
SELECT chunks.id, first_segment - 1, segments.position, segments.start_ms, duration_ms,
segments.text
FROM chunks JOIN segments ON segments.transcript_id = chunks.transcript_id
AND segments.position BETWEEN first_segment - 1 - %(around)s::int AND last_segment + %(around)s::int
WHERE chunks.id = ANY(%(chunk_ids)s::uuid[])
"""
"""One segment more: rolling captions repeat in a line what the line before it said."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk as retrieved for a question, with the neighbours that belong to it.

    `score` only compares passages of one question. `cosine` is that of the chunk `chunk_id` as
    if question and passage were in one language; None where the model's cosines have no scale
    that we know. `sentences` are the passage's, with their exact times, also the rest of one that
    a chunk's edge cuts; `text` is their words, and `shown` the stretch of them that a list of
    results shows and plays.
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

    def expect(self, question: str) -> None:
        """What can be begun of a search that comes in a moment, before it is known where in."""
        self._chunks.expect(question)

    async def passages(
        self,
        question: str,
        video_ids: Collection[UUID],
        *,
        before: str = "",
        language: str = "",
        span: Span | None = None,
        limit: int = 8,
    ) -> list[Passage]:
        """The best passages within the videos that the caller may read.

        `before` is the user's turn before a follow-up, `language` the question's where a few words
        do not tell, `span` the stretch of each video to look in. Raises IndexUnavailable,
        IndexMismatch, and ModelError's kinds when a remote embedding model fails.
        """
        asked = f"{before}\n{question}" if before else question
        between = (span["start_ms"], span["end_ms"]) if span else None
        candidates = await self._chunks.candidates(asked, video_ids, between=between)
        language = primary(language) or guess_language(tokens(question))
        model = self._chunks.embedding_model
        stretches = join(rank(candidates, language, model), limit)
        said = await self._sentences(stretches)
        return [
            self._passage(question, language, stretch, said[stretch.best.candidate.chunk.id])
            for stretch in stretches
            if said[stretch.best.candidate.chunk.id]
        ]

    async def passages_of(self, chunks: Sequence[IndexedChunk], about: str) -> list[Passage]:
        """These chunks as passages, in their order; what is shown of each is nearest `about`."""
        stretches = [Stretch(Ranked(Candidate(one, None, None), 0.0), (one,)) for one in chunks]
        said = await self._sentences(stretches)
        language = guess_language(tokens(about))
        return [
            self._passage(about, language, stretch, said[stretch.best.candidate.chunk.id])
            for stretch in stretches
            if said[stretch.best.candidate.chunk.id]
        ]

    def _passage(
        self, question: str, language: str, stretch: Stretch, said: Sequence[Sentence]
    ) -> Passage:
        candidate = stretch.best.candidate
        model = self._chunks.embedding_model
        compared = candidate.dense is not None and model in SCALES
        return Passage(
            chunk_id=candidate.chunk.id,
            video_id=candidate.chunk.video_id,
            language=candidate.chunk.language,
            start_ms=said[0].start_ms,
            end_ms=max(one.end_ms for one in said),
            text=joined([one.text for one in said]),
            score=stretch.best.score,
            cosine=shifted_cosine(candidate, language, model) if compared else None,
            sentences=tuple(said),
            shown=as_one(without_lead(question, said, candidate.chunk.language)),
        )

    async def _sentences(self, stretches: Sequence[Stretch]) -> dict[UUID, list[Sentence]]:
        """The sentences of each stretch, by its best chunk's id; none for one deleted meanwhile."""
        of_chunk = {
            chunk.id: stretch.best.candidate.chunk.id
            for stretch in stretches
            for chunk in stretch.chunks
        }
        given = {"chunk_ids": list(of_chunk), "around": AROUND}
        rows = await statement(self._sessions, SEGMENTS, given)
        lines: defaultdict[UUID, dict[int, TimedText]] = defaultdict(dict)
        firsts: defaultdict[UUID, list[int]] = defaultdict(list)
        for chunk_id, first, position, start_ms, duration_ms, text in rows:
            lines[of_chunk[chunk_id]][position] = TimedText(start_ms, duration_ms, text)
            firsts[of_chunk[chunk_id]].append(first)
        return {
            id_: _within(stretch, lines[id_], min(firsts[id_], default=0))
            for stretch in stretches
            for id_ in [stretch.best.candidate.chunk.id]
        }


def _within(stretch: Stretch, lines: dict[int, TimedText], first: int) -> list[Sentence]:
    """The sentences that the chunks are made of; their segments hold pieces of others too.

    `first` is the position of the chunks' own first segment.
    """
    texts = [chunk.text for chunk in stretch.chunks]
    positions = sorted(lines)
    return sentences_of(
        texts,
        [lines[position] for position in positions],
        first=bisect_left(positions, first),
        whole=True,
    )
