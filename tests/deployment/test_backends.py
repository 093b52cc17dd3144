"""Backends that die, and backends that are replaced, while people ask through Caddy."""

import asyncio
import json
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import websockets

from talker.settings import Settings
from tests import make
from tests.api.test_runs import QUESTION, messages_of, send
from tests.conftest import running
from tests.deployment.caddy import caddy, free_port
from tests.model_server import ModelServer
from tests.programs import Programs, kill
from tests.servers import serving

WORD_S = 0.15
"""So slow that nearly always somebody is being answered."""
HELD_S = 180
"""How long Caddy holds a request here: as long as an app may take to start."""
ANSWERED_WITHIN_S = HELD_S + 20

Event = dict[str, Any]


def environment(settings: Settings, models: str, folder: Path, **values: str) -> dict[str, str]:
    """Programs on the test's own database, with a model."""
    assert settings.qdrant_api_key
    own = {
        "DATABASE_URL": settings.database_url,
        "QDRANT_URL": settings.qdrant_url,
        "QDRANT_API_KEY": settings.qdrant_api_key.get_secret_value(),
        "DATA_DIR": str(folder),
        "OPENROUTER_BASE_URL": f"{models}/v1",
        "CHAT_MODELS": "test/first",
        "LOG_LEVEL": "ERROR",
        "YOUTUBE_PROXY": "http://127.0.0.1:9",
    }
    return {**os.environ, **own, "PORT": "0", **values}


def chat_url(url: str, talk: str) -> str:
    return f"{url.replace('http', 'ws', 1)}/api/chat/{talk}"


@dataclass
class Load:
    """People who ask and programs that read and write, over and over until told to stop."""

    url: str
    only_reads: bool = False
    seen: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    slowest_s: float = 0
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        limits = httpx.Limits(max_keepalive_connections=20)
        async with (
            httpx.AsyncClient(base_url=self.url, timeout=HELD_S + 10, limits=limits) as http,
            asyncio.TaskGroup() as tasks,
        ):
            others = [] if self.only_reads else [self._write, self._chat, self._chat]
            for work in (self._read, self._read, *others):
                tasks.create_task(work(http))
            yield
            self._stop.set()

    async def comes(self, *kinds: str) -> None:
        """Return once there is one more of each, or something has failed."""
        before = self.seen.copy()
        async with asyncio.timeout(HELD_S):
            while not self.failed and any(self.seen[kind] <= before[kind] for kind in kinds):
                await asyncio.sleep(0.1)

    async def _read(self, http: httpx.AsyncClient) -> None:
        while not self._stop.is_set():
            await self._request(http, "GET", "/api/search", params={"q": "ocean", "limit": 3})
            await self._request(http, "GET", "/api/videos")
            await asyncio.sleep(0.1)

    async def _write(self, http: httpx.AsyncClient) -> None:
        while not self._stop.is_set():
            await self._request(http, "POST", "/api/conversations", json={"title": "One more"})
            await asyncio.sleep(0.1)

    async def _request(self, http: httpx.AsyncClient, method: str, path: str, **body: Any) -> None:
        began = asyncio.get_running_loop().time()
        try:
            answer = await http.request(method, path, **body)
        except httpx.HTTPError as error:
            self.failed.append(f"{method} {path}: {error!r}")
            return
        self.slowest_s = max(self.slowest_s, asyncio.get_running_loop().time() - began)
        self.seen[method] += 1
        if not answer.is_success:
            self.failed.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")

    async def _chat(self, http: httpx.AsyncClient) -> None:
        talk = await make.conversation(http)
        runs: list[str] = []
        while not self._stop.is_set():
            events: list[Event] = []
            try:
                async with asyncio.timeout(ANSWERED_WITHIN_S):
                    await self._ask(http, talk, runs, events)
            except TimeoutError:
                self.failed.append(f"no answer: {events[-3:]}")
                return
            runs.append(events[-1]["run_id"])
            kinds = [event["type"] for event in events]
            seqs = [event["seq"] for event in events]
            if seqs != sorted(set(seqs)) or kinds.count("message") != 1 or "error" in kinds:
                self.failed.append(f"answer: {kinds} {seqs}")
            elif not make.only(events, "message")["citations"]:
                self.failed.append(f"answer: {make.only(events, 'message')}")
            self.seen["answers"] += 1

    async def _ask(
        self, http: httpx.AsyncClient, talk: str, known: list[str], events: list[Event]
    ) -> None:
        """Gather the events of one answer; where the socket is closed on the way, what is left of
        them is fetched as a browser does."""
        while not events or events[-1]["type"] != "done":
            try:
                url = chat_url(self.url, talk)
                async with websockets.connect(url, open_timeout=None) as socket:
                    await self._begin(socket, await messages_of(http, talk), known, events)
                    while not events or events[-1]["type"] != "done":
                        events.append(json.loads(await socket.recv()))
            except websockets.ConnectionClosed:
                self.seen["closed"] += 1

    async def _begin(
        self,
        socket: websockets.ClientConnection,
        messages: list[dict[str, Any]],
        known: list[str],
        events: list[Event],
    ) -> None:
        """Ask, or follow the run that has been asked for."""
        run_id = messages[-1]["run_id"] if messages else None
        if run_id is None or run_id in known:
            await send(socket, "ask", content=QUESTION)
        else:
            self.seen["resumed"] += 1
            await send(socket, "resume", run_id=run_id, after=events[-1]["seq"] if events else 0)


@asynccontextmanager
async def loaded_library(settings: Settings) -> AsyncIterator[str]:
    """A talk in the database, and the URL of a model that answers from it."""
    model = ModelServer(token_s=WORD_S)
    async with running(settings) as app:
        await make.upload(app.http, make.captions(make.OCEAN))
    async with serving(model.app()) as models:
        yield models


async def test_of_two_backends_one_is_killed_and_no_read_fails(
    settings: Settings, tmp_path: Path
) -> None:
    async with (
        loaded_library(settings) as models,
        Programs(environment(settings, models, tmp_path)) as programs,
    ):
        (one, first), (_, second) = [await programs.app() for _ in range(2)]
        async with caddy(tmp_path, [first, second]) as proxy:
            # What was sent to change something may have been done: Caddy does not send it again.
            load = Load(proxy.url, only_reads=True)
            async with load.running():
                await load.comes("GET")
                await asyncio.sleep(3)
                await kill(one)
                await asyncio.sleep(5)
                await load.comes("GET")
    assert load.failed == []


async def test_a_backend_is_replaced_while_people_ask_and_no_request_fails(
    settings: Settings, tmp_path: Path
) -> None:
    port = str(free_port())
    async with loaded_library(settings) as models:
        env = environment(settings, models, tmp_path, PORT=port, DRAIN_S="2")
        backend = [f"127.0.0.1:{port}"]
        async with (
            Programs(env) as programs,
            caddy(tmp_path, backend, HOLD_FOR=f"{HELD_S}s") as proxy,
        ):
            old, _ = await programs.app()
            load = Load(proxy.url)
            async with load.running():
                await load.comes("GET", "POST", "answers")
                old.terminate()
                await old.wait()
                await programs.app()
                await load.comes("GET", "POST", "answers")
    assert load.failed == []
    assert load.seen["resumed"] > 0
