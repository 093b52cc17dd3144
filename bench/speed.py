"""Loading many videos: beside the embedding model alone, and through services outside."""

import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from bench.programs import BIN, memory_mb
from bench.report import Row
from bench.talks import Talk, as_file, as_video, talks
from ingestion.chunking import chunk
from talker.embeddings import open_embeddings
from talker.settings import Settings
from tests.batches import LOADED, until
from tests.batches import talks as short_talks
from tests.make import until_ready
from tests.programs import Onlooker, Outside, Programs, outside
from tests.supadata_server import SupadataVideo

LOCAL = "loading on this machine, ten minutes of speech a video"
REMOTE = "loading with remote embeddings of 80 ms a call and a Supadata of 300 ms a call"
PERSON = "a person who adds one video"

SUPADATA_MS, EMBEDDING_MS = 300, 80
SAMPLE_S = 2.0
SAMPLES = 7
LAST = 100
"""Over so many videos at the end, memory is to be flat."""


async def thousand(count: int = 1000) -> list[Row]:
    """Files of ten minutes each through `ingest add`, and memory meanwhile."""
    spoken = talks(count)
    alone_s = await asyncio.to_thread(_embedding_alone, spoken)
    with tempfile.TemporaryDirectory(prefix="talker-bench-") as folder:
        Path(folder).chmod(0o755)
        data_dir = Path(folder) / "data"
        env = {**os.environ, "DATA_DIR": str(data_dir)}
        first = _write(Path(folder) / "first", [spoken[0]])
        await _ingest(first, env)
        start_s = await _ingest(first, env)
        memory = Memory(data_dir)
        files = _write(Path(folder) / "talks", spoken[1:])
        whole_s = await _ingest(files, env, memory)
    return [
        Row(
            LOCAL,
            f"{count - 1} videos",
            whole_s - start_s,
            "s",
            alone_s * (count - 1) / count,
            "the embedding model alone",
            "ratio at most 1.2",
        ),
        *memory.rows(),
    ]


def _embedding_alone(spoken: Sequence[Talk]) -> float:
    """Seconds that the local model takes for the talks' chunks, each talk's in one call."""
    embeddings = open_embeddings(Settings(_env_file=None))
    texts = [[one.text for one in chunk(talk)] for talk in spoken]
    embeddings.embed_documents(texts[0][:2])
    began = time.perf_counter()
    for some in texts:
        embeddings.embed_documents(some)
    return time.perf_counter() - began


def _write(folder: Path, spoken: Sequence[Talk]) -> list[Path]:
    folder.mkdir()
    files = [folder / f"{number}.json" for number in range(len(spoken))]
    for number, (file, talk) in enumerate(zip(files, spoken, strict=True)):
        file.write_text(json.dumps(as_file(number, talk)), encoding="utf-8")
    return files


class Memory:
    """All our processes' memory on one DATA_DIR by how many videos were ready."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._onlooker = Onlooker(data_dir)
        self._seen: list[tuple[int, float]] = []

    async def sample(self, process: asyncio.subprocess.Process) -> None:
        while True:
            await asyncio.sleep(SAMPLE_S)
            ready = await self._onlooker.count("videos", LOADED)
            used = await asyncio.to_thread(memory_mb, self._data_dir, process)
            self._seen.append((ready, used))

    def rows(self) -> list[Row]:
        """At most over the last videos, beside the same number before them."""
        most = max(ready for ready, _ in self._seen)
        last = min(LAST, most // 3)
        end = [used for ready, used in self._seen if ready > most - last]
        before = [used for ready, used in self._seen if most - 2 * last < ready <= most - last]
        if not end or not before:
            return []
        grown = statistics.median(end) - statistics.median(before)
        return [
            Row(LOCAL, f"memory added by the last {last} videos", grown, "MB", goal="under 50 MB"),
            Row(LOCAL, "memory at most, servers included", max(m for _, m in self._seen), "MB"),
        ]


async def _ingest(
    files: Sequence[Path], env: dict[str, str], memory: Memory | None = None
) -> float:
    """Seconds that `ingest add` takes for a list of files."""
    listed = "\n".join(map(str, files)).encode()
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(BIN / "ingest", "add", "--file", "-"),
        env=env,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )
    watch = asyncio.create_task(memory.sample(process)) if memory else None
    await process.communicate(listed)
    seconds = time.perf_counter() - began
    if watch:
        watch.cancel()
        await asyncio.wait({watch})
    if process.returncode:
        raise RuntimeError(f"ingest ended with {process.returncode}")
    return seconds


async def remote(count: int = 1000, *, plans: Sequence[bool] = (False, True)) -> list[Row]:
    """Links of ten minutes each, with plans that lack and have batches."""
    rows = []
    for plan_has_batches in plans:
        per_minute = await _per_minute(count, plan_has_batches=plan_has_batches)
        name = f"videos a minute, of {count}{', fetched in batches' if plan_has_batches else ''}"
        rows.append(Row(REMOTE, name, per_minute, goal="at least 300"))
    return rows


async def _per_minute(count: int, *, plan_has_batches: bool) -> float:
    """Of an app that is at work already: the start of a program is not loading."""
    videos = _long_talks(count)
    async with _served(
        videos,
        plan_has_batches=plan_has_batches,
        supadata_ms=SUPADATA_MS,
        embedding_ms=EMBEDDING_MS,
    ) as (_, http, onlooker):
        began = time.perf_counter()
        await _post(http, *videos)
        await until(onlooker, count)
        return count / (time.perf_counter() - began) * 60


def _long_talks(count: int) -> dict[str, SupadataVideo]:
    """Ten minutes each, by their ids."""
    return {f"long{number:07d}": as_video(number, talk) for number, talk in enumerate(talks(count))}


async def known(times: int = 20) -> list[Row]:
    """A known video added again: how long it takes, and what Supadata was asked meanwhile."""
    videos = short_talks(1)
    [name] = videos
    async with _served(videos) as (services, http, _):
        added = await _post(http, name)
        await until_ready(http, added["video_id"])
        before = (await services.supadata.seen()).calls
        times_ms = []
        for _ in range(times):
            began = time.perf_counter()
            assert (await _post(http, name))["status"] == "ready"
            times_ms.append((time.perf_counter() - began) * 1000)
        calls = (await services.supadata.seen()).calls - before
    took = statistics.median(times_ms)
    return [
        Row(PERSON, "a known video, median", took, "ms", goal="under 50 ms"),
        Row(PERSON, "calls to Supadata for it", calls, goal="0"),
    ]


async def person(count: int = 1000) -> list[Row]:
    """Single videos while a batch is loaded, with embeddings on this machine."""
    batch, single = _long_talks(count), short_talks(SAMPLES)
    started_s, ready_s = [], []
    async with _served(batch | single, EMBEDDING_MODEL="local") as (_, http, onlooker):
        await _post(http, *batch)
        await until(onlooker, 2)
        for name in single:
            began = time.perf_counter()
            added = await _post(http, name)
            while await _status(http, added["video_id"]) == "queued":
                await asyncio.sleep(0.01)
            started_s.append(time.perf_counter() - began)
            await until_ready(http, added["video_id"])
            ready_s.append(time.perf_counter() - began)
        waiting = count + len(single) - await onlooker.count("videos", LOADED)
    section = f"{PERSON} while {count} are in the queue ({waiting} of them still at the end)"
    return [
        Row(section, "starts after, median", statistics.median(started_s), "s", goal="at most 0.5"),
        Row(section, "starts after, at worst", max(started_s), "s"),
        Row(section, "is ready after, median", statistics.median(ready_s), "s"),
    ]


@asynccontextmanager
async def _served(
    videos: Mapping[str, SupadataVideo],
    *,
    plan_has_batches: bool = True,
    supadata_ms: float = 0,
    embedding_ms: float = 0,
    **settings: str,
) -> AsyncIterator[tuple[Outside, httpx.AsyncClient, Onlooker]]:
    """The app on a folder of its own, with the services outside that it asks."""
    with tempfile.TemporaryDirectory(prefix="talker-bench-") as folder:
        data_dir = Path(folder) / "data"
        async with outside(supadata_ms=supadata_ms, embedding_ms=embedding_ms) as services:
            await services.supadata.stock(videos, plan_has_batches=plan_has_batches)
            env = services.settings(data_dir) | settings
            async with Programs(env) as programs:
                _, url = await programs.app()
                async with httpx.AsyncClient(base_url=url, timeout=120) as http:
                    yield services, http, Onlooker(data_dir)


async def _post(http: httpx.AsyncClient, *links: str) -> dict[str, Any]:
    """Add links; what became of the first one."""
    answer = await http.post("/api/videos", json={"urls": links})
    answer.raise_for_status()
    first: dict[str, Any] = answer.json()["items"][0]
    return first


async def _status(http: httpx.AsyncClient, video_id: str) -> str:
    return str((await http.get(f"/api/videos/{video_id}")).json()["status"])
