"""Times that a message names: a stretch of a video, a period of the calendar, the newest few."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from agent.plain import bare
from agent.state import Span
from agent.wording import Match, Wording, caught, fold, search, wordings

EDGE_SHARE = 0.1
MIN_EDGE_MS = 60_000
"""What "at the end" means: a tenth of a video, a minute at least."""

AROUND_MS = (15_000, 60_000)
"""What is meant around a time that is named alone."""

MAX_NEWEST = 50

_UNITS_MS = {"seconds": 1_000, "minutes": 60_000, "hours": 3_600_000}
_DAYS = {"days": 1, "weeks": 7, "months": 31, "years": 366}
_YEAR = re.compile(r"(?<![\d:.])(?:19|20)\d\d(?![\d:])")


@dataclass(frozen=True)
class NamedSpan:
    """As it was said; `from_end` counts both ends back from the video's end."""

    start_ms: int
    end_ms: int | None
    from_end: bool = False
    edge: Literal["start", "end"] | None = None

    def within(self, duration_ms: int | None) -> Span | None:
        """The stretch of a video of that length; null where its length must be known and is not."""
        if self.edge or self.from_end:
            if duration_ms is None:
                return None
            edge_ms = max(MIN_EDGE_MS, round(duration_ms * EDGE_SHARE))
            if self.edge == "start":
                return Span(start_ms=0, end_ms=edge_ms)
            back_ms = edge_ms if self.edge else self.start_ms
            return Span(start_ms=max(0, duration_ms - back_ms), end_ms=None)
        return Span(start_ms=self.start_ms, end_ms=self.end_ms)


def span_in(text: str) -> NamedSpan | None:
    """The stretch of a video that a message names, in any language: the clearest form first."""
    folded = bare(fold(text))
    for form in (_between, _counted, _from_clock):
        for one in wordings():
            if span := form(one, folded):
                return span
    if search("span_start", folded):
        return NamedSpan(0, None, edge="start")
    return NamedSpan(0, None, edge="end") if search("span_end", folded) else None


def _between(wording: Wording, folded: str) -> NamedSpan | None:
    """Two times: "between 5:00 and 10:00"."""
    found = wording.search("span_between", folded)
    if found is None or not _is_time(wording, found, folded):
        return None
    start_ms, end_ms = _ms(found["from"]), _ms(found["to"])
    return NamedSpan(start_ms, end_ms) if start_ms < end_ms else None


def _counted(wording: Wording, folded: str) -> NamedSpan | None:
    """So many minutes of one end: "the first ten minutes"."""
    if found := _of_a_video(wording, wording.search("span_first", folded), folded):
        return NamedSpan(0, _length_ms(wording, found))
    if found := _of_a_video(wording, wording.search("span_last", folded), folded):
        return NamedSpan(_length_ms(wording, found), None, from_end=True)
    return None


def _from_clock(wording: Wording, folded: str) -> NamedSpan | None:
    """One time: "after 1:02:30", "before 5:00", "at minute 7"."""
    for rule in ("span_after", "span_before", "span_at"):
        found = wording.search(rule, folded)
        if found is None or not _is_time(wording, found, folded):
            continue
        at_ms = _ms(caught(found, "from") or caught(found, "to") or "0")
        return {
            "span_after": NamedSpan(at_ms, None),
            "span_before": NamedSpan(0, at_ms),
            "span_at": NamedSpan(max(0, at_ms - AROUND_MS[0]), at_ms + AROUND_MS[1]),
        }[rule]
    return None


def _is_time(wording: Wording, found: Match, text: str) -> bool:
    """Whether what was caught is a time of a video: a clock's, or a number beside "minute"."""
    groups = found.groupdict()
    named = [value for name in ("from", "to") if (value := groups.get(name))]
    if all(":" in value for value in named):
        return bool(named)
    around = text[found.start() : found.end() + 12]
    return wording.search("minute", around) is not None and wording.search("ago", around) is None


def _of_a_video(wording: Wording, found: Match | None, text: str) -> Match | None:
    """A match unless it is of something else than a video: "the first ten minutes of baking"."""
    if found is None:
        return None
    behind = text[found.end() :].split()
    if wording.code == "en" and behind[:1] == ["of"] and wording.search("video", text) is None:
        return None
    return found


def _length_ms(wording: Wording, found: Match) -> int:
    groups = found.groupdict()
    unit = next((name for name in _UNITS_MS if groups.get(name)), "minutes")
    return _number(wording, caught(found, "n")) * _UNITS_MS[unit]


def _number(wording: Wording, text: str | None) -> int:
    if text is None:
        return 1
    if text.isdecimal():
        return int(text)
    return next((n for n, one in wording.numbers.items() if one.fullmatch(text)), 1)


def _ms(clock: str) -> int:
    """`1:02:30`, `5:00` or whole minutes."""
    if ":" not in clock:
        return int(clock) * 60_000
    seconds = 0
    for part in clock.split(":"):
        seconds = seconds * 60 + int(part)
    return seconds * 1000


@dataclass(frozen=True)
class Period:
    """Instants in UTC from `start_at` to before `end_at`, of adding or of publishing."""

    start_at: datetime
    end_at: datetime
    of: Literal["added", "published"]


def period_in(text: str, now_at: datetime) -> Period | None:
    """The period that a message names for videos: "from 2023", "added last week"."""
    folded = bare(fold(text))
    of: Literal["added", "published"] = "added" if search("added", folded) else "published"
    for one in wordings():
        for name, pattern in one.dates.items():
            if found := pattern.search(folded):
                start_at, end_at = _period(one, name, found, now_at)
                return Period(start_at, end_at, of)
    if year := _YEAR.search(folded):
        month = _month(folded)
        start_at = datetime(int(year[0]), month or 1, 1, tzinfo=UTC)
        return Period(start_at, _after_month(start_at) if month else _new_year(start_at), of)
    return None


def _month(folded: str) -> int | None:
    return next(
        (n for one in wordings() for n, month in enumerate(one.months, 1) if month.search(folded)),
        None,
    )


def _period(
    wording: Wording, name: str, found: Match, now_at: datetime
) -> tuple[datetime, datetime]:
    today = now_at.replace(hour=0, minute=0, second=0, microsecond=0)
    tomorrow, week = today + timedelta(1), today - timedelta(today.weekday())
    month, year = today.replace(day=1), today.replace(day=1, month=1)
    last_month = (month - timedelta(1)).replace(day=1)
    if name == "last_n":
        groups = found.groupdict()
        unit = next((one for one in _DAYS if groups.get(one)), "days")
        days = _number(wording, caught(found, "n")) * _DAYS[unit]
        return today - timedelta(days), tomorrow
    return {
        "today": (today, tomorrow),
        "yesterday": (today - timedelta(1), today),
        "this_week": (week, tomorrow),
        "last_week": (week - timedelta(7), week),
        "this_month": (month, tomorrow),
        "last_month": (last_month, month),
        "this_year": (year, tomorrow),
        "last_year": (year.replace(year=year.year - 1), year),
    }[name]


def _after_month(first: datetime) -> datetime:
    return (first + timedelta(31)).replace(day=1)


def _new_year(first: datetime) -> datetime:
    return first.replace(year=first.year + 1)


def newest_in(text: str) -> int | None:
    """How many of the newest videos a message names: "my last three videos", "the latest one"."""
    folded = bare(fold(text))
    for one in wordings():
        if found := one.search("newest", folded):
            return min(_number(one, caught(found, "n")), MAX_NEWEST)
    return None
