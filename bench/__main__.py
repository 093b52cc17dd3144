"""`make bench`: every measurement, as tables and as bench/results.json.

What got worse than in that file is named, and then it holds this run. Names of sections as
arguments run these alone, and leave the file as it is. With `--long` these
are the large loads and fault runs of `make bench-long`, kept in bench/results-long.json; `--count`
sets how many videos each of them has, `--seconds` how long those last that take a time.
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from bench import (
    answers,
    browser,
    cleaning,
    faults,
    hostile,
    idle,
    large_history,
    large_library,
    loading,
    memory,
    outages,
    retrieval,
    routing,
    speed,
    starting,
    vectors,
)
from bench.comparison import median, read, worse
from bench.report import Row, save, show

Section = Callable[..., Awaitable[list[Row]]]
"""May take how many videos (or turns) it is about."""

RESULTS = Path(__file__).parent / "results.json"
LONG_RESULTS = Path(__file__).parent / "results-long.json"
SECTIONS: Mapping[str, Section] = {
    "starting": starting.run,
    "retrieval": retrieval.run,
    "routing": routing.run,
    "cleaning": cleaning.run,
    "answers": answers.run,
    "memory": memory.run,
    "loading": loading.run,
    "remote": partial(speed.remote, 100, plans=(False,)),
    "known": speed.known,
    "browser": browser.run,
}
LONG: Mapping[str, Section] = {
    "thousand": speed.thousand,
    "remote": speed.remote,
    "known": speed.known,
    "person": speed.person,
    "channel": faults.channel,
    "killed": faults.killed,
    "busy": faults.busy,
    "three": faults.three,
    "idle": idle.run,
    "outages": outages.run,
    "requests": hostile.requests,
    "frames": hostile.frames,
    "library": large_library.run,
    "vectors": vectors.run,
    "history": large_history.run,
}
LASTING = ("idle", "outages")
"""Of the long ones those that take a time, not a number of videos."""


async def measure(
    sections: Mapping[str, Section], before: Sequence[Row], console: Console
) -> list[Row]:
    """Run the sections. One in which something is worse than `before` runs twice more, and its
    medians count: what is worse then as well is named at the end."""
    rows: list[Row] = []
    for name, run in sections.items():
        began = time.perf_counter()
        found = await run()
        if worse(found, before):
            console.print(f"[dim]{name} is worse than the last time, and runs twice more[/dim]")
            found = median([found, await run(), await run()])
        show(found, console)
        console.print(f"[dim]{name} took {time.perf_counter() - began:.0f} s[/dim]\n")
        rows += found
    for one in worse(rows, before):
        console.print(f"[red]worse:[/red] {one}")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*")
    parser.add_argument("--long", action="store_true", help="large loads and faults")
    parser.add_argument("--count", type=int, help="videos in each load, with --long")
    parser.add_argument("--seconds", type=float, help="how long idle and outages last")
    options = parser.parse_args()
    known = LONG if options.long else SECTIONS
    if unknown := set(options.sections) - set(known):
        parser.error(f"no section {', '.join(unknown)}; there are {', '.join(known)}")
    chosen = {name: known[name] for name in options.sections or known}
    if options.long and options.count:
        chosen = {
            name: run if name in LASTING else partial(run, options.count)
            for name, run in chosen.items()
        }
    if options.seconds:
        chosen = {
            name: partial(run, options.seconds) if name in LASTING else run
            for name, run in chosen.items()
        }
    file = LONG_RESULTS if options.long else RESULTS
    alike = not (options.count or options.seconds)
    rows = asyncio.run(measure(chosen, read(file) if alike else [], Console()))
    if alike and not options.sections:
        save(rows, file)


if __name__ == "__main__":
    main()
