"""Fifteen minutes of random faults under steady asking and loading; see `tests/faultrun.py`."""

import random
import sys
import tempfile
from pathlib import Path

from bench.report import Row
from tests.faultrun import FaultRun, run_faults


async def run(seconds: float = 900, seed: int | None = None) -> list[Row]:
    seed = random.randrange(1_000_000) if seed is None else seed
    sys.stdout.write(f"outages: seed {seed}\n")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory(prefix="talker-bench-") as folder:
        found = await run_faults(Path(folder), seconds, seed=seed)
    _tell(found)
    return _rows(f"{seconds:.0f} s of random faults", found)


def _rows(section: str, run: FaultRun) -> list[Row]:
    nothing = {
        "messages that somebody saw and that are not stored so": run.lost_messages,
        "questions accepted without an answer or an honest failure": run.unanswered,
        "answers that were stuck for minutes": run.asked.stuck,
        "videos lost, half-loaded, or with a chunk missing or twice": run.wrong,
        "videos not ready in the end": run.not_ready,
        "things still under way in the end": run.unfinished,
        "programs wedged": run.wedged,
        "connections, locks and processes left": run.leaked,
        "tracebacks in the logs": list(run.bugs.elements()),
        "programs that ended by themselves": [
            code for codes in run.ended_by_itself.values() for code in codes
        ],
    }
    return [
        Row(section, "faults", sum(run.pulled.values())),
        Row(section, "questions accepted", len(run.asked.runs)),
        Row(section, "answers", len(run.asked.messages)),
        Row(section, "failures that were said", run.asked.failed.total()),
        Row(section, "questions that were not accepted", run.asked.refused.total()),
        Row(section, "readers that came back", run.asked.reconnects),
        Row(section, "videos", run.videos),
        *(Row(section, name, len(found), goal="0") for name, found in nothing.items()),
    ]


def _tell(run: FaultRun) -> None:
    """What the numbers are about, for who has to mend it."""
    told = {
        "faults": run.pulled,
        "failures": dict(run.asked.failed),
        "refused": dict(run.asked.refused),
        "starts": run.starts,
        "lost": run.lost_messages,
        "unanswered": run.unanswered,
        "stuck": run.asked.stuck,
        "wrong": run.wrong,
        "not ready": run.not_ready,
        "unfinished": run.unfinished,
        "wedged": run.wedged,
        "leaked": run.leaked,
        "ended by themselves": run.ended_by_itself,
    }
    for name, what in told.items():
        if what:
            sys.stdout.write(f"{name}: {what}\n")
    for record, times in run.bugs.items():
        sys.stdout.write(f"logged {times} times: {record}\n")
