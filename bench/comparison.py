"""This run beside the one whose results are committed: what got worse, beyond noise.

Only what a goal gives a direction is judged, by its ratio where it has one: the machine of the
committed run was another one, or as busy in another way, and a ratio has both sides from one run.
"""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.report import Row

NOISE = 0.1
"""Share of a ratio or a time by which runs on one machine differ."""
SHARE_NOISE = 0.02
"""The same of what is a share of something, such as recall."""


@dataclass(frozen=True)
class Worse:
    row: Row
    before: float
    now: float

    def __str__(self) -> str:
        kind = "" if self.row.ratio is None else "ratio "
        return f"{self.row.section}, {self.row.measure}: {kind}{self.before:.3g} → {self.now:.3g}"


def read(file: Path) -> list[Row]:
    """The rows of a run that was kept; none where there is no file."""
    if not file.exists():
        return []
    kept = json.loads(file.read_text(encoding="utf-8"))["rows"]
    return [
        Row(**{key: value for key, value in row.items() if key in Row.__dataclass_fields__})
        for row in kept
    ]


def worse(rows: Sequence[Row], before: Sequence[Row]) -> list[Worse]:
    """What of the rows got worse than the same measure of an earlier run, by more than noise."""
    known = {(row.section, row.measure): row for row in before}
    found = []
    for row in rows:
        last = known.get((row.section, row.measure))
        if last is None or row.lower_is_better is None:
            continue
        then, now = last.judged, row.judged
        lost = (now - then) if row.lower_is_better else (then - now)
        if lost > _noise(row, then):
            found.append(Worse(row, then, now))
    return found


def median(runs: Sequence[Sequence[Row]]) -> list[Row]:
    """One run's rows of several runs of the same section: each measure's median, and that of what
    it is compared with."""
    found = []
    for row in runs[-1]:
        same = [one for run in runs for one in run if one.measure == row.measure]
        baselines = [one.baseline for one in same if one.baseline is not None]
        found.append(
            replace(
                row,
                ours=statistics.median(one.ours for one in same),
                baseline=statistics.median(baselines) if baselines else None,
            )
        )
    return found


def _noise(row: Row, then: float) -> float:
    is_share = row.ratio is None and not row.unit and 0 < then <= 1
    return SHARE_NOISE if is_share else abs(then) * NOISE
