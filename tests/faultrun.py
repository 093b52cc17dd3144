"""A while of random faults under steady asking and loading, and what is true afterwards."""

import asyncio
import random
import re
import socket
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from talker.embedded.place import Place
from tests import make
from tests.batches import differences, talks
from tests.plugs import (
    Asked,
    Asker,
    Plugs,
    Supervised,
    left_running,
    load_steadily,
    until_quiet,
    until_ready,
)
from tests.programs import Onlooker, outside
from tests.relay import relay_to
from tests.supadata_server import SupadataVideo

QUIET_S = 420.0
"""How long all that was begun may take to end once the faults are over: a job that met an outage
again and again waits for five minutes."""
CONNECTIONS = 80
"""Of Postgres, at most, for an app and a worker: their pools and what listens."""


@dataclass
class FaultRun:
    """What was done, and what should be nothing."""

    pulled: Mapping[str, int] = field(default_factory=dict)
    asked: Asked = field(default_factory=Asked)
    accepted: list[str] = field(default_factory=list)
    videos: int = 0
    starts: Mapping[str, int] = field(default_factory=dict)
    lost_messages: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    not_ready: list[str] = field(default_factory=list)
    unfinished: Mapping[str, int] = field(default_factory=dict)
    wedged: list[str] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)
    bugs: Counter[str] = field(default_factory=Counter)
    ended_by_itself: Mapping[str, Mapping[int, int]] = field(default_factory=dict)


async def run_faults(folder: Path, seconds: float, *, seed: int, askers: int = 5) -> FaultRun:
    data_dir, run, chance = folder / "data", FaultRun(), random.Random(seed)
    stock = talks(2_000)
    async with outside(supadata_ms=100) as services:
        await services.supadata.stock(stock, plan_has_batches=False)
        models_port, port = int(services.models_url.split(":")[2].split("/")[0]), _free_port()
        async with relay_to(models_port) as models, relay_to(port) as sockets:
            env = {
                **services.settings(data_dir),
                "PORT": str(port),
                "LOG_LEVEL": "WARNING",
                "OPENROUTER_BASE_URL": services.models_url.replace(
                    str(models_port), str(models.port)
                ),
                "CHAT_MODELS": "test/first,test/second",
                "ROUTER_MODEL": "test/router",
                "MODEL_TIMEOUT_S": "10",
                "MODEL_STALL_S": "10",
            }
            app = Supervised("serve", env, folder / "app.log")
            worker = Supervised("worker", env, folder / "worker.log")
            keeping = [asyncio.create_task(one.keep()) for one in (app, worker)]
            try:
                plugs = Plugs(app, worker, data_dir, models, sockets, chance)
                await _with_faults(run, plugs, port, stock, seconds, askers)
                await _judge(run, data_dir, stock, f"http://127.0.0.1:{port}")
            finally:
                for task in keeping:
                    task.cancel()
                await asyncio.gather(*keeping, return_exceptions=True)
        run.ended_by_itself = {one.name: dict(one.ended_by_itself) for one in (app, worker)}
        run.starts = {one.name: one.starts for one in (app, worker)}
        await _look_for_leftovers(run, data_dir)
        run.bugs = bugs_in(folder / "app.log", folder / "worker.log")
    return run


async def _with_faults(
    run: FaultRun,
    plugs: Plugs,
    port: int,
    stock: Mapping[str, SupadataVideo],
    seconds: float,
    askers: int,
) -> None:
    direct, through = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{plugs.sockets.port}"
    await until_ready(direct)
    async with httpx.AsyncClient(base_url=direct, timeout=60) as http:
        await make.upload(http, make.captions(make.OCEAN))
    asking = [
        asyncio.create_task(Asker(through, plugs.chance, run.asked).go_on()) for _ in range(askers)
    ]
    loading = asyncio.create_task(load_steadily(direct, list(stock), every_s=1.0))
    await plugs.pull(seconds)
    for task in (*asking, loading):
        task.cancel()
    ended = await asyncio.gather(*asking, return_exceptions=True)
    run.wedged += [repr(one) for one in ended if not isinstance(one, asyncio.CancelledError)]
    run.accepted = await loading
    run.pulled = dict(plugs.pulled)


async def _judge(
    run: FaultRun, data_dir: Path, stock: Mapping[str, SupadataVideo], url: str
) -> None:
    onlooker = Onlooker(data_dir)
    try:
        await until_ready(url)
    except TimeoutError:
        run.wedged.append("the app does not become ready again")
        return
    run.unfinished = await until_quiet(onlooker, QUIET_S)
    await _check_messages(run, onlooker)
    await _check_videos(run, onlooker, stock)
    await _check_connections(run, onlooker)
    async with httpx.AsyncClient(base_url=url, timeout=60) as http:
        events = await make.ask(http, await make.conversation(http), "How deep was the dive?")
        if not any(event["type"] == "message" for event in events):
            run.wedged.append(f"a last question is not answered: {events[-2:]}")


async def _check_messages(run: FaultRun, onlooker: Onlooker) -> None:
    rows = await onlooker.rows("SELECT id::text, run_id::text, role, status, content FROM messages")
    stored = {row[0]: row for row in rows}
    for id_, event in run.asked.messages.items():
        row = stored.get(id_)
        if row is None or row[3] not in ("complete", "stopped") or row[4] != event["content"]:
            run.lost_messages.append(f"{id_}: {row and row[3]}")
    ended = {row[1] for row in rows if row[2] == "assistant" and row[3] != "running"}
    run.unanswered = [run_id for run_id in run.asked.runs if run_id not in ended]


async def _check_videos(
    run: FaultRun, onlooker: Onlooker, stock: Mapping[str, SupadataVideo]
) -> None:
    rows = await onlooker.rows("SELECT youtube_id, status FROM videos WHERE youtube_id IS NOT NULL")
    status = dict(rows)
    run.videos = len(run.accepted)
    run.wrong += [f"{name} was accepted and is gone" for name in run.accepted if name not in status]
    run.not_ready = [f"{name} is {is_}" for name, is_ in status.items() if is_ != "ready"]
    ready = {name: stock[name] for name, is_ in status.items() if is_ == "ready"}
    run.wrong += await differences(onlooker, ready)


async def _check_connections(run: FaultRun, onlooker: Onlooker) -> None:
    [[count, in_transaction]] = await onlooker.rows(
        "SELECT count(*), count(*) FILTER (WHERE state LIKE 'idle in transaction%'"
        " AND state_change < now() - interval '5 seconds')"
        " FROM pg_stat_activity WHERE backend_type = 'client backend'"
    )
    if count > CONNECTIONS:
        run.leaked.append(f"{count} connections to Postgres")
    if in_transaction:
        run.leaked.append(f"{in_transaction} idle in a transaction")
    [[locks]] = await onlooker.rows("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
    if locks:
        run.leaked.append(f"{locks} advisory locks")


async def _look_for_leftovers(run: FaultRun, data_dir: Path) -> None:
    """After all programs have ended nothing of a DATA_DIR may run or be locked."""
    with suppress(TimeoutError):
        async with asyncio.timeout(30):
            while left_running(data_dir):
                await asyncio.sleep(0.5)
    run.leaked += [f"still runs: {command[:80]}" for command in left_running(data_dir)]
    for name in ("postgres", "qdrant"):
        if Place(data_dir / name).is_served():
            run.leaked.append(f"the lock of the embedded {name}")


def bugs_in(*logs: Path) -> Counter[str]:
    """What was logged with a traceback, but for the queue's library, which tells of every outage
    so: each record without its time."""
    found: Counter[str] = Counter()
    for log in logs:
        records = re.split(r"^(?=\d{4}-\d\d-\d\d |\{)", log.read_text(errors="replace"), flags=re.M)
        for record in records:
            if "Traceback" in record and "procrastinate" not in record.partition("\n")[0]:
                found[record[24:].strip()] += 1
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
