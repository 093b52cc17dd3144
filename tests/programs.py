"""The programs and the services outside as processes of their own, as in use."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg

from talker.embedded.place import Place
from tests.forks import Program, start
from tests.supadata_server import KEY, SupadataList, SupadataVideo

BIN = Path(sys.executable).parent
START_TIMEOUT_S = 180
READY_S = 600.0
REMOTE_EMBEDDINGS = "bag-of-words"


@dataclass(frozen=True)
class Seen:
    """What Supadata was asked for, as SupadataServer counts it."""

    counts: Mapping[str, int]
    asked: Mapping[str, int]
    billed: int
    arrived_at: Sequence[float]
    limited_at: Sequence[tuple[float, int]]

    @property
    def calls(self) -> int:
        return len(self.arrived_at)

    @property
    def transcripts(self) -> int:
        """How many transcripts were asked for, polls and batches not counted."""
        return sum(self.asked.values())


@dataclass(frozen=True)
class SupadataProcess:
    """Supadata's stand-in and its controls."""

    url: str
    http: httpx.AsyncClient

    async def stock(
        self,
        videos: Mapping[str, SupadataVideo],
        lists: Mapping[str, SupadataList] | None = None,
        *,
        plan_has_batches: bool = True,
    ) -> None:
        body = {
            "videos": {name: asdict(video) for name, video in videos.items()},
            "lists": {name: asdict(one) for name, one in (lists or {}).items()},
            "plan_has_batches": plan_has_batches,
        }
        (await self.http.put("/stock", json=body)).raise_for_status()

    async def seen(self) -> Seen:
        return Seen(**(await self.http.get("/seen")).json())

    async def limit(self, for_s: float, retry_after_s: float) -> None:
        """Refuse everything for a while, saying each time how long to wait."""
        body = {"for_s": for_s, "retry_after_s": retry_after_s}
        (await self.http.post("/limit", json=body)).raise_for_status()


@dataclass(frozen=True)
class Outside:
    """The services that loading asks: Supadata, and embeddings under `models_url`."""

    supadata: SupadataProcess
    models_url: str

    def settings(self, data_dir: Path) -> dict[str, str]:
        """The environment of programs that load from here, as fast as they can."""
        return {
            **os.environ,
            "DATA_DIR": str(data_dir),
            "PORT": "0",
            "LOG_LEVEL": "ERROR",
            "SUPADATA_BASE_URL": self.supadata.url,
            "SUPADATA_API_KEY": KEY,
            "SUPADATA_RATE": "1000",
            "TRANSCRIPT_PROVIDERS": "supadata",
            "OPENROUTER_BASE_URL": self.models_url,
            "EMBEDDING_MODEL": REMOTE_EMBEDDINGS,
        }


@asynccontextmanager
async def outside(*, supadata_ms: float = 0, embedding_ms: float = 0) -> AsyncIterator[Outside]:
    """The services, each call of which takes so long."""
    async with (
        service("tests.supadata_program", "--delay-ms", str(supadata_ms)) as url,
        service("tests.model_server", "--embedding-ms", str(embedding_ms)) as models,
        httpx.AsyncClient(base_url=url, timeout=60) as http,
    ):
        yield Outside(SupadataProcess(url, http), f"{models}/v1")


@asynccontextmanager
async def service(module: str, *options: str) -> AsyncIterator[str]:
    """A module that serves HTTP on a `--port`; its address, once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", module, "--port", str(port), *options]
    process = await asyncio.create_subprocess_exec(*command)
    url = f"http://127.0.0.1:{port}"
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


class Programs:
    """Programs on one DATA_DIR; those that still run at the end are stopped."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._running: list[Program] = []

    async def __aenter__(self) -> "Programs":
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self._running:
            if process.returncode is None:
                process.terminate()
        for process in self._running:
            await process.wait()

    async def worker(self) -> Program:
        return await self._start("worker", None)

    async def app(self) -> tuple[Program, str]:
        """`serve`, with the address that it prints."""
        process = await self._start("serve", asyncio.subprocess.PIPE)
        assert process.stdout is not None
        async with asyncio.timeout(START_TIMEOUT_S):
            line = (await process.stdout.readline()).decode()
        assert line, f"serve ended with {await process.wait()}"
        return process, line.split()[-1]

    async def ingest(self, *arguments: str) -> tuple[int, str]:
        """Exit code and output of an `ingest` command that ends by itself."""
        process = await self._start("ingest", asyncio.subprocess.PIPE, *arguments)
        out, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, out.decode()

    async def _start(self, name: str, stdout: int | None, *arguments: str) -> Program:
        process = await start(name, *arguments, env=self._env, stdout=stdout)
        self._running.append(process)
        return process


async def kill(process: Program) -> None:
    process.kill()
    await process.wait()


class Onlooker:
    """Reads the embedded servers of a DATA_DIR, and takes no part in keeping them running."""

    def __init__(self, data_dir: Path) -> None:
        self._postgres = Place(data_dir / "postgres")
        self._qdrant = Place(data_dir / "qdrant")

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        return await asyncio.to_thread(self._rows, query)

    async def count(self, table: str, where: str = "true") -> int:
        """How many rows there are; 0 while Postgres is away."""
        try:
            return int((await self.rows(f"SELECT count(*) FROM {table} WHERE {where}"))[0][0])
        except psycopg.OperationalError:
            return 0

    async def points(self) -> int:
        """How many chunks the current index holds."""
        path = f"/collections/{await self.current_index()}/points/count"
        return int((await self.index("POST", path, b'{"exact": true}'))["count"])

    async def current_index(self) -> str:
        [[name]] = await self.rows("SELECT name FROM search_indexes WHERE is_current")
        return str(name)

    async def index(self, method: str, path: str, body: bytes) -> Any:
        """The `result` of a request to the index."""
        headers = {"api-key": self._qdrant.secret("api-key"), "content-type": "application/json"}
        url = f"http://127.0.0.1:{_port(self._qdrant)}{path}"
        async with httpx.AsyncClient(timeout=120) as http:
            answer = await http.request(method, url, headers=headers, content=body)
        answer.raise_for_status()
        return answer.json()["result"]

    async def execute(self, statements: str) -> None:
        await asyncio.to_thread(self._execute, statements)

    def _execute(self, statements: str) -> None:
        with self._connect() as connection:
            connection.execute(statements.encode())

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with self._connect() as connection:
            return connection.execute(query.encode()).fetchall()

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        port = _port(self._postgres)
        password = self._postgres.secret("password")
        url = f"postgresql://talker:{password}@127.0.0.1:{port}/postgres"
        return psycopg.connect(url, connect_timeout=5, autocommit=True)


def _port(place: Place) -> int:
    endpoint = place.endpoint()
    if endpoint is None or endpoint.port is None:
        raise psycopg.OperationalError(f"no server in {place.folder}")
    return endpoint.port
