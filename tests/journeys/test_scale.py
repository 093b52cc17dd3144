"""Batches, on the programs as processes: failures with reasons, kills, limits, shared work.

The same at full size is `make bench-long`.
"""

from pathlib import Path

import pytest

from tests.loads import (
    APP,
    FAULTY,
    HEALED_BY_TIME,
    OTHER,
    STARTER,
    load_busy,
    load_channel,
    load_killed,
    load_with_three,
)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


async def test_of_a_channel_each_video_is_ready_or_says_why_not_and_nothing_is_fetched_twice(
    data_dir: Path,
) -> None:
    run = await load_channel(data_dir, 60, of_each=1)
    assert (run.first.code, run.first.ready, run.first.failed) == (1, 50, 10)
    assert run.first.reasons == dict.fromkeys(FAULTY, 1)
    assert (run.again.code, run.again.ready, run.again.failed) == (1, 50, 10)
    assert run.again.calls == 0
    asked = {run.faulty[name] for name in run.retried.asked}
    assert asked == HEALED_BY_TIME
    assert (run.retried.code, run.retried.failed) == (1, len(HEALED_BY_TIME))


async def test_a_worker_that_is_killed_again_and_again_loses_nothing_and_loads_nothing_twice(
    data_dir: Path,
) -> None:
    run = await load_killed(data_dir, 30, kills=3, seed=1)
    assert run.ready == 30
    assert run.wrong == []
    assert 0 <= run.more_transcripts <= run.under_way
    assert 0 <= run.more_metadata <= run.under_way


async def test_while_supadata_asks_for_a_pause_no_worker_calls_it_and_the_batch_ends_whole(
    data_dir: Path,
) -> None:
    run = await load_busy(data_dir, 60, limit_s=5, retry_after_s=2)
    assert run.ready == 60
    assert run.wrong == []
    assert run.pauses >= 2
    assert run.early < run.hands


async def test_workers_and_app_share_a_batch_and_go_on_when_any_of_them_is_killed(
    data_dir: Path,
) -> None:
    run = await load_with_three(data_dir, 60)
    assert run.ready == 60
    assert run.wrong == []
    assert set(run.done) == {STARTER, OTHER, APP}
    assert all(run.went_on.values())
