"""Plain text with times: `[mm:ss] words`, and what YouTube's "Show transcript" panel copies.

A time begins a line, `h:mm:ss.fff` or shorter, in square or round brackets or bare, with words
behind it or on the lines that follow; `[00:05 - 00:09]` says when the words end, too. The first
time shows how the others are written, so that words such as "10:30 in the morning" stay words.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import regex

from ingestion.cues import bad_file, clean, lines_of
from talker.sentences import TimedText
from talker.text import token_estimate

EXAMPLE = "[1:05] Plants look green."
USUAL_TOKENS_PER_S = 3.3

_TIME = r"(?:(?:\d{1,3}:)?[0-5]?\d|\d{1,4}):[0-5]\d(?:[.,]\d{1,3})?"
_TIMES = rf"(?P<start>{_TIME})(?:\s*(?:-->|-|\u2013|\u2014)\s*(?P<end>{_TIME}))?"
_WORDS = r"(?P<words>.*\S)?\s*"
_MARK = r"(?:\s*[-\u2013\u2014:|](?=\s))?"
_FORMS = (
    regex.compile(rf"\s*\[\s*{_TIMES}\s*\]{_MARK}\s*{_WORDS}"),
    regex.compile(rf"\s*\(\s*{_TIMES}\s*\){_MARK}\s*{_WORDS}"),
    regex.compile(rf"\s*{_TIMES}(?P<words>)\s*"),
    regex.compile(rf"\s*{_TIMES}{_MARK}(?:\s+{_WORDS})?"),
)


@dataclass(slots=True)
class _Timed:
    line: int
    start_ms: int
    end_ms: int | None
    words: list[str] = field(default_factory=list)


def parse_lines(name: str, text: str) -> list[TimedText]:
    """Words run until the next time, the last ones for as long as they take to say.

    What stands before the first time is a heading. Raises LoadingFailed, `bad_file`, for a text
    without times, and with the line where times run backwards.
    """
    found = _timed(lines_of(name, text))
    if not found:
        raise bad_file(f'"{name}" holds no times: write its lines such as "{EXAMPLE}"')
    for before, after in pairwise(found):
        if after.start_ms < before.start_ms:
            raise bad_file(
                f'"{name}", line {after.line}: {_clock(after.start_ms)} is earlier than '
                f"the time before it, {_clock(before.start_ms)}."
            )
    starts_ms = [one.start_ms for one in found[1:]]
    return [
        _segment(name, one, next_ms)
        for one, next_ms in zip(found, [*starts_ms, None], strict=True)
        if one.words
    ]


def _timed(lines: Sequence[str]) -> list[_Timed]:
    forms = list(_FORMS)
    found: list[_Timed] = []
    for number, line in enumerate(lines, 1):
        words: str | None = line
        if match := next((match for form in forms if (match := form.fullmatch(line))), None):
            forms = [match.re]
            start, end, words = match.group("start", "end", "words")
            found.append(_Timed(number, _milliseconds(start), _milliseconds(end) if end else None))
        if found and (said := clean(words or "")):
            found[-1].words.append(said)
    return found


def _segment(name: str, one: _Timed, next_ms: int | None) -> TimedText:
    text = " ".join(one.words)
    if one.end_ms is not None and one.end_ms < one.start_ms:
        raise bad_file(f'"{name}", line {one.line}: the words end before they start.')
    spoken_ms = max(1000, round(token_estimate(text) * 1000 / USUAL_TOKENS_PER_S))
    ends_ms = (one.end_ms, next_ms, one.start_ms + spoken_ms)
    end_ms = next(end_ms for end_ms in ends_ms if end_ms is not None)
    return TimedText(one.start_ms, end_ms - one.start_ms, text)


def _milliseconds(time: str) -> int:
    whole, _, fraction = time.replace(",", ".").partition(".")
    seconds = 0
    for part in whole.split(":"):
        seconds = seconds * 60 + int(part)
    return seconds * 1000 + int(fraction.ljust(3, "0"))


def _clock(ms: int) -> str:
    minutes, seconds = divmod(ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
