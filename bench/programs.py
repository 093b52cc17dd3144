"""The app and a model service as processes of their own, as in use."""

import asyncio
import os
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

BIN = Path(sys.executable).parent
START_TIMEOUT_S = 180


@dataclass
class Served:
    """`start_s` is the time from the command to a page that answers."""

    http: httpx.AsyncClient
    process: asyncio.subprocess.Process
    start_s: float


@asynccontextmanager
async def app(data_dir: Path, **settings: str) -> AsyncIterator[Served]:
    """`serve` on servers of its own under `data_dir`, ended with SIGTERM."""
    env = {**os.environ, "DATA_DIR": str(data_dir), "PORT": "0", **settings}
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        BIN / "serve", env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(START_TIMEOUT_S):
            line = (await process.stdout.readline()).decode()
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=line.split()[-1], timeout=120, limits=limits) as http:
            (await http.get("/")).raise_for_status()
            yield Served(http, process, time.perf_counter() - began)
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def model_service(first_token_ms: float, token_ms: float) -> AsyncIterator[str]:
    """A model service of fixed speed; yields its base URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.model_server",
        *("--port", str(port)),
        *("--first-token-ms", str(first_token_ms), "--token-ms", str(token_ms)),
    )
    url = f"http://127.0.0.1:{port}/v1"
    try:
        async with httpx.AsyncClient() as http, asyncio.timeout(START_TIMEOUT_S):
            while not await _answers(http, url):
                await asyncio.sleep(0.05)
        yield url
    finally:
        process.terminate()
        await process.wait()


async def _answers(http: httpx.AsyncClient, url: str) -> bool:
    try:
        await http.get(url)
    except httpx.TransportError:
        return False
    return True


def memory_mb(data_dir: Path, process: asyncio.subprocess.Process) -> float:
    """Memory of the app and its servers, pages that they share counted once (PSS)."""
    own = [psutil.Process(process.pid)]
    for other in psutil.process_iter():
        try:
            if any(str(data_dir) in part for part in other.cmdline()):
                own += [other, *other.children(recursive=True)]
        except psutil.Error:
            continue
    total = 0
    for member in {one.pid: one for one in own}.values():
        try:
            info = member.memory_full_info()
        except psutil.Error:
            continue
        total += getattr(info, "pss", info.rss)
    return total / 1_000_000
