"""The programs as a person starts them: processes of their own, on servers of their own."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from tests import make

BIN = Path(sys.executable).parent
START_TIMEOUT_S = 90


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


def environment(data_dir: Path) -> dict[str, str]:
    return {**os.environ, "DATA_DIR": str(data_dir), "PORT": "0"}


@asynccontextmanager
async def served(
    data_dir: Path,
) -> AsyncIterator[tuple[asyncio.subprocess.Process, httpx.AsyncClient]]:
    """`serve`, from the address it prints; killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        BIN / "serve",
        env=environment(data_dir),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(START_TIMEOUT_S):
            line = (await process.stdout.readline()).decode()
        assert line.startswith("YoutubeTalker is at http://127.0.0.1:"), line
        async with httpx.AsyncClient(base_url=line.split()[-1], timeout=30) as http:
            yield process, http
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def left_running(data_dir: Path) -> list[str]:
    return [
        " ".join(command)
        for process in psutil.process_iter()
        if (command := commands(process)) and any(str(data_dir) in part for part in command)
    ]


def commands(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


async def test_a_killed_app_starts_again_with_its_library_and_its_conversations(
    data_dir: Path,
) -> None:
    question = "When was the first of the great lenses lit?"
    async with served(data_dir) as (process, http):
        loaded = await http.post("/api/videos/sample")
        await make.until_ready(http, loaded.json()["items"][0]["video_id"])
        talk = await make.conversation(http)
        before = make.only(await make.ask(http, talk, question), "message")
        assert "eighteen twenty-three" in before["citations"][0]["quote"]
        process.send_signal(signal.SIGKILL)
        await process.wait()
    async with served(data_dir) as (process, http):
        videos = (await http.get("/api/videos")).json()["items"]
        assert [video["status"] for video in videos] == ["ready"]
        messages = (await http.get(f"/api/conversations/{talk}/messages")).json()["items"]
        assert messages[1]["content"] == before["content"]
        events = await make.ask(http, talk, "And who saw it from far away?")
        assert make.only(events, "message")["citations"]
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    async with asyncio.timeout(20):
        while left_running(data_dir):
            await asyncio.sleep(0.1)


async def test_ingest_loads_files_while_the_app_runs_and_the_app_answers_from_them(
    data_dir: Path, tmp_path: Path
) -> None:
    files = []
    for number, lines in enumerate((make.OCEAN, make.BREAD)):
        file = tmp_path / f"talk-{number}.json"
        file.write_bytes(make.captions(lines, title=f"Talk {number}"))
        files.append(file)
    async with served(data_dir) as (_, http):
        ingest = await asyncio.create_subprocess_exec(
            BIN / "ingest", "add", *files, env=environment(data_dir), stdout=asyncio.subprocess.PIPE
        )
        await ingest.communicate()
        assert ingest.returncode == 0
        videos = (await http.get("/api/videos")).json()["items"]
        assert [video["status"] for video in videos] == ["ready", "ready"]
        talk = await make.conversation(http)
        events = await make.ask(http, talk, "How long does the dough rest in the fridge?")
        assert "twelve hours" in make.only(events, "message")["citations"][0]["quote"]


async def test_wrong_settings_stop_the_start_with_a_sentence_each(data_dir: Path) -> None:
    env = {**environment(data_dir), "PORT": "many", "HOST": "0.0.0.0"}
    process = await asyncio.create_subprocess_exec(
        BIN / "serve", env=env, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert process.returncode == 2
    assert said.decode().startswith("PORT: ")
    assert "Traceback" not in said.decode()


async def test_a_port_in_use_is_said_and_nothing_is_started(data_dir: Path) -> None:
    taken = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with taken:
        port = taken.sockets[0].getsockname()[1]
        process = await asyncio.create_subprocess_exec(
            BIN / "serve",
            env={**environment(data_dir), "PORT": str(port)},
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()
    assert process.returncode == 1
    assert said.decode().startswith(f"PORT: 127.0.0.1:{port} cannot be used")
    assert not data_dir.exists()
