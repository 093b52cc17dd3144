"""Batches that fail in part, are killed, told to wait and shared: the runs of `tests/loads`."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.report import Row
from tests.loads import (
    HEALED_BY_TIME,
    ChannelRun,
    Ingested,
    load_busy,
    load_channel,
    load_killed,
    load_with_three,
)

OF_EACH = 20
"""One video in so many of a channel fails; in ten ways, each as often."""
KILLS = 10


async def channel(count: int = 1000) -> list[Row]:
    async with _folder() as data_dir:
        run = await load_channel(data_dir, count, of_each=max(1, count // (10 * OF_EACH)))
    failing = len(run.faulty)
    section = f"a channel of {count} short videos, {failing} of which fail in ten ways"
    return [
        *_rows(section, "first run", run.first, count - failing, failing),
        Row(section, "first run, reasons", len(run.first.reasons), goal="10"),
        *_rows(section, "second run", run.again, count - failing, failing),
        Row(section, "retry --failed, videos asked for", len(run.retried.asked), goal=_healed(run)),
        Row(section, "retry --failed, credits", run.retried.credits),
        Row(section, "retry --failed", run.retried.seconds, "s"),
    ]


def _rows(section: str, name: str, run: Ingested, ready: int, failed: int) -> list[Row]:
    goal = "0" if name == "second run" else ""
    return [
        Row(section, f"{name}, exit code", run.code, goal="1"),
        Row(section, f"{name}, ready", run.ready, goal=str(ready)),
        Row(section, f"{name}, failed with a reason", run.failed, goal=str(failed)),
        Row(section, f"{name}, calls for transcripts", sum(run.asked.values()), goal=goal),
        Row(section, f"{name}, calls in all", run.calls),
        Row(section, f"{name}, credits", run.credits, goal=goal),
        Row(section, name, run.seconds, "s"),
    ]


def _healed(run: ChannelRun) -> str:
    return str(sum(reason in HEALED_BY_TIME for reason in run.faulty.values()))


async def killed(count: int = 200) -> list[Row]:
    kills = min(KILLS, count // 10)
    async with _folder() as data_dir:
        run = await load_killed(data_dir, count, kills, seed=count)
    section = f"a batch of {count} whose worker is killed {kills} times"
    most = f"at most {run.under_way}, one for each job under way at a kill"
    return [
        Row(section, "ready", run.ready, goal=str(count)),
        Row(section, "videos with a segment or chunk missing or twice", len(run.wrong), goal="0"),
        Row(section, "transcripts asked for again", run.more_transcripts, goal=most),
        Row(section, "metadata asked for again", run.more_metadata, goal=most),
        Row(section, "time", run.seconds, "s"),
    ]


async def busy(count: int = 300) -> list[Row]:
    async with _folder() as data_dir:
        run = await load_busy(data_dir, count, limit_s=10, retry_after_s=2)
    section = f"a batch of {count}, two workers; Supadata answers 429, Retry-After 2, for 10 s"
    return [
        Row(section, "ready", run.ready, goal=str(count)),
        Row(section, "videos with a segment or chunk missing or twice", len(run.wrong), goal="0"),
        Row(section, "calls refused", run.refused),
        Row(section, "pauses", run.pauses),
        Row(section, "calls within a pause", run.early, goal="0"),
        Row(section, "time", run.seconds, "s"),
    ]


async def three(count: int = 300) -> list[Row]:
    async with _folder() as data_dir:
        run = await load_with_three(data_dir, count)
    section = f"a batch of {count}; two workers and the app, each killed once"
    return [
        Row(section, "ready", run.ready, goal=str(count)),
        Row(section, "videos with a segment or chunk missing or twice", len(run.wrong), goal="0"),
        *(Row(section, f"jobs seen at {name}", jobs) for name, jobs in run.done.items()),
        *(
            Row(section, f"loaded while {name} was dead", videos, goal="above 0")
            for name, videos in run.went_on.items()
        ),
        Row(section, "time", run.seconds, "s"),
    ]


@asynccontextmanager
async def _folder() -> AsyncIterator[Path]:
    """A DATA_DIR of its own."""
    with tempfile.TemporaryDirectory(prefix="talker-bench-") as folder:
        yield Path(folder) / "data"
