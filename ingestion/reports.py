"""What a batch tells the person: bars on a terminal, lines or JSON lines otherwise."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from rich.console import Console
from rich.logging import RichHandler
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from ingestion.add import Added

TITLE_CHARS = 48


@dataclass(frozen=True, slots=True)
class JobState:
    """A job as the table has it; `status` is the job's, `failure` of a queued one passes."""

    job_id: str
    video_id: str
    title: str
    source: str
    status: str
    step: str | None
    progress: float
    failure: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Totals:
    ready: int
    failed: int
    left: int


class Report(Protocol):
    def added(self, added: Added) -> None:
        """One source's answer, before anything is loaded."""

    def job(self, before: JobState | None, job: JobState) -> None:
        """A job that changed."""

    def totals(self, totals: Totals) -> None:
        """The end, or what there is of it when the person stops waiting."""


class Lines:
    """One line an event."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def added(self, added: Added) -> None:
        if added.job_id is None:
            self._say(added.status, added.source, added.failure)

    def job(self, before: JobState | None, job: JobState) -> None:
        if before is not None and (before.status, before.failure) == (job.status, job.failure):
            return
        if job.status == "running":
            self._say("loading", job.title, None)
        elif job.status == "queued" and job.failure:
            self._say("waiting", job.title, job.failure)
        elif job.status in ("done", "failed", "cancelled"):
            self._say("ready" if job.status == "done" else job.status, job.title, job.failure)

    def totals(self, totals: Totals) -> None:
        left = f", {totals.left} left in the queue" if totals.left else ""
        self._console.print(f"{totals.ready} ready, {totals.failed} failed{left}")

    def _say(self, word: str, what: str, failure: dict[str, Any] | None) -> None:
        why = f": {failure['detail']} {failure['next_step']}" if failure else ""
        self._console.print(f"{word:<8}{what}{why}", markup=False, soft_wrap=True)


class JsonLines:
    """One JSON object an event, its kind in `event`: `added`, `job`, `totals`."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def added(self, added: Added) -> None:
        self._say("added", {name: getattr(added, name) for name in Added.__slots__})

    def job(self, before: JobState | None, job: JobState) -> None:  # noqa: ARG002 - every change is told
        self._say("job", {name: getattr(job, name) for name in JobState.__slots__})

    def totals(self, totals: Totals) -> None:
        self._say("totals", {name: getattr(totals, name) for name in Totals.__slots__})

    def _say(self, event: str, fields: dict[str, Any]) -> None:
        line = json.dumps({"event": event, **fields}, default=str, ensure_ascii=False)
        self._console.print(line, markup=False, soft_wrap=True)


class Bars(Lines):
    """A bar for each video that is being loaded, one for the whole, and lines above for the end."""

    def __init__(self, console: Console, progress: Progress) -> None:
        super().__init__(console)
        self._progress = progress
        self._whole = progress.add_task("all videos", total=0, step="")
        self._bars: dict[str, TaskID] = {}
        self._jobs: dict[str, float] = {}

    def added(self, added: Added) -> None:
        super().added(added)
        if added.job_id is not None:
            self._jobs.setdefault(str(added.job_id), 0.0)
            self._progress.update(self._whole, total=len(self._jobs))

    def job(self, before: JobState | None, job: JobState) -> None:
        if job.status != "running":
            super().job(before, job)
        over = job.status in ("done", "failed", "cancelled")
        self._jobs[job.job_id] = 1.0 if over else job.progress
        self._progress.update(self._whole, completed=sum(self._jobs.values()))
        if job.status == "running":
            bar = self._bars.get(job.job_id)
            if bar is None:
                bar = self._bars[job.job_id] = self._progress.add_task("", total=1.0, step="")
            title = job.title[:TITLE_CHARS]
            self._progress.update(
                bar, description=title, completed=job.progress, step=job.step or ""
            )
        elif job.job_id in self._bars:
            self._progress.remove_task(self._bars.pop(job.job_id))


@contextmanager
def open_report(*, as_json: bool) -> Iterator[Report]:
    """The report that suits where the output goes; log lines are kept out of its way."""
    console = Console(highlight=False)
    if as_json:
        yield JsonLines(console)
    elif not console.is_terminal:
        yield Lines(console)
    else:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}% {task.fields[step]}"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=console, transient=True) as progress, _logs_above(console):
            yield Bars(console, progress)


@contextmanager
def _logs_above(console: Console) -> Iterator[None]:
    """Log lines printed through the console that draws the bars, which moves them down."""
    root = logging.getLogger()
    others, root.handlers = root.handlers, [RichHandler(console=console, show_path=False)]
    try:
        yield
    finally:
        root.handlers = others
