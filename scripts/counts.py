"""Adds up JUnit reports: why each test failed, a line for each report, then one for all.

Exits with 1 where tests failed.
"""

import re
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

COLOURS = re.compile(r"\x1b?\[[0-9;]*m")
LINES_TOLD = 12


def main() -> None:
    total = [0, 0, 0]
    sums = []
    for name in sys.argv[1:]:
        report = ET.parse(name)  # noqa: S314 - written by our own runners
        cases = list(report.iter("testcase"))
        failed = [case for case in cases if reason(case) is not None]
        skipped = sum(1 for case in cases if case.find("skipped") is not None)
        for case in failed:
            sys.stdout.write(f"failed: {case.get('classname')} › {case.get('name')}\n")
            sys.stdout.write(f"{reason(case)}\n")
        found = (len(cases) - len(failed) - skipped, len(failed), skipped)
        total = [before + more for before, more in zip(total, found, strict=True)]
        sums.append(f"{Path(name).stem}: {found[0]} passed, {found[1]} failed\n")
    sys.stdout.writelines(sums)
    sys.stdout.write(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped\n")
    sys.exit(1 if total[1] or len(sys.argv) < 4 else 0)


def reason(case: ET.Element) -> str | None:
    """What a failed test says of itself, its first lines; None for one that passed."""
    told = [part for part in case if part.tag in {"failure", "error"}]
    if not told:
        return None
    text = "\n".join(f"{part.get('message') or ''}\n{part.text or ''}" for part in told)
    lines = [line for line in COLOURS.sub("", text).splitlines() if line.strip()]
    return "\n".join(f"    {line}" for line in lines[:LINES_TOLD])


if __name__ == "__main__":
    main()
