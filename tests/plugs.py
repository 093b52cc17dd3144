"""Pulling plugs: programs under a supervisor, people who ask meanwhile, and random faults."""

import asyncio
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import websockets

from talker.embedded.place import Place
from tests.make import conversation
from tests.programs import BIN, READY_S, Onlooker
from tests.relay import Relay

RESTART_S = 1.0
ANSWER_S = 180.0
"""An answer that takes longer, its reader's coming back included, counts as stuck."""
LULL = 0.8
"""How often all is well again before the next fault; else it comes upon the one before."""
QUESTIONS = (
    "How deep was the deepest dive?",
    "What does the anglerfish carry on its head?",
    "What feeds whole communities for fifty years?",
    "What is the pressure at four thousand metres?",
)


class Supervised:
    """A program that is started again whenever it ends, as Docker does it."""

    def __init__(self, name: str, env: dict[str, str], log: Path) -> None:
        self.name = name
        self._env = env
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._expected = False
        self.starts = 0
        self.ended_by_itself: Counter[int] = Counter()

    @property
    def pid(self) -> int | None:
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if self._process is not None and running else None

    async def keep(self) -> None:
        """For ever; who cancels it gets the program stopped with SIGTERM."""
        try:
            while True:
                with self._log.open("ab") as log:
                    self._process = await asyncio.create_subprocess_exec(
                        BIN / self.name, env=self._env, stdout=log, stderr=log
                    )
                self.starts += 1
                code = await self._process.wait()
                if not self._expected:
                    self.ended_by_itself[code] += 1
                self._expected = False
                await asyncio.sleep(RESTART_S)
        finally:
            if self._process is not None and self._process.returncode is None:
                self._process.terminate()
                await self._process.wait()

    def send(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._expected = True
            self._process.send_signal(number)


@dataclass
class Asked:
    """What people were told: runs that were accepted, with their conversations, and every
    `message` event, by its id."""

    runs: dict[str, str] = field(default_factory=dict)
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    failed: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    reconnects: int = 0
    stuck: list[str] = field(default_factory=list)


class Asker:
    """A person who asks one question after another, and comes back when the socket is cut."""

    def __init__(self, url: str, chance: random.Random, asked: Asked) -> None:
        self._url = url
        self._chance = chance
        self._asked = asked

    async def go_on(self) -> None:
        while True:
            try:
                async with httpx.AsyncClient(base_url=self._url, timeout=30) as http:
                    talk = await conversation(http)
            except (httpx.HTTPError, AssertionError) as error:
                self._asked.refused[type(error).__name__] += 1
                await asyncio.sleep(1)
                continue
            for _ in range(3):
                if not await self._ask(talk):
                    break

    async def _ask(self, talk: str) -> bool:
        """One question to its end; false where it was not even heard."""
        events: list[dict[str, Any]] = []
        asking = {"type": "ask", "content": self._chance.choice(QUESTIONS)}
        try:
            async with asyncio.timeout(ANSWER_S):
                while not events or events[-1]["type"] != "done":
                    if events:
                        place = {"run_id": events[-1]["run_id"], "after": events[-1]["seq"]}
                        asking = {"type": "resume", **place}
                    with suppress(OSError, websockets.WebSocketException, TimeoutError):
                        if not await self._follow(talk, asking, events):
                            return False
                    if not events:
                        return False  # whether it was heard nobody can say
                    if events[-1]["type"] != "done":
                        self._asked.reconnects += 1
                        await asyncio.sleep(0.5)
        except TimeoutError:
            self._asked.stuck.append(json.dumps(events[-1:]))
            return False
        return True

    async def _follow(
        self, talk: str, asking: dict[str, Any], events: list[dict[str, Any]]
    ) -> bool:
        address = f"{self._url.replace('http', 'ws', 1)}/api/chat/{talk}"
        async with websockets.connect(address, open_timeout=10) as socket:
            await socket.send(json.dumps(asking))
            while True:
                event = json.loads(await socket.recv())
                if event["run_id"] is None:
                    self._asked.refused[event["error"]] += 1
                    if asking["type"] == "ask":
                        return False
                    await asyncio.sleep(1)  # the database is away: come back
                    return True
                events.append(event)
                self._note(talk, event)
                if event["type"] == "done":
                    return True

    def _note(self, talk: str, event: dict[str, Any]) -> None:
        self._asked.runs[event["run_id"]] = talk
        if event["type"] == "message":
            self._asked.messages[event["id"]] = event
        if event["type"] == "error":
            self._asked.failed[event["error"]] += 1


async def load_steadily(url: str, names: Sequence[str], every_s: float) -> list[str]:
    """Add the videos one by one until cancelled; those that were accepted."""
    accepted: list[str] = []
    try:
        for name in names:
            while name not in accepted:
                with suppress(httpx.HTTPError):
                    async with httpx.AsyncClient(base_url=url, timeout=30) as http:
                        answer = await http.post("/api/videos", json={"url": name})
                        if answer.status_code == 202:
                            accepted.append(name)
                await asyncio.sleep(every_s)
    except asyncio.CancelledError:
        pass
    return accepted


Fault = Callable[[], Awaitable[None]]


@dataclass
class Plugs:
    """What can be pulled: two programs, the embedded servers, the ways to model and app."""

    app: Supervised
    worker: Supervised
    data_dir: Path
    models: Relay
    sockets: Relay
    chance: random.Random
    pulled: Counter[str] = field(default_factory=Counter)

    async def pull(self, for_s: float) -> None:
        """Faults at random until the time is up."""
        until = time.monotonic() + for_s
        kinds: list[Fault] = [
            self.kill_app,
            self.kill_worker,
            self.kill_both,
            self.stop_app,
            self.restart_postgres,
            self.kill_postgres,
            self.kill_index,
            self.freeze_index,
            self.lose_model,
            self.hang_model,
            self.cut_sockets,
        ]
        while time.monotonic() < until:
            fault = self.chance.choice(kinds)
            self.pulled[fault.__name__.replace("_", " ")] += 1
            await fault()
            if self.chance.random() < LULL:
                with suppress(TimeoutError):
                    async with asyncio.timeout(until - time.monotonic()):
                        await until_ready(f"http://127.0.0.1:{self.sockets.target_port}")
            await asyncio.sleep(self.chance.uniform(2, 10))

    async def kill_app(self) -> None:
        self.app.send(signal.SIGKILL)

    async def kill_worker(self) -> None:
        self.worker.send(signal.SIGKILL)

    async def kill_both(self) -> None:
        self.app.send(signal.SIGKILL)
        self.worker.send(signal.SIGKILL)

    async def stop_app(self) -> None:
        self.app.send(signal.SIGTERM)

    async def restart_postgres(self) -> None:
        self._signal_postgres(signal.SIGINT)

    async def kill_postgres(self) -> None:
        self._signal_postgres(signal.SIGKILL)

    def _signal_postgres(self, number: signal.Signals) -> None:
        pid_file = self.data_dir / "postgres" / "data" / "postmaster.pid"
        with suppress(OSError, ValueError, IndexError):
            os.kill(int(pid_file.read_text().splitlines()[0]), number)

    async def kill_index(self) -> None:
        self._signal_index(signal.SIGKILL)

    async def freeze_index(self) -> None:
        self._signal_index(signal.SIGSTOP)
        await asyncio.sleep(self.chance.uniform(3, 14))
        self._signal_index(signal.SIGCONT)

    def _signal_index(self, number: signal.Signals) -> None:
        endpoint = Place(self.data_dir / "qdrant").endpoint()
        if endpoint is not None:
            with suppress(ProcessLookupError):
                os.kill(endpoint.pid, number)

    async def lose_model(self) -> None:
        self.models.sever()
        await asyncio.sleep(self.chance.uniform(2, 12))
        self.models.mend()

    async def hang_model(self) -> None:
        self.models.flowing.clear()
        await asyncio.sleep(self.chance.uniform(3, 15))
        self.models.flowing.set()

    async def cut_sockets(self) -> None:
        self.sockets.sever()
        self.sockets.mend()


def left_running(data_dir: Path) -> list[str]:
    """Processes that still use a DATA_DIR."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            command = " ".join(process.cmdline())
            if str(data_dir) in command:
                found.append(command)
    return found


async def until_ready(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=10) as http, asyncio.timeout(READY_S):
        while True:
            with suppress(httpx.HTTPError):
                if (await http.get("/api/health/ready")).status_code == 200:
                    return
            await asyncio.sleep(0.3)


UNFINISHED = {
    "runs": "status = 'running' OR owner IS NOT NULL",
    "messages": "status = 'running'",
    "ingestion_jobs": "status IN ('queued', 'running')",
    "procrastinate_jobs": "status = 'doing' AND task_name = 'load_video'",
}


async def until_quiet(onlooker: Onlooker, within_s: float) -> dict[str, int]:
    """Wait until nothing is under way; what still is when the time is up."""
    until = time.monotonic() + within_s
    while True:
        left = {
            table: count
            for table, where in UNFINISHED.items()
            if (count := await onlooker.count(table, where))
        }
        if not left or time.monotonic() > until:
            return left
        await asyncio.sleep(1)
