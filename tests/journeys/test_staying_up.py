"""What one reader, one outage or one fault must not do to the others."""

import asyncio
import json
import os
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx
import psycopg
import pytest
from sqlalchemy import ColumnElement, func, select, update
from websockets import ConnectionClosed

from agent.models import ChatModels
from api.asked import Claim
from api.asking import Ask, prepare
from talker.database import POOL_OVERFLOW, POOL_SIZE
from talker.models import Run
from talker.resources import CHECKPOINT_CONNECTIONS
from tests import make
from tests.api.test_runs import joined, messages_of, receive_until, send
from tests.conftest import App, MakeSettings, local_user, running
from tests.journeys.test_outages import behind_relay
from tests.journeys.test_runs_survive import QUESTION, chat_at
from tests.model_server import ModelServer
from tests.programs import Programs
from tests.servers import serving

ASKED = "How deep was the deepest dive?"


@asynccontextmanager
async def with_model(make_settings: MakeSettings, server: ModelServer) -> AsyncIterator[App]:
    async with serving(server.app()) as models:
        settings = make_settings(openrouter_base_url=f"{models}/v1", chat_models=("test/first",))
        async with running(settings) as app:
            await make.upload(app.http, make.captions(make.OCEAN))
            yield app


def activity(url: str) -> tuple[int, int]:
    """Connections to a test's database, and how many of them idle in a transaction."""
    query = (
        "SELECT count(*), count(*) FILTER (WHERE state LIKE 'idle in transaction%')"
        " FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row


async def test_sockets_and_streaming_answers_hold_no_connection_to_the_database(
    make_settings: MakeSettings,
) -> None:
    server = ModelServer(token_s=0.2)
    async with with_model(make_settings, server) as app, AsyncExitStack() as stack:
        talk = await make.conversation(app.http)
        for _ in range(60):
            await stack.enter_async_context(chat_at(app.url, talk))
        server.script.extend([" ".join(["word"] * 200)] * 20)
        talks = [await make.conversation(app.http) for _ in range(20)]
        sockets = [await stack.enter_async_context(chat_at(app.url, one)) for one in talks]
        for one in sockets:
            await send(one, "ask", content=ASKED)
        for one in sockets:
            await receive_until(one, "token")
        assert server.open_streams == 20
        seen, taken = [], []
        for _ in range(20):
            seen.append(await asyncio.to_thread(activity, app.resources.database_url))
            taken.append(app.resources.engine.pool.checkedout())  # type: ignore[attr-defined]  # QueuePool's
            await asyncio.sleep(0.05)
        worker_and_notices = app.resources.settings.worker_concurrency + 6 + 1
        bound = POOL_SIZE + POOL_OVERFLOW + CHECKPOINT_CONNECTIONS + worker_and_notices
        assert max(connections for connections, _ in seen) <= bound
        assert min(in_transaction for _, in_transaction in seen) == 0
        assert min(taken) == 0
        began = time.monotonic()
        assert (await app.http.get("/api/videos")).status_code == 200
        assert time.monotonic() - began < 5


async def test_who_finds_every_connection_taken_is_told_so_and_nobody_after(app: App) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(POOL_SIZE + POOL_OVERFLOW):
            session = await stack.enter_async_context(app.resources.sessions())
            await session.execute(select(1))
        began = time.monotonic()
        answer = await app.http.get("/api/videos")
        assert (answer.status_code, answer.json()["error"]) == (503, "database_unavailable")
        assert time.monotonic() - began < 15
        assert (await app.http.get("/api/health")).status_code == 200
    assert (await app.http.get("/api/videos")).status_code == 200


async def test_a_reader_that_does_not_read_slows_nobody_and_its_answer_is_written(
    make_settings: MakeSettings,
) -> None:
    server = ModelServer()
    long = " ".join(f"{'x' * 4_000}{number}" for number in range(1_500))
    async with with_model(make_settings, server) as app:
        talk, other = await make.conversation(app.http), await make.conversation(app.http)
        server.script.append(long)
        async with AsyncExitStack() as stack:
            deaf = await stack.enter_async_context(_deaf_reader(app.url, talk))
            async with asyncio.timeout(20):
                while not any(body.get("stream") for body in server.requests):
                    await asyncio.sleep(0.05)
            events = await make.ask(app.http, other, ASKED)
            assert make.only(events, "message")["content"]
            async with asyncio.timeout(90):
                while (await messages_of(app.http, talk))[-1]["status"] == "running":
                    await asyncio.sleep(0.2)
            assert _unread(deaf) < 8_000_000
        [_, answer] = await messages_of(app.http, talk)
        assert answer["status"] == "complete"
        assert len(answer["content"]) > 5_000_000


@asynccontextmanager
async def _deaf_reader(url: str, talk: str) -> AsyncIterator[socket.socket]:
    """Asks over server-sent events, on a connection that nobody reads from."""
    host, port = url.removeprefix("http://").split(":")
    body = json.dumps({"content": ASKED}).encode()
    head = (
        f"POST /api/conversations/{talk}/ask HTTP/1.1\r\nHost: {host}:{port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode() + body)
        yield connection


def _unread(connection: socket.socket) -> int:
    """Bytes that wait on the reader's side and, on this machine, in the sender's buffers."""
    connection.setblocking(False)
    read = 0
    try:
        while piece := connection.recv(1_000_000):
            read += len(piece)
            if read > 8_000_000:
                break
    except BlockingIOError:
        pass
    return read


async def test_while_postgres_is_frozen_readiness_says_so_and_afterwards_all_is_well(
    make_settings: MakeSettings,
) -> None:
    async with behind_relay(make_settings, "database_url") as (app, relay):
        await _until_ready(app)
        relay.flowing.clear()
        began = time.monotonic()
        ready = await app.http.get("/api/health/ready")
        assert time.monotonic() - began < 8
        said = ready.json()
        assert (ready.status_code, said["database"]["ok"], said["worker"]["ok"]) == (
            503,
            False,
            False,
        )
        assert (await app.http.get("/api/health")).status_code == 200
        relay.flowing.set()
        await _until_ready(app)


async def _until_ready(app: App) -> None:
    async with asyncio.timeout(60):
        while (await app.http.get("/api/health/ready")).status_code != 200:
            await asyncio.sleep(0.2)


FULL = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device'
USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON messages EXECUTE FUNCTION no_room();
CREATE TRIGGER full_disk BEFORE INSERT ON videos EXECUTE FUNCTION no_room();
"""
ROOM = "DROP TRIGGER full_disk ON messages; DROP TRIGGER full_disk ON videos"
"""Postgres's own error of a full disk, with the code by which it is known."""


async def test_a_full_disk_is_named_and_with_room_again_all_is_stored(app: App) -> None:
    await make.upload(app.http, make.captions(make.OCEAN))
    talk = await make.conversation(app.http)
    with psycopg.connect(app.resources.database_url, autocommit=True) as connection:
        connection.execute(FULL)
        files = {"file": ("bread.json", make.captions(make.BREAD))}
        for answer in (
            await app.http.post("/api/videos/upload", files=files),
            await app.http.post(f"/api/conversations/{talk}/ask", json={"content": ASKED}),
        ):
            assert (answer.status_code, answer.json()["error"]) == (503, "disk_full")
        async with chat_at(app.url, talk) as socket:
            await send(socket, "ask", content=ASKED)
            [refused] = await receive_until(socket, "error")
            assert (refused["error"], refused["retryable"]) == ("disk_full", True)
            connection.execute(ROOM)
            await send(socket, "ask", content=ASKED)
            assert make.only(await receive_until(socket, "done"), "message")["citations"]
        await make.upload(app.http, make.captions(make.BREAD))


async def test_a_run_left_behind_is_taken_up_though_the_clock_was_set_back_and_made_once(
    make_settings: MakeSettings, caplog: pytest.LogCaptureFixture
) -> None:
    """Once, also when the process that left it comes to it after all."""
    server = ModelServer(token_s=0.2)
    async with with_model(make_settings, server) as app:
        talk = await make.conversation(app.http)
        server.script.append(" ".join(["word"] * 40))
        claim = await _left_behind(app, talk, func.now() + timedelta(hours=1))
        async with asyncio.timeout(30):
            while not server.open_streams:
                await asyncio.sleep(0.05)
        app.runs.start(claim)
        async with asyncio.timeout(30):
            while (await messages_of(app.http, talk))[-1]["status"] == "running":
                await asyncio.sleep(0.1)
        [_, answer] = await messages_of(app.http, talk)
        assert (answer["status"], answer["metadata"]["attempt"]) == ("complete", 2)
        assert len(server.chat_requests(structured=False)) == 1
        assert not [one for one in caplog.records if one.levelname == "ERROR"]


async def _left_behind(app: App, talk: str, heartbeat_at: ColumnElement[datetime]) -> Claim:
    """A question that was stored, and whose process did not come to start its run."""
    models = ChatModels(app.resources.settings, app.resources.sessions)
    user = await local_user(app.resources)
    async with app.resources.sessions.begin() as session:
        ask = Ask(content=ASKED)
        claim = await prepare(
            session,
            user,
            UUID(talk),
            ask,
            models=models,
            expect=app.resources.chunks.expect,
            max_chars=8_000,
        )
        await session.execute(update(Run).values(heartbeat_at=heartbeat_at))
    await models.aclose()
    return claim


async def test_an_answer_goes_on_when_the_only_app_is_stopped_and_started_again(
    tmp_path: Path,
) -> None:
    """As an update does it: SIGTERM, and the next one on the same address."""
    server = ModelServer(token_s=0.05)
    async with serving(server.app()) as models:
        settings = {
            "DATA_DIR": str(tmp_path / "data"),
            "PORT": str(_free_port()),
            "OPENROUTER_BASE_URL": f"{models}/v1",
            "CHAT_MODELS": "test/first",
            "YOUTUBE_PROXY": "http://127.0.0.1:9",
        }
        async with Programs({**os.environ, **settings}) as programs:
            first, url = await programs.app()
            async with httpx.AsyncClient(base_url=url, timeout=30) as http:
                loaded = (await http.post("/api/videos/sample")).json()["items"][0]
                await make.until_ready(http, loaded["video_id"])
                talk = await make.conversation(http)
                server.script.append(" ".join(f"word{n}" for n in range(1_000)))
                async with chat_at(url, talk) as socket:
                    await send(socket, "ask", content=QUESTION)
                    seen = await receive_until(socket, "token")
                    began = time.monotonic()
                    first.send_signal(signal.SIGTERM)
                    try:
                        while True:
                            seen.append(json.loads(await socket.recv()))
                    except ConnectionClosed:
                        pass
                await first.wait()
                assert time.monotonic() - began < 20
                await programs.app()
                async with chat_at(url, talk) as socket:
                    await send(socket, "resume", run_id=seen[0]["run_id"], after=seen[-1]["seq"])
                    seen += await receive_until(socket, "done")
                assert [event["seq"] for event in seen] == list(range(1, len(seen) + 1))
                [_, answer] = await messages_of(http, talk)
                assert answer["status"] == "complete"
                assert joined(seen) == answer["content"] == make.only(seen, "message")["content"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
