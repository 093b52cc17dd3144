"""Chapters from a video's description, by YouTube's own rules for them; pure.

https://support.google.com/youtube/answer/9884579: the first time is 00:00, there are three or
more in ascending order, and a chapter lasts ten seconds or more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import regex

MIN_CHAPTERS = 3
MIN_CHAPTER_MS = 10_000
MAX_TITLE_CHARS = 200

_TIME = (
    r"(?<![\d:.])(?P<time>(?:\d{1,3}:)?[0-5]?\d:[0-5]\d)(?![\d:]|\.\d)"
    r"(?!\s*[ap]\.?m\b)"
)
_UNTIL = r"(?:\s*[-\u2013\u2014]\s*(?:\d{1,3}:)?[0-5]?\d:[0-5]\d)?"
_FORMS = (
    regex.compile(
        rf"(?:\d{{1,3}}[.)]\s+)?[^\w(\[]*[(\[]?{_TIME}{_UNTIL}[)\]]?(?P<title>.*)", regex.IGNORECASE
    ),
    regex.compile(rf"(?P<title>.*?)[(\[]?{_TIME}{_UNTIL}[)\]]?\s*", regex.IGNORECASE),
)
"""The time before the title, behind bullets or a number, or after it."""

_NO_TITLE = regex.compile(r"^[\s\-\u2013\u2014:|.•*~>=]+|[\s\-\u2013\u2014:|(\[]+$")


@dataclass(frozen=True, slots=True)
class Chapter:
    """It lasts until the next one starts, the last until the video ends."""

    start_ms: int
    title: str


def chapters(description: str, duration_ms: int | None = None) -> list[Chapter]:
    """The chapters that a description lists, in order; none where it does not by the rules.

    Times outside of the video, where its duration is known, are no chapters.
    """
    lines = description.splitlines()
    for form in _FORMS:
        listed = _listed(form, lines)
        if duration_ms is not None:
            listed = [one for one in listed if one.start_ms <= duration_ms - MIN_CHAPTER_MS]
        if len(listed) >= MIN_CHAPTERS and all(
            after.start_ms - before.start_ms >= MIN_CHAPTER_MS for before, after in pairwise(listed)
        ):
            return listed
    return []


def _listed(form: regex.Pattern[str], lines: Sequence[str]) -> list[Chapter]:
    """The lines of one form from the first at 0:00 on, until a list begins once more."""
    found: list[Chapter] = []
    for line in lines:
        match = form.fullmatch(line.strip())
        title = _NO_TITLE.sub("", match["title"])[:MAX_TITLE_CHARS] if match else ""
        if match is None or not title:
            continue
        start_ms = _milliseconds(match["time"])
        if bool(found) is (start_ms == 0):
            if found:
                break
            continue
        found.append(Chapter(start_ms, title))
    return found


def _milliseconds(time: str) -> int:
    seconds = 0
    for part in time.split(":"):
        seconds = seconds * 60 + int(part)
    return seconds * 1000
