"""`make bench`: every measurement, as tables and as bench/results.json.

Names of sections as arguments run these alone, and leave the file as it is.
"""

import argparse
import asyncio
import time
from pathlib import Path

from rich.console import Console

from bench import answers, loading, retrieval, starting
from bench.report import Row, save, show

RESULTS = Path(__file__).parent / "results.json"
SECTIONS = {
    "starting": starting.run,
    "retrieval": retrieval.run,
    "answers": answers.run,
    "loading": loading.run,
}


async def measure(names: list[str], console: Console) -> list[Row]:
    rows: list[Row] = []
    for name in names:
        began = time.perf_counter()
        found = await SECTIONS[name]()
        show(found, console)
        console.print(f"[dim]{name} took {time.perf_counter() - began:.0f} s[/dim]\n")
        rows += found
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS, []])
    chosen = parser.parse_args().sections
    rows = asyncio.run(measure(chosen or list(SECTIONS), Console()))
    if not chosen:
        save(rows, RESULTS)


if __name__ == "__main__":
    main()
