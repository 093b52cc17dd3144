"""`make bench`: every measurement, as tables and as bench/results.json.

Names of sections as arguments run these alone, and leave the file as it is. With `--long` these
are the large loads and fault runs of `make bench-long`, kept in bench/results-long.json; `--count`
sets how many videos each of them has.
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path

from rich.console import Console

from bench import (
    answers,
    cleaning,
    faults,
    hostile,
    loading,
    memory,
    retrieval,
    routing,
    speed,
    starting,
)
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
    "frames": hostile.frames,
}


async def measure(sections: Mapping[str, Section], console: Console) -> list[Row]:
    rows: list[Row] = []
    for name, run in sections.items():
        began = time.perf_counter()
        found = await run()
        show(found, console)
        console.print(f"[dim]{name} took {time.perf_counter() - began:.0f} s[/dim]\n")
        rows += found
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*")
    parser.add_argument("--long", action="store_true", help="large loads and faults")
    parser.add_argument("--count", type=int, help="videos in each load, with --long")
    options = parser.parse_args()
    known = LONG if options.long else SECTIONS
    if unknown := set(options.sections) - set(known):
        parser.error(f"no section {', '.join(unknown)}; there are {', '.join(known)}")
    chosen = {name: known[name] for name in options.sections or known}
    if options.long and options.count:
        chosen = {name: partial(run, options.count) for name, run in chosen.items()}
    rows = asyncio.run(measure(chosen, Console()))
    if not options.sections and not options.count:
        save(rows, LONG_RESULTS if options.long else RESULTS)


if __name__ == "__main__":
    main()
