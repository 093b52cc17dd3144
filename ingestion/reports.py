"""What a batch tells the person: bars on a terminal, lines or JSON lines otherwise."""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from rich.console import Console
from rich.logging import RichHandler
from rich.progress import (
    BarColumn,
    Progress,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from ingestion.wishes import Added

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


def told(what: str, failure: Mapping[str, Any] | None) -> str:
    """A video with the reason why it failed and the next step."""
    return f"{what}: {failure['detail']} {failure['next_step']}" if failure else what


class Report(Protocol):
    def listing(self) -> None:
        """What is named is being looked up, which may take a moment for a list."""

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

    def listing(self) -> None:
        """Nothing: each list is told of once it is there."""

    def added(self, added: Added) -> None:
        if added.videos:
            known = sum(one.status == "ready" for one in added.videos)
            self._say(
                "listed", f"{added.title}: {len(added.videos)} videos, {known} of them known", None
            )
            for one in added.videos:
                if one.status == "failed":
                    self._say("failed", one.title or one.source, one.failure)
            if added.failure:
                self._say("left out", added.title or added.source, added.failure)
        elif added.status in ("ready", "failed"):
            self._say(added.status, added.title or added.source, added.failure)

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
        self._console.print(f"{word:<8}{told(what, failure)}", markup=False, soft_wrap=True)


class JsonLines:
    """One JSON object an event, its kind in `event`: `added`, `job`, `totals`."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def listing(self) -> None:
        self._say("listing", {})

    def added(self, added: Added) -> None:
        """A list is followed by those of its videos that are known, in the same form."""
        fields = {name: getattr(added, name) for name in Added.__slots__}
        self._say("added", {**fields, "videos": len(added.videos)})
        for one in added.videos:
            if one.status in ("ready", "failed"):
                self.added(one)

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
        self._whole = progress.add_task("all videos", total=0, step="", is_whole=True)
        self._bars: dict[str, TaskID] = {}
        self._jobs: dict[str, float] = {}
        self._over: set[str] = set()

    def listing(self) -> None:
        self._progress.update(self._whole, description="looking up the videos", total=None)

    def added(self, added: Added) -> None:
        super().added(added)
        for one in added.videos or (added,):
            if one.job_id is not None and one.status != "failed":
                self._jobs.setdefault(str(one.job_id), 0.0)
        self._progress.update(self._whole, description="all videos", total=len(self._jobs))

    def job(self, before: JobState | None, job: JobState) -> None:
        if job.status != "running":
            super().job(before, job)
        over = job.status in ("done", "failed", "cancelled")
        if over:
            self._over.add(job.job_id)
            count = f"{len(self._over)} of {len(self._jobs)} videos"
            self._progress.update(self._whole, description=count)
        done = 1.0 if over else job.progress
        self._progress.advance(self._whole, done - self._jobs.get(job.job_id, 0.0))
        self._jobs[job.job_id] = done
        if job.status == "running":
            bar = self._bars.get(job.job_id)
            if bar is None:
                bar = self._bars[job.job_id] = self._progress.add_task(
                    "", total=1.0, step="", is_whole=False
                )
            title = job.title[:TITLE_CHARS]
            self._progress.update(
                bar, description=title, completed=job.progress, step=job.step or ""
            )
        elif job.job_id in self._bars:
            self._progress.remove_task(self._bars.pop(job.job_id))


class _TimeLeft(TimeRemainingColumn):
    """Of all videos together: one video's share of a busy machine tells nothing."""

    def render(self, task: Task) -> Text:
        return super().render(task) if task.fields["is_whole"] else Text()


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
            _TimeLeft(),
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
