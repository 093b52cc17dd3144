"""Segments to chunks; pure."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from talker.sentences import Sentence, Timed, joined, sentences
from talker.text import token_estimate

MAX_TOKENS = 100
"""Beside 200 tokens, half the distance from a chunk's start to the answer's and more found in the
first five minutes of transcript; what belongs together is joined again when it is searched."""


@dataclass(frozen=True, slots=True)
class ChunkText:
    """Whole sentences, up to about MAX_TOKENS; positions and segments count from 0."""

    position: int
    first_segment: int
    last_segment: int
    start_ms: int
    end_ms: int
    text: str


def chunk(segments: Sequence[Timed], breaks_ms: Sequence[int] = ()) -> list[ChunkText]:
    """The transcript's chunks in order; none where nothing is said.

    No chunk goes on over one of `breaks_ms`, the chapters' starts in order; a sentence that does
    stays whole in the chapter where it starts.
    """
    groups = _groups(sentences(segments), breaks_ms)
    return [_chunk(position, group) for position, group in enumerate(groups)]


def _groups(found: Sequence[Sentence], breaks_ms: Sequence[int]) -> list[list[Sentence]]:
    groups: list[list[Sentence]] = []
    tokens, chapter = 0, 0
    for sentence in found:
        size = token_estimate(sentence.text)
        starts_in = bisect_right(breaks_ms, sentence.start_ms)
        if not groups or tokens + size > MAX_TOKENS or starts_in != chapter:
            groups.append([])
            tokens, chapter = 0, starts_in
        groups[-1].append(sentence)
        tokens += size
    return groups


def _chunk(position: int, group: Sequence[Sentence]) -> ChunkText:
    return ChunkText(
        position=position,
        first_segment=group[0].first_segment,
        last_segment=group[-1].last_segment,
        start_ms=group[0].start_ms,
        end_ms=max(sentence.end_ms for sentence in group),
        text=joined([sentence.text for sentence in group]),
    )
