"""Captions as a reader wants them: noise taken out, whole sentences, each with its times."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Protocol

import regex

from talker.boundaries import MAX_SENTENCE_TOKENS, cut
from talker.cleaning import clean, unrolled
from talker.sentence_words import SentenceWords, sentence_words
from talker.text import guess_language, is_spaceless, token_estimate, tokens

LANGUAGE_SAMPLE_CHARS = 2000
SLOW_TOKENS_PER_S = 2.2
"""What a line takes longer than that, nobody speaks: lines may stay shown through a silence."""

_WORD = re.compile(r"\S+")  # `re` takes for spaces what `str.split` does, `regex` does not
_CLOSING = "[\"'\u2019\u201d»)\\]]*"
_END = regex.compile(
    rf"(?:[.!?…]+|[\u0964\u061f\u06d4]+){_CLOSING}(?=\s|$)|[。\uff01\uff1f]+[」』\u201d\uff09]*"
)
"""Full stops before a space; those of Chinese and Japanese anywhere."""

_ABBREVIATION = regex.compile(
    r"(?:^|[\s(])(?:\p{Lu}|\p{L}\.\p{L}|mr|mrs|ms|dr|prof|st|vs|etc|approx|fig|no|ca|bzw|np|tj|sr|sra)\.$",
    regex.IGNORECASE,
)


class Timed(Protocol):
    """A caption line: `TimedText`, or a row of the segments' table."""

    @property
    def start_ms(self) -> int: ...
    @property
    def duration_ms(self) -> int: ...
    @property
    def text(self) -> str: ...


@dataclass(frozen=True, slots=True)
class TimedText:
    """One caption line as fetched."""

    start_ms: int
    duration_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words as said between two instants.

    `first_segment` and `last_segment` count from 0 in the segments given, both included; the
    times are theirs, so a sentence that begins inside a segment starts where that one starts.
    """

    start_ms: int
    end_ms: int
    text: str
    first_segment: int
    last_segment: int


def sentences(segments: Sequence[Timed]) -> list[Sentence]:
    """The segments' words as sentences in order; every word is in exactly one.

    Where captions have no full stops, sentences of at most about MAX_SENTENCE_TOKENS end where
    pauses and small words tell. Rolling captions, whose lines repeat the one before, are said
    once.
    """
    said = _said(segments)
    return [said.sentence(*span) for span in said.spans(0, len(said.text))]


def sentences_of(
    texts: Sequence[str], segments: Sequence[Timed], *, first: int = 0, whole: bool = False
) -> list[Sentence]:
    """The sentences of chunks that follow each other, found again in the chunks' own segments.

    The segments hold pieces of other sentences too; the chunks' own are looked for from the
    segment `first` on. A text that is not found there has none. `whole` adds what the segments
    have of the long sentences, cut in two, with whose other part the texts begin and end.
    """
    said = _said(segments)
    searched = said.start_of(first)
    spans: list[tuple[int, int]] = []
    for text in texts:
        if found := said.find(text, searched):
            searched = found[1]
            spans += said.spans(*found)
    if whole and spans:
        begin, end = spans[0][0], spans[-1][1]
        spans = [*said.before(begin), *spans, *said.behind(end)]
    return [said.sentence(*span) for span in spans]


class _Places:
    """Where in a text each of its characters stands that is no space."""

    def __init__(self, text: str) -> None:
        words = [match.span() for match in _WORD.finditer(text)]
        self._starts = [start for start, _ in words]
        self._ends = [end for _, end in words]
        self._counts = list(accumulate((end - start for start, end in words), initial=0))

    def __getitem__(self, number: int) -> int:
        word = bisect_right(self._counts, number) - 1
        return self._starts[word] + number - self._counts[word]

    def before(self, place: int) -> int:
        """How many there are before a place in the text."""
        word = bisect_right(self._starts, place) - 1
        if word < 0:
            return 0
        return self._counts[word] + min(place, self._ends[word]) - self._starts[word]


def joined(texts: Sequence[str]) -> str:
    """Texts that follow each other as one, spaced as their script is."""
    whole = ""
    for text in texts:
        spaced = whole and text and not is_spaceless(whole[-1])
        whole += f" {text}" if spaced else text
    return whole


@dataclass(frozen=True)
class _Said:
    """The whole text, where in it each segment that says something starts, and which one it is."""

    segments: Sequence[Timed]
    text: str
    starts: Sequence[int]
    numbers: Sequence[int]

    def spans(self, start: int, end: int) -> list[tuple[int, int]]:
        """The sentences' first and past-the-last characters, outer spaces left out."""
        ends = self._ends(start, end)
        found = []
        for left, right in pairwise([start, *ends, end]):
            if stretch := self._trimmed(left, right):
                found += (
                    [stretch] if right in ends and self._fits(*stretch) else self._cut(*stretch)
                )
        return found

    def before(self, place: int) -> list[tuple[int, int]]:
        """What stands between the last full stop before a place and it, if that is not much.

        Without a full stop in sight nobody knows where the sentence began.
        """
        ends = self._ends(0, place)
        missing = self._trimmed(ends[-1], place) if ends else None
        return self.spans(*missing) if missing and self._fits(*missing) else []

    def behind(self, place: int) -> list[tuple[int, int]]:
        """What stands between a place and the next full stop; none right behind one."""
        before, after = self._ends(0, place), self._ends(place, len(self.text))
        closed = bool(before) and before[-1] == place
        missing = self._trimmed(place, after[0]) if after and not closed else None
        return self.spans(*missing) if missing and self._fits(*missing) else []

    def start_of(self, segment: int) -> int:
        """The character at which the first segment from a number on that says something starts."""
        at = bisect_left(self.numbers, segment)
        return self.starts[at] if at < len(self.starts) else len(self.text)

    def find(self, text: str, start: int) -> tuple[int, int] | None:
        """Where a text stands from a place on, however it is spaced."""
        at = self.text.find(text, start)
        if text and at >= 0:
            return at, at + len(text)
        letters, wanted = "".join(self.text.split()), "".join(text.split())
        at = letters.find(wanted, self._places.before(start))
        if not wanted or at < 0:
            return None
        return self._places[at], self._places[at + len(wanted) - 1] + 1

    def _ends(self, start: int, end: int) -> Sequence[int]:
        """Where full stops end sentences."""
        ends = self._full_stops
        return ends[bisect_right(ends, start) : bisect_right(ends, end)]

    @cached_property
    def _full_stops(self) -> list[int]:
        return [
            match.end()
            for match in _END.finditer(self.text)
            if _is_end(self.text, match.start(), match.end())
        ]

    @cached_property
    def _places(self) -> "_Places":
        return _Places(self.text)

    def sentence(self, start: int, end: int) -> Sentence:
        first = self.numbers[bisect_right(self.starts, start) - 1]
        last = self.numbers[bisect_right(self.starts, end - 1) - 1]
        return Sentence(
            start_ms=self.segments[first].start_ms,
            end_ms=max(_end_ms(self.segments, number) for number in range(first, last + 1)),
            text=self.text[start:end],
            first_segment=first,
            last_segment=last,
        )

    def _trimmed(self, start: int, end: int) -> tuple[int, int] | None:
        piece = self.text[start:end]
        said = piece.strip()
        start += len(piece) - len(piece.lstrip())
        return (start, start + len(said)) if said else None

    def _fits(self, start: int, end: int) -> bool:
        return token_estimate(self.text[start:end]) <= MAX_SENTENCE_TOKENS

    def _cut(self, start: int, end: int) -> list[tuple[int, int]]:
        inside = self.starts[bisect_right(self.starts, start) : bisect_left(self.starts, end)]
        pauses = {place: self._pauses[place] for place in inside}
        spans = cut(self.text, start, end, pauses, self._words)
        return [span for left, right in spans if (span := self._trimmed(left, right))]

    @cached_property
    def _words(self) -> SentenceWords:
        return sentence_words(guess_language(tokens(self.text[:LANGUAGE_SAMPLE_CHARS])))

    @cached_property
    def _pauses(self) -> dict[int, float]:
        """The silence before each segment, by the character where it starts, in milliseconds."""
        said = [self.segments[number] for number in self.numbers]
        pauses = dict.fromkeys(self.starts[:1], 0.0)
        for start, (before, segment) in zip(self.starts[1:], pairwise(said), strict=True):
            spoken_ms = token_estimate(before.text) * 1000 / SLOW_TOKENS_PER_S
            to_next_ms = segment.start_ms - before.start_ms
            pauses[start] = to_next_ms - min(before.duration_ms, spoken_ms)
        return pauses


def _said(segments: Sequence[Timed]) -> _Said:
    text = ""
    starts, numbers = [], []
    for number, new in enumerate(unrolled([clean(one.text).split() for one in segments])):
        if not new:
            continue
        line = " ".join(new)
        if text and not (is_spaceless(text[-1]) and is_spaceless(line[0])):
            text += " "
        starts.append(len(text))
        numbers.append(number)
        text += line
    return _Said(segments, text, starts, numbers)


def _end_ms(segments: Sequence[Timed], number: int) -> int:
    """A segment's end; rolling captions stay on screen into the next line's time."""
    segment = segments[number]
    end_ms = segment.start_ms + segment.duration_ms
    if number + 1 < len(segments):
        end_ms = min(end_ms, max(segments[number + 1].start_ms, segment.start_ms + 1))
    return end_ms


def _is_end(text: str, mark: int, end: int) -> bool:
    """Whether a full stop ends a sentence: not after "Dr." nor before a small letter."""
    if text[mark] != ".":
        return True
    following = text[end:].lstrip()[:1] if end < len(text) else ""
    return not following.islower() and not _ABBREVIATION.search(text[max(0, mark - 8) : mark + 1])
