"""Adds up JUnit reports: a line for each, then one for all. Exits with 1 where tests failed."""

import sys
from pathlib import Path
from xml.etree import ElementTree as ET


def counts(report: Path) -> tuple[int, int, int]:
    """Passed, failed and skipped tests of one report."""
    cases = list(ET.parse(report).iter("testcase"))  # noqa: S314 - written by our own runners
    failed = sum(1 for case in cases if {"failure", "error"} & {part.tag for part in case})
    skipped = sum(1 for case in cases if case.find("skipped") is not None)
    return len(cases) - failed - skipped, failed, skipped


def main() -> None:
    total = [0, 0, 0]
    for name in sys.argv[1:]:
        found = counts(Path(name))
        total = [before + more for before, more in zip(total, found, strict=True)]
        sys.stdout.write(f"{Path(name).stem}: {found[0]} passed, {found[1]} failed\n")
    sys.stdout.write(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped\n")
    sys.exit(1 if total[1] or len(sys.argv) < 4 else 0)


if __name__ == "__main__":
    main()
