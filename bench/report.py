"""A measurement, beside what it is compared with in the same run."""

import json
import operator
import platform
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

_GOAL = re.compile(r"(ratio )?(at most|at least|under|above)? ?(\d+(?:\.\d+)?)")
_REACHES = {
    "at most": operator.le,
    "at least": operator.ge,
    "under": operator.lt,
    "above": operator.gt,
    None: operator.eq,
}


@dataclass(frozen=True)
class Row:
    """`goal` is what `ours` (or, where it starts with "ratio", `ours / baseline`) should reach:
    "at most", "at least", "under" or "above" a number, or the number itself."""

    section: str
    measure: str
    ours: float
    unit: str = ""
    baseline: float | None = None
    against: str = ""
    goal: str = ""

    @property
    def ratio(self) -> float | None:
        return self.ours / self.baseline if self.baseline else None

    @property
    def judged(self) -> float:
        """What the goal is about: the ratio, or our own value."""
        return self.ratio if self.ratio is not None and self.goal.startswith("ratio") else self.ours

    @property
    def lower_is_better(self) -> bool | None:
        """None without a goal."""
        goal = _GOAL.match(self.goal) if self.goal else None
        return None if goal is None else goal[2] not in ("at least", "above")

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None without one."""
        if not self.goal:
            return None
        goal = _GOAL.match(self.goal)
        assert goal is not None, self.goal
        if goal[1] and self.ratio is None:
            return False
        return bool(_REACHES[goal[2]](self.judged, float(goal[3])))


def beside(rows: Sequence[Row], first: Sequence[Row]) -> list[Row]:
    """A section's rows, each compared with the same measure of another section."""
    return [
        Row(row.section, row.measure, row.ours, row.unit, before.ours, before.section)
        for row, before in zip(rows, first, strict=True)
    ]


def p95_ms(seconds: Sequence[float]) -> float:
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))] * 1000


def show(rows: Sequence[Row], console: Console) -> None:
    for section in dict.fromkeys(row.section for row in rows):
        table = Table(title=section, title_justify="left", title_style="bold")
        for heading in ("measure", "ours", "compared with", "", "ratio", "goal", "reached"):
            table.add_column(
                heading, justify="right" if heading in ("ours", "", "ratio") else "left"
            )
        for row in rows:
            if row.section == section:
                table.add_row(
                    row.measure,
                    _number(row.ours, row.unit),
                    row.against,
                    "" if row.baseline is None else _number(row.baseline, row.unit),
                    "" if row.ratio is None else f"{row.ratio:.2f}",
                    row.goal,
                    "" if row.met is None else "met" if row.met else "[red]missed[/red]",
                )
        console.print(table)


def save(rows: Sequence[Row], file: Path) -> None:
    results = {
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "rows": [{**asdict(row), "ratio": row.ratio, "met": row.met} for row in rows],
    }
    file.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _number(value: float, unit: str) -> str:
    text = f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{text} {unit}".strip()
