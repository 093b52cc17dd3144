"""A run of the benches beside the last one that was kept."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.comparison import median, read, worse
from bench.report import Row, save

RATIO = Row("answers", "first token", 480, "ms", 400, "the bare call", "ratio at most 1.15")
RATE = Row("answers", "tokens", 60, "", 62, "the bare stream", "ratio at least 0.95")
RECALL = Row("retrieval", "recall@5", 0.80, goal="at least 0.9")
ERRORS = Row("answers", "errors", 0, goal="0")
SIZE = Row("answers", "memory", 300, "MB")
ROWS = [RATIO, RATE, RECALL, ERRORS, SIZE]


def changed(row: Row, **values: float) -> list[Row]:
    return [replace(one, **values) if one is row else one for one in ROWS]  # type: ignore[arg-type]


def test_a_run_is_read_as_it_was_kept(tmp_path: Path) -> None:
    assert read(tmp_path / "none.json") == []
    save(ROWS, tmp_path / "results.json")
    assert read(tmp_path / "results.json") == ROWS


@pytest.mark.parametrize(
    ("row", "values", "said"),
    [
        (RATIO, {"ours": 560}, "answers, first token: ratio 1.2 → 1.4"),
        (RATE, {"ours": 50}, "answers, tokens: ratio 0.968 → 0.806"),
        (RECALL, {"ours": 0.77}, "retrieval, recall@5: 0.8 → 0.77"),
        (ERRORS, {"ours": 2}, "answers, errors: 0 → 2"),
    ],
)
def test_what_got_worse_beyond_noise_is_named(
    row: Row, values: dict[str, float], said: str
) -> None:
    assert [str(one) for one in worse(changed(row, **values), ROWS)] == [said]


@pytest.mark.parametrize(
    ("row", "values"),
    [
        (RATIO, {"ours": 500}),
        (RATIO, {"ours": 960, "baseline": 800}),
        (RATIO, {"ours": 420}),
        (RATE, {"ours": 70}),
        (RECALL, {"ours": 0.79}),
        (SIZE, {"ours": 900}),
    ],
)
def test_noise_a_slower_machine_and_what_has_no_goal_are_not_worse(
    row: Row, values: dict[str, float]
) -> None:
    assert worse(changed(row, **values), ROWS) == []


def test_of_several_runs_the_median_counts() -> None:
    runs = [changed(RATIO, ours=ours) for ours in (900, 480, 490)]
    assert median(runs)[0] == replace(RATIO, ours=490)
