"""Cues of SubRip and WebVTT files, kept faithfully: every cue's words with its own times.

WebVTT: https://www.w3.org/TR/webvtt1/. SubRip has no standard; what players accept is read.
YouTube's automatic captions as `.vtt` roll up: each line is spoken in one cue (with a time tag
before each word), then shown again in the next ones. The repetition is the display's, not the
speaker's, so each line becomes one segment, at the time it is spoken.
"""

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from talker.cleaning import MARKUP
from talker.errors import LoadingFailed
from talker.sentences import TimedText

_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_TIMING = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?![\d:.,])")
_WORD_TIME = re.compile(r"<\d{2}:\d{2}:\d{2}\.\d{3}>")
# Control characters, and halves of surrogate pairs: neither is text, and Postgres takes no NUL.
_NO_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff]")
_OVERRIDES = re.compile(r"[\u202d\u202e]")
"""They show letters in another order than they stand in; Arabic and Hebrew captions need none."""
MAX_LINES, MAX_LINE_CHARS = 1_000_000, 200_000
"""A day of captions has a tenth of that."""
_LINE_END = re.compile(r"\r\n|\r|\n")


def bad_file(detail: str) -> LoadingFailed:
    return LoadingFailed(
        "bad_file", detail, "Check the file, or export the captions again, and add it once more."
    )


def clean(text: str) -> str:
    """One line of plain text: no tags' leftovers, control characters or runs of blanks."""
    return " ".join(_NO_TEXT.sub(" ", _OVERRIDES.sub("", text)).split())


def lines_of(name: str, text: str) -> list[str]:
    """Raises LoadingFailed, `bad_file`, for more lines than any captions have."""
    if text.count("\n") + text.count("\r") > MAX_LINES * 2:
        raise bad_file(f'"{name}" has more than {MAX_LINES:,} lines, which no captions have.')
    lines = _LINE_END.split(text)
    if max(map(len, lines)) > MAX_LINE_CHARS:
        raise bad_file(f'"{name}" has a line of more than {MAX_LINE_CHARS:,} characters.')
    return lines


@dataclass(frozen=True, slots=True)
class _Cue:
    start_ms: int
    end_ms: int
    lines: Sequence[str]


def parse_srt(name: str, text: str) -> list[TimedText]:
    """Raises LoadingFailed, `bad_file`, with the line number of a time that makes no sense."""
    lines = lines_of(name, text)
    cues = list(_srt_cues(name, lines))
    if not cues:
        raise bad_file(f'"{name}" holds no captions: there is no line such as {_EXAMPLE}.')
    return _segments(cues)


def parse_vtt(name: str, text: str) -> list[TimedText]:
    """Raises LoadingFailed, `bad_file`, with the line number of a time that makes no sense."""
    lines = lines_of(name, text)
    if not re.match(r"WEBVTT(?:[ \t]|$)", lines[0]):
        raise bad_file(f'"{name}", line 1: a WebVTT file begins with the word WEBVTT.')
    cues = list(_vtt_cues(name, lines))
    if not cues:
        raise bad_file(f'"{name}" holds no captions: there is no line such as {_EXAMPLE}.')
    return _segments(_unrolled(cues) if _WORD_TIME.search(text) else cues)


_EXAMPLE = "00:00:01.000 --> 00:00:04.000"


def _srt_cues(name: str, lines: Sequence[str]) -> Iterator[_Cue]:
    """A cue's words run to the next cue's number: some files have blank lines among them."""
    timings = [n for n, line in enumerate(lines) if "-->" in line and re.search(r"\d:\d", line)]
    for number, following in pairwise([*timings, len(lines)]):
        words = lines[number + 1 : following]
        if following < len(lines) and words and words[-1].strip().isdigit():
            words = words[:-1]
        yield _cue(name, number, lines[number], words)


def _vtt_cues(name: str, lines: Sequence[str]) -> Iterator[_Cue]:
    """Blocks between empty lines; those without a time (NOTE, STYLE, REGION) are no cues."""
    number = 0
    while number < len(lines):
        if "-->" not in lines[number]:
            number += 1
            continue
        end = number + 1
        while end < len(lines) and lines[end] and "-->" not in lines[end]:
            end += 1
        yield _cue(name, number, lines[number], lines[number + 1 : end])
        number = end


def _cue(name: str, number: int, timing: str, words: Sequence[str]) -> _Cue:
    place = f'"{name}", line {number + 1}'
    match = _TIMING.match(timing)
    if match is None:
        raise bad_file(f"{place}: {timing.strip()[:80]!r} is no time such as {_EXAMPLE}.")
    start_ms, end_ms = _milliseconds(match.groups()[:4]), _milliseconds(match.groups()[4:])
    if end_ms < start_ms:
        raise bad_file(f"{place}: the cue ends before it starts ({timing.strip()[:80]}).")
    return _Cue(start_ms, end_ms, words)


def _milliseconds(groups: Sequence[str | None]) -> int:
    hours, minutes, seconds, fraction = groups
    whole = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return whole * 1000 + int((fraction or "0").ljust(3, "0"))


def _plain(line: str) -> str:
    return clean(html.unescape(MARKUP.sub("", line)))


def _segments(cues: Iterable[_Cue]) -> list[TimedText]:
    """Cues with words, in order of start: parts of a file may have been joined out of order."""
    found = [
        TimedText(cue.start_ms, cue.end_ms - cue.start_ms, words)
        for cue in cues
        if (words := " ".join(filter(None, map(_plain, cue.lines))))
    ]
    return sorted(found, key=lambda segment: segment.start_ms)


def _unrolled(cues: Sequence[_Cue]) -> Iterator[_Cue]:
    """The lines that each cue adds to what the one before it shows."""
    shown: list[str] = []
    for cue in cues:
        spoken = [line for line in cue.lines if _plain(line)]
        lines = [_plain(line) for line in spoken]
        again = next(
            count
            for count in range(min(len(shown), len(lines)), -1, -1)
            if shown[len(shown) - count :] == lines[:count]
        )
        if spoken[again:]:
            yield _Cue(cue.start_ms, cue.end_ms, spoken[again:])
        shown = lines
