"""Many sockets that say nothing, and some who ask: what the idle ones cost the others."""

import asyncio
import json
import random
import resource
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import websockets

from bench.programs import Served, app, memory_mb, model_service
from bench.report import Row, p95_ms
from tests.make import conversation, until_ready
from tests.people import PASSWORD, SECRET, cookie_header, log_in

FIRST_TOKEN_MS, TOKEN_MS = 400.0, 15.0
IDLE, ASKING = 1_000, 50
PEOPLE = 10
"""Who hold the sockets; one person may not have them all."""
READS_S = (5.0, 15.0)
"""How long somebody reads an answer before they ask again."""
ALONE = 12
LOGINS = 8
OPENED_AT_ONCE = 20
OPEN_FILES = 8_192
QUESTIONS = (
    "When was the first great lens lit at Cordouan?",
    "Why did metal mirrors not work well?",
    "How far away did fishermen see the light?",
    "Why was the lens set afloat in mercury?",
)


@dataclass
class Person:
    http: httpx.AsyncClient
    talk: str

    @property
    def socket(self) -> Any:
        """A new one, still to be entered; it answers pings as a browser does."""
        address = str(self.http.base_url).replace("http", "ws", 1).rstrip("/")
        return websockets.connect(
            f"{address}/api/chat/{self.talk}",
            additional_headers=cookie_header(self.http),
            open_timeout=60,
            compression=None,
        )


@dataclass
class Answers:
    first_token_s: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)


async def run(seconds: float = 600) -> list[Row]:
    _allow_open_files()
    with tempfile.TemporaryDirectory(prefix="talker-bench-") as folder:
        data_dir = Path(folder) / "data"
        settings = {"AUTH": "accounts", "SECRET_KEY": SECRET, "LOG_LEVEL": "ERROR"}
        async with (
            model_service(FIRST_TOKEN_MS, TOKEN_MS) as url,
            app(
                data_dir, OPENROUTER_BASE_URL=url, CHAT_MODELS="m", ROUTER_MODEL="m", **settings
            ) as served,
            AsyncExitStack() as stack,
        ):
            people = [await _person(served, stack, number) for number in range(PEOPLE)]
            return [
                *await _few_and_many(served, people),
                *await _ten_minutes(served, people, data_dir, seconds),
            ]


def _allow_open_files() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if most == resource.RLIM_INFINITY else min(OPEN_FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


async def _person(served: Served, stack: AsyncExitStack, number: int) -> Person:
    """Somebody with an account, the sample talk and a conversation."""
    email = f"person{number}@example.org"
    http = await stack.enter_async_context(
        httpx.AsyncClient(base_url=served.http.base_url, timeout=120)
    )
    body = {"email": email, "password": PASSWORD}
    (await http.post("/api/auth/register", json=body)).raise_for_status()
    (await log_in(http, email)).raise_for_status()
    loaded = (await http.post("/api/videos/sample")).json()["items"][0]
    await until_ready(http, loaded["video_id"])
    return Person(http, await conversation(http))


async def _few_and_many(served: Served, people: Sequence[Person]) -> list[Row]:
    """Logging in and asking with none, 30 and 300 idle sockets."""
    section = "idle sockets: logging in and asking beside them"
    asker = people[0]
    await _alone(asker, 2)
    rows: list[Row] = []
    none: tuple[float, float] | None = None
    async with AsyncExitStack() as idle:
        opened = 0
        for count in (0, 30, 300):
            await _open(people, count - opened, idle)
            opened = count
            login = statistics.median([await _login(served) for _ in range(LOGINS)]) * 1000
            asked = await _alone(asker, ALONE)
            first = statistics.median(asked.first_token_s) * 1000
            if none is None:
                none = (login, first)
                continue
            against, goal = "no idle socket", "ratio at most 1.25"
            rows += [
                Row(section, f"logging in beside {count}", login, "ms", none[0], against, goal),
                Row(section, f"first token beside {count}", first, "ms", none[1], against, goal),
            ]
    return rows


async def _login(served: Served) -> float:
    async with httpx.AsyncClient(base_url=served.http.base_url, timeout=60) as http:
        began = time.perf_counter()
        (await log_in(http, "person0@example.org")).raise_for_status()
        return time.perf_counter() - began


async def _ten_minutes(
    served: Served, people: Sequence[Person], data_dir: Path, seconds: float
) -> list[Row]:
    section = f"{IDLE:,} idle sockets, {ASKING} that ask, {seconds:.0f} s"
    before = await _alone(people[0], ALONE)
    async with AsyncExitStack() as opened:
        sockets = await _open(people, IDLE, opened)
        answers, memory = Answers(), list[float]()
        until = time.monotonic() + seconds
        asking = [
            asyncio.create_task(_ask_until(people[number % PEOPLE], answers, until))
            for number in range(ASKING)
        ]
        await asyncio.sleep(seconds * 0.1)
        memory.append(memory_mb(data_dir, served.process))
        for _ in range(2):
            await asyncio.sleep(seconds * 0.43)
            memory.append(memory_mb(data_dir, served.process))
        await asyncio.gather(*asking)
        closed = sum(socket.close_code is not None for socket in sockets)
        after = await _alone(people[0], ALONE)
    alone = p95_ms(before.first_token_s + after.first_token_s)
    start, middle, end = memory
    errors = before.errors + answers.errors + after.errors
    for name, count in errors.items():
        sys.stdout.write(f"{count} times: {name}\n")
    return [
        Row(section, "answers", len(answers.first_token_s)),
        Row(section, "errors", errors.total(), goal="0"),
        Row(section, "idle sockets that were closed", closed, goal="0"),
        Row(
            section,
            "first token, p95",
            p95_ms(answers.first_token_s),
            "ms",
            alone,
            "p95 of one who asks alone, before and after",
            "ratio at most 2.5",
        ),
        Row(section, "memory after a tenth of the time", start, "MB"),
        Row(section, "memory in the middle", middle, "MB", start, "the first"),
        Row(section, "memory at the end", end, "MB", start, "the first", "ratio at most 1.1"),
        Row(section, "load average of the machine at the end", psutil.getloadavg()[0]),
    ]


async def _open(people: Sequence[Person], count: int, stack: AsyncExitStack) -> list[Any]:
    sockets: list[Any] = []
    while len(sockets) < count:
        some = min(OPENED_AT_ONCE, count - len(sockets))
        batch = [people[(len(sockets) + number) % len(people)].socket for number in range(some)]
        sockets += await asyncio.gather(*(stack.enter_async_context(one) for one in batch))
    return sockets


async def _alone(person: Person, times: int) -> Answers:
    answers = Answers()
    for _ in range(times):
        await _ask(person, answers)
    return answers


async def _ask_until(person: Person, answers: Answers, until: float) -> None:
    """Ask, read, and ask again."""
    chance = random.Random(id(person))
    await asyncio.sleep(chance.uniform(0, READS_S[1]))
    while time.monotonic() < until:
        await _ask(person, answers)
        await asyncio.sleep(chance.uniform(*READS_S))


async def _ask(person: Person, answers: Answers) -> None:
    """A question in a conversation of its own, on a socket of its own."""
    try:
        talk = await conversation(person.http)
        async with Person(person.http, talk).socket as socket:
            began = time.perf_counter()
            ask = {"type": "ask", "content": random.choice(QUESTIONS)}
            await socket.send(json.dumps(ask))
            first: float | None = None
            async with asyncio.timeout(120):
                while True:
                    event = json.loads(await socket.recv())
                    if event["type"] == "token" and first is None:
                        first = time.perf_counter() - began
                    if event["type"] == "error":
                        answers.errors[event["error"]] += 1
                    if event["type"] == "done" or event["run_id"] is None:
                        break
    except (OSError, AssertionError, httpx.HTTPError, websockets.WebSocketException) as error:
        answers.errors[f"{type(error).__name__}: {error}"[:200]] += 1
        return
    if first is not None:
        answers.first_token_s.append(first)
