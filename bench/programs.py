"""The app and a model service as processes of their own, as in use."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from tests.programs import service

BIN = Path(sys.executable).parent
START_TIMEOUT_S = 180


@dataclass
class Served:
    """`start_s` is the time from the command to a page that answers."""

    http: httpx.AsyncClient
    process: asyncio.subprocess.Process
    start_s: float


@asynccontextmanager
async def app(
    data_dir: Path, *, command: Sequence[str] = (str(BIN / "serve"),), **settings: str
) -> AsyncIterator[Served]:
    """`serve` on servers of its own under `data_dir`, ended with SIGTERM."""
    env = {**os.environ, "DATA_DIR": str(data_dir), "PORT": "0", **settings}
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *command, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(START_TIMEOUT_S):
            line = (await process.stdout.readline()).decode()
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=line.split()[-1], timeout=120, limits=limits) as http:
            (await http.get("/", follow_redirects=True)).raise_for_status()
            yield Served(http, process, time.perf_counter() - began)
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def model_service(first_token_ms: float, token_ms: float) -> AsyncIterator[str]:
    """A model service of fixed speed; yields its base URL."""
    options = ("--first-token-ms", str(first_token_ms), "--token-ms", str(token_ms))
    async with service("tests.model_server", *options) as url:
        yield f"{url}/v1"


def memory_mb(data_dir: Path, process: asyncio.subprocess.Process) -> float:
    """Memory of the app and its servers, pages that they share counted once (PSS)."""
    return _pss_mb([psutil.Process(process.pid), *_servers(str(data_dir))])


def server_memory_mb(data_dir: Path, name: str) -> float:
    """Memory of one of the servers, `postgres` or `qdrant`."""
    return _pss_mb(_servers(str(data_dir / name)))


def disk_mb(folder: Path) -> float:
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file()) / 1e6


def _servers(mentioned: str) -> list[psutil.Process]:
    """The processes in whose command line it stands, with their children."""
    found: list[psutil.Process] = []
    for other in psutil.process_iter():
        try:
            if any(mentioned in part for part in other.cmdline()):
                found += [other, *other.children(recursive=True)]
        except psutil.Error:
            continue
    return found


def _pss_mb(processes: Sequence[psutil.Process]) -> float:
    total = 0
    for member in {one.pid: one for one in processes}.values():
        try:
            info = member.memory_full_info()
        except psutil.Error:
            continue
        total += getattr(info, "pss", info.rss)
    return total / 1_000_000
