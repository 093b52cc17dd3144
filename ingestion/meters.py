"""How far a long command is: a bar on a terminal, lines or JSON lines otherwise."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

LINE_EVERY_S = 5.0
JSON_EVERY_S = 0.5


class Meter(Protocol):
    def at(self, done: int, of: int) -> None:
        """So many videos are done."""

    def tell(self, word: str, what: str, detail: str | None = None) -> None:
        """Something a person should know: `failed`, and of what file, and why."""

    def end(self, sentence: str, **counts: int) -> None:
        """The end: for a person a sentence, for a program the counts."""


class _NowAndThen:
    """Whether it is time for another line: not more often than `every_s`, but for the last."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._last = time.monotonic()

    def __call__(self, done: int, of: int) -> bool:
        if done < of and time.monotonic() - self._last < self._every_s:
            return False
        self._last = time.monotonic()
        return True


class Lines:
    """A line every few seconds."""

    def __init__(self, console: Console, verb: str) -> None:
        self._console = console
        self._verb = verb
        self._due = _NowAndThen(LINE_EVERY_S)

    def at(self, done: int, of: int) -> None:
        if self._due(done, of):
            self._print(f"{self._verb} {done} of {of} videos")

    def tell(self, word: str, what: str, detail: str | None = None) -> None:
        self._print(f"{word:<8}{what}{f': {detail}' if detail else ''}")

    def end(self, sentence: str, **counts: int) -> None:  # noqa: ARG002 - the sentence has them
        self._print(sentence)

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, soft_wrap=True)


class JsonLines:
    """One JSON object an event, its kind in `event`: `progress`, `told`, `totals`."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._due = _NowAndThen(JSON_EVERY_S)

    def at(self, done: int, of: int) -> None:
        if self._due(done, of):
            self._say("progress", done=done, of=of)

    def tell(self, word: str, what: str, detail: str | None = None) -> None:
        self._say("told", status=word, what=what, detail=detail)

    def end(self, sentence: str, **counts: int) -> None:  # noqa: ARG002 - the counts say it
        self._say("totals", **counts)

    def _say(self, event: str, **fields: str | int | None) -> None:
        line = json.dumps({"event": event, **fields}, ensure_ascii=False)
        self._console.print(line, markup=False, soft_wrap=True)


class Bar(Lines):
    """One bar, and above it the lines of what a person should know."""

    def __init__(self, console: Console, verb: str, progress: Progress) -> None:
        super().__init__(console, verb)
        self._progress = progress
        self._bar = progress.add_task(verb, total=None)

    def at(self, done: int, of: int) -> None:
        self._progress.update(self._bar, completed=done, total=of)


@contextmanager
def open_meter(verb: str, *, as_json: bool) -> Iterator[Meter]:
    """The meter that suits where the output goes; `verb` says what is done: `exported`."""
    console = Console(highlight=False)
    if as_json:
        yield JsonLines(console)
    elif not console.is_terminal:
        yield Lines(console, verb)
    else:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=console, transient=True) as progress:
            yield Bar(console, verb, progress)
