"""Captions as a reader wants them: noise taken out, whole sentences, each with its times."""

import html
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import regex

from talker.text import is_spaceless, token_estimate

MAX_SENTENCE_TOKENS = 60
"""A longer one (captions without full stops) is cut where one caption line ends."""

_TAG = regex.compile(r"</?[a-zA-Z][^<>]*>|\{\\an\d\}|<\d\d:[\d:.]+>")
_SOUND = regex.compile(r"[\[(](?:[\p{Lu}\s]+|\p{Lu}?[\p{Ll}\s]{3,30})[\])]|[♪♫]+|\[\s*__\s*\]")
_SPEAKER = regex.compile(r"^(?:>>+|-)\s*")
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


def clean(text: str) -> str:
    """A caption line without tags, entities, sound cues and speaker marks, on one line."""
    text = _TAG.sub(" ", html.unescape(text))
    text = _SOUND.sub(" ", text.replace("\u200b", "").replace("\u00a0", " "))
    return _SPEAKER.sub("", " ".join(text.split()))


def sentences(segments: Sequence[Timed]) -> list[Sentence]:
    """The segments' words as sentences in order; every word is in exactly one.

    Where captions have no full stops, a sentence is a run of whole segments of at most about
    MAX_SENTENCE_TOKENS. Rolling captions, whose lines repeat the one before, are
    said once.
    """
    text, starts, numbers = _joined(segments)
    found = []
    for start, end in _spans(text, starts):
        first = numbers[bisect_right(starts, start) - 1]
        last = numbers[bisect_right(starts, end - 1) - 1]
        found.append(
            Sentence(
                start_ms=segments[first].start_ms,
                end_ms=max(_end_ms(segments, number) for number in range(first, last + 1)),
                text=text[start:end],
                first_segment=first,
                last_segment=last,
            )
        )
    return found


def joined(texts: Sequence[str]) -> str:
    """Texts that follow each other as one, spaced as their script is."""
    whole = ""
    for text in texts:
        spaced = whole and text and not is_spaceless(whole[-1])
        whole += f" {text}" if spaced else text
    return whole


def _end_ms(segments: Sequence[Timed], number: int) -> int:
    """A segment's end; rolling captions stay on screen into the next line's time."""
    segment = segments[number]
    end_ms = segment.start_ms + segment.duration_ms
    if number + 1 < len(segments):
        end_ms = min(end_ms, max(segments[number + 1].start_ms, segment.start_ms + 1))
    return end_ms


def _joined(segments: Sequence[Timed]) -> tuple[str, list[int], list[int]]:
    """The whole text, where in it each segment that says something starts, and which one it is."""
    text = ""
    starts, numbers = [], []
    before: list[str] = []
    for number, segment in enumerate(segments):
        words = clean(segment.text).split()
        new = words[_repeated(before, words) :]
        before = words or before
        if not new:
            continue
        line = " ".join(new)
        if text and not (is_spaceless(text[-1]) and is_spaceless(line[0])):
            text += " "
        starts.append(len(text))
        numbers.append(number)
        text += line
    return text, starts, numbers


def _repeated(before: Sequence[str], words: Sequence[str]) -> int:
    """How many of a line's first words roll over from the line before it.

    Two words may meet by chance ("the, the"); three, or a whole line, do not.
    """
    for count in range(min(len(before), len(words)), 0, -1):
        if list(before[-count:]) == list(words[:count]):
            whole_line = count in (len(before), len(words))
            return count if count >= 3 or (whole_line and count >= 2) else 0
    return 0


def _spans(text: str, starts: Sequence[int]) -> list[tuple[int, int]]:
    """The sentences' first and past-the-last characters, outer spaces left out."""
    ends = [
        match.end() for match in _END.finditer(text) if _is_end(text, match.start(), match.end())
    ]
    if not ends or ends[-1] < len(text):
        ends.append(len(text))
    spans = []
    for start, end in pairwise([0, *ends]):
        for left, right in _shortened(text, start, end, starts):
            piece = text[left:right]
            if said := piece.strip():
                start_of_words = right - len(piece.lstrip())
                spans.append((start_of_words, start_of_words + len(said)))
    return spans


def _is_end(text: str, mark: int, end: int) -> bool:
    """Whether a full stop ends a sentence: not after "Dr." nor before a small letter."""
    if text[mark] != ".":
        return True
    following = text[end:].lstrip()[:1] if end < len(text) else ""
    return not following.islower() and not _ABBREVIATION.search(text[max(0, mark - 8) : mark + 1])


def _shortened(text: str, start: int, end: int, starts: Sequence[int]) -> list[tuple[int, int]]:
    """A stretch cut into even parts at segments' starts, if it is too long for a sentence."""
    parts = -(-token_estimate(text[start:end]) // MAX_SENTENCE_TOKENS)
    if parts <= 1:
        return [(start, end)]
    cuts = [start]
    for boundary in starts[bisect_right(starts, start) : bisect_right(starts, end - 1)]:
        if boundary - cuts[-1] >= (end - start) / parts:
            cuts.append(boundary)
    return list(pairwise([*cuts, end]))
