"""From candidates to an order, to stretches of neighbours, and whether they answer; pure."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import pstdev
from uuid import UUID

from talker.embeddings import LOCAL_MODEL
from talker.points import Candidate, IndexedChunk
from talker.text import primary

WORDS_SHARE = 0.4
"""What BM25's logarithm counts beside the cosine in spreads; a chunk with the words has 2 or 3.

More than on captions of mathematics alone: of programs, menus and tools people ask by name.
"""

NEIGHBOUR_SHARE = 0.23
"""What the better neighbour's cosine counts: an answer is seldom alone in its surroundings."""

NEXT_WITHIN, PREVIOUS_WITHIN = 2.0, 0.8
"""How far below the best chunk's score a neighbour may be to be joined. More for the next one:
after the words that are like the question come those that answer it."""

MAX_STRETCH_MS = 50_000

TWIN_OVERLAP = 0.5
"""Share of the shorter of two stretches from which on both, in two languages, are one moment."""

Place = tuple[UUID, str, int]
"""Where a chunk stands: its video, its transcript's language, its position there."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How an embedding model's cosines are read.

    `spread` is their usual deviation for one question, `language_shift` how much nearer texts of
    the question's own language are, and below `min_cosine` few answers lie.
    """

    spread: float
    language_shift: float
    min_cosine: float


SCALES = {LOCAL_MODEL: Scale(spread=0.0165, language_shift=0.025, min_cosine=0.845)}
"""Measured with questions in four languages on captions in seven."""


@dataclass(frozen=True, slots=True)
class Ranked:
    candidate: Candidate
    score: float


@dataclass(frozen=True, slots=True)
class Stretch:
    """Neighbouring chunks in order; `best` is the one that they were found by."""

    best: Ranked
    chunks: tuple[IndexedChunk, ...]


def rank(candidates: Sequence[Candidate], language: str, model: str) -> list[Ranked]:
    """Candidates best first, for a question in `language` and vectors of `model`."""
    found = [candidate for candidate in candidates if candidate.dense is not None]
    if not found:
        return []
    shifted = [shifted_cosine(candidate, language, model) for candidate in found]
    scale = SCALES.get(model)
    spread = (scale.spread if scale else pstdev(shifted)) or 1.0
    near = {
        _place(candidate.chunk): cosine / spread
        for candidate, cosine in zip(found, shifted, strict=True)
    }
    floor = min(near.values())
    scores = [
        near[_place(candidate.chunk)]
        + WORDS_SHARE * math.log1p(candidate.sparse or 0.0)
        + NEIGHBOUR_SHARE * max(near.get(place, floor) for place in _beside(candidate.chunk))
        for candidate in found
    ]
    ranked = [Ranked(candidate, score) for candidate, score in zip(found, scores, strict=True)]
    return sorted(ranked, key=lambda one: -one.score)


def shifted_cosine(candidate: Candidate, language: str, model: str) -> float:
    """The cosine as it would be if question and chunk were in one language."""
    scale = SCALES.get(model)
    foreign = primary(candidate.chunk.language) != language
    return (candidate.dense or 0.0) + (scale.language_shift if scale and foreign else 0.0)


def join(ranked: Sequence[Ranked], limit: int) -> list[Stretch]:
    """The best chunks, each with those of its neighbours that score nearly as well.

    No chunk is in two stretches, and none is longer than MAX_STRETCH_MS unless it is one chunk.
    A moment that is there in two languages is in the better one only.
    """
    places = {_place(one.candidate.chunk): one for one in ranked}
    used: set[Place] = set()
    stretches: list[Stretch] = []
    for best in ranked:
        if len(stretches) == limit:
            break
        if _place(best.candidate.chunk) not in used:
            stretch = [best]
            while neighbour := _neighbour(best, stretch, places, used):
                stretch = sorted(
                    [*stretch, neighbour], key=lambda one: one.candidate.chunk.position
                )
            used |= {_place(one.candidate.chunk) for one in stretch}
            stretches.append(Stretch(best, tuple(one.candidate.chunk for one in stretch)))
            used |= {place for place, one in places.items() if _is_twin(one, stretches[-1])}
    return stretches


def _is_twin(one: Ranked, stretch: Stretch) -> bool:
    """Whether a chunk says in another language what a stretch says."""
    chunk, first = one.candidate.chunk, stretch.chunks[0]
    if chunk.video_id != first.video_id or chunk.language == first.language:
        return False
    end_ms = max(chunk.end_ms for chunk in stretch.chunks)
    shorter_ms = min(chunk.end_ms - chunk.start_ms, end_ms - first.start_ms)
    common_ms = min(chunk.end_ms, end_ms) - max(chunk.start_ms, first.start_ms)
    return common_ms > 0 and common_ms >= TWIN_OVERLAP * shorter_ms


def _neighbour(
    best: Ranked,
    stretch: Sequence[Ranked],
    places: dict[Place, Ranked],
    used: Collection[Place],
) -> Ranked | None:
    """The better of the chunks before and after a stretch, if one is good enough to join it."""
    first, last = stretch[0].candidate.chunk, stretch[-1].candidate.chunk
    choices = []
    for place, within in (
        (_beside(first)[0], PREVIOUS_WITHIN),
        (_beside(last)[1], NEXT_WITHIN),
    ):
        one = places.get(place)
        if one is None or place in used or best.score - one.score > within:
            continue
        chunk = one.candidate.chunk
        length_ms = max(last.end_ms, chunk.end_ms) - min(first.start_ms, chunk.start_ms)
        if length_ms <= MAX_STRETCH_MS:
            choices.append((one.score + within, one))
    return max(choices, key=lambda choice: choice[0])[1] if choices else None


def answers_question(cosines: Sequence[float]) -> bool:
    """Whether passages are near enough to the question for an answer to be among them.

    `cosines` are those of `Passage`; with none there is nothing to judge by, and they pass.
    """
    return not cosines or max(cosines) >= SCALES[LOCAL_MODEL].min_cosine


def _place(chunk: IndexedChunk) -> Place:
    return chunk.video_id, chunk.language, chunk.position


def _beside(chunk: IndexedChunk) -> tuple[Place, Place]:
    """The places before and after a chunk's."""
    video_id, language, position = _place(chunk)
    return (video_id, language, position - 1), (video_id, language, position + 1)
