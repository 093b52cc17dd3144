"""`serve` with several processes on one address, and the queue left to `worker`."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from talker.settings import Settings
from tests import make

BIN = Path(sys.executable).parent
START_TIMEOUT_S = 180
QUESTION = "How long does the dough rest in the fridge?"


@pytest.fixture
def env(settings: Settings) -> dict[str, str]:
    assert settings.qdrant_api_key is not None
    return {
        **os.environ,
        "DATA_DIR": str(settings.data_dir),
        "DATABASE_URL": settings.database_url,
        "QDRANT_URL": settings.qdrant_url,
        "QDRANT_API_KEY": settings.qdrant_api_key.get_secret_value(),
        "PORT": "0",
        "LOG_LEVEL": "ERROR",
        "WEB_PROCESSES": "2",
    }


@asynccontextmanager
async def served(env: Mapping[str, str]) -> AsyncIterator[tuple[psutil.Process, httpx.AsyncClient]]:
    """`serve`, once all its processes have started; each request has a connection of its own."""
    process = await asyncio.create_subprocess_exec(
        BIN / "serve", env=env, stdout=asyncio.subprocess.PIPE
    )
    parent = psutil.Process(process.pid)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(START_TIMEOUT_S):
            line = (await process.stdout.readline()).decode()
        assert line.startswith("YoutubeTalker is at http://127.0.0.1:"), line
        once = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(base_url=line.split()[-1], timeout=60, limits=once) as http:
            yield parent, http
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            for one in (*parent.children(recursive=True), parent):
                one.kill()
            await process.wait()


def serving(parent: psutil.Process, http: httpx.AsyncClient) -> list[psutil.Process]:
    """The processes that hold the address, apart from the one that started them."""
    port = http.base_url.port
    return [
        child
        for child in parent.children(recursive=True)
        if any(one.laddr and one.laddr.port == port for one in child.net_connections("tcp"))
        and any("spawn_main" in part for part in child.cmdline())
    ]


async def until_serving(parent: psutil.Process, http: httpx.AsyncClient, count: int) -> set[int]:
    async with asyncio.timeout(START_TIMEOUT_S):
        while len(found := serving(parent, http)) != count:
            await asyncio.sleep(0.1)
    return {process.pid for process in found}


async def test_a_process_that_is_killed_is_replaced_while_the_others_serve(
    env: dict[str, str],
) -> None:
    async with served(env) as (parent, http):
        first = await until_serving(parent, http, 2)
        await make.upload(http, make.captions(make.BREAD))
        os.kill(min(first), signal.SIGKILL)
        talk = await make.conversation(http)
        answer = make.only(await make.ask(http, talk, QUESTION), "message")
        assert "twelve hours" in answer["citations"][0]["quote"]
        async with asyncio.timeout(START_TIMEOUT_S):
            while (now := await until_serving(parent, http, 2)) == first:
                await asyncio.sleep(0.1)
        assert len(now & first) == 1


async def test_without_a_worker_videos_wait_for_one(env: dict[str, str]) -> None:
    async with served({**env, "SERVE_WORKER": "false", "WEB_PROCESSES": "1"}) as (_, http):
        ready = await http.get("/api/health/ready")
        assert ready.status_code == 503
        assert not ready.json()["worker"]["ok"]
        content = make.captions(make.BREAD)
        added = await http.post("/api/videos/upload", files={"file": ("talk.json", content)})
        video_id = added.json()["items"][0]["video_id"]
        worker = await asyncio.create_subprocess_exec(BIN / "worker", env=env)
        try:
            await make.until_ready(http, video_id)
        finally:
            worker.terminate()
            assert await worker.wait() == 0


@pytest.mark.parametrize("processes", ["1", "2"])
async def test_an_app_that_cannot_start_ends_with_a_failure(
    env: dict[str, str], processes: str
) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:9/nothing"
    away = {**env, "DATABASE_URL": nowhere, "WEB_PROCESSES": processes}
    process = await asyncio.create_subprocess_exec(
        BIN / "serve", env=away, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(START_TIMEOUT_S):
        out, _ = await process.communicate()
    assert (process.returncode, out) == (1, b"")


async def test_migrating_alone_says_so_or_what_is_wrong(env: dict[str, str]) -> None:
    command = (sys.executable, "-m", "talker.migrations")
    pipe = asyncio.subprocess.PIPE
    done = await asyncio.create_subprocess_exec(*command, env=env, stdout=pipe)
    assert (await done.communicate())[0] == b"The database is up to date.\n"
    away = {**env, "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nothing"}
    failed = await asyncio.create_subprocess_exec(*command, env=away, stderr=pipe)
    said = (await failed.communicate())[1].decode()
    assert failed.returncode == 1
    assert "Postgres" in said
