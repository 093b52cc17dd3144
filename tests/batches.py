"""Batches of short videos on a DATA_DIR: put on the queue, watched, compared with their source."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psycopg

from ingestion.add import add_found
from ingestion.batch import find_user
from ingestion.listing import Found
from ingestion.provider import ListedVideo
from ingestion.wishes import Wishes
from talker.models import LOCAL_USER_EMAIL
from talker.resources import open_resources
from talker.settings import Settings
from tests.make import OCEAN
from tests.programs import REMOTE_EMBEDDINGS, Onlooker
from tests.supadata_server import SupadataVideo

LINE_MS = 6_000
OVER_TIMEOUT_S = 1800
POLL_S = 0.1

LOADED = "status = 'ready'"


def talk(number: int) -> SupadataVideo:
    """A video of a minute, unlike any other number's."""
    texts = [f"This is talk number {number}.", *OCEAN]
    lines = [(at * LINE_MS, LINE_MS, text) for at, text in enumerate(texts)]
    return SupadataVideo({"en": lines}, f"Talk {number}", duration_s=54)


def talks(count: int) -> dict[str, SupadataVideo]:
    return {f"talk{number:07d}": talk(number) for number in range(count)}


async def queue(data_dir: Path, youtube_ids: Sequence[str]) -> None:
    """Put a batch of links on the queue of a DATA_DIR on which no program runs."""
    settings = Settings(_env_file=None, data_dir=data_dir, embedding_model=REMOTE_EMBEDDINGS)
    async with open_resources(settings) as resources:
        user = await find_user(resources, LOCAL_USER_EMAIL)
        found = [Found(name, [ListedVideo(name)]) for name in youtube_ids]
        async with resources.sessions.begin() as session:
            await add_found(session, user, found, Wishes())


async def post(url: str, youtube_ids: Sequence[str]) -> None:
    """Add links at the app."""
    async with httpx.AsyncClient(base_url=url, timeout=60) as http:
        answer = await http.post("/api/videos", json={"urls": list(youtube_ids)})
        answer.raise_for_status()


class Hands:
    """Which program works on which jobs, as the queue's table has it."""

    def __init__(self, onlooker: Onlooker) -> None:
        self._onlooker = onlooker
        self._names: dict[int, str] = {}
        self._seen: set[tuple[str, int]] = set()

    async def started(self, name: str) -> None:
        """Wait until the program that was started last is at work: it has two hands."""
        async with asyncio.timeout(OVER_TIMEOUT_S):
            while len(new := await self._new()) < 2:
                await asyncio.sleep(POLL_S)
        self._names |= dict.fromkeys(new, name)

    @property
    def done(self) -> dict[str, int]:
        return dict(Counter(name for name, _ in self._seen))

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Notes meanwhile who works on what."""
        task = asyncio.create_task(self._look())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def _look(self) -> None:
        doing = "SELECT worker_id, id FROM procrastinate_jobs WHERE status = 'doing'"
        while True:
            for worker_id, job_id in await self._onlooker.rows(doing):
                if worker_id in self._names:
                    self._seen.add((self._names[worker_id], job_id))
            await asyncio.sleep(POLL_S)

    async def _new(self) -> list[int]:
        try:
            rows = await self._onlooker.rows("SELECT id FROM procrastinate_workers")
        except psycopg.Error:
            return []
        return [worker_id for (worker_id,) in rows if worker_id not in self._names]


async def until(onlooker: Onlooker, ready: int) -> None:
    """Until so many videos are ready."""
    async with asyncio.timeout(OVER_TIMEOUT_S):
        while await onlooker.count("videos", LOADED) < ready:
            await asyncio.sleep(POLL_S)


async def differences(onlooker: Onlooker, videos: Mapping[str, SupadataVideo]) -> list[str]:
    """What is not as it should be after everything was loaded: nothing missing, nothing twice."""
    segments, chunks = await _texts(onlooker, "segments"), await _texts(onlooker, "chunks")
    wrong = []
    for name, video in videos.items():
        said = [text for _, _, text in video.captions["en"]]
        if segments.get(name) != said:
            wrong.append(f"{name} has other segments than its source")
        if " ".join(chunks.get(name, [])) != " ".join(said):
            wrong.append(f"{name} has other words in its chunks than its source")
    stored, indexed = sum(map(len, chunks.values())), await onlooker.points()
    if stored != indexed:
        wrong.append(f"the index holds {indexed} of {stored} chunks")
    return wrong


async def _texts(onlooker: Onlooker, table: str) -> dict[str, list[str]]:
    rows = await onlooker.rows(
        f"SELECT youtube_id, text FROM {table} JOIN transcripts ON transcripts.id = transcript_id"
        " JOIN videos ON videos.id = transcripts.video_id ORDER BY youtube_id, position"
    )
    texts: dict[str, list[str]] = {}
    for name, text in rows:
        texts.setdefault(name, []).append(text)
    return texts
