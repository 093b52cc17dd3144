"""A library of 10,000 videos, a million chunks: what finding the right moment takes there.

The talks are simulated. Each caption line is one of the loaded speech's, and each chunk's vector
lies as near to a real chunk's as passages about one thing do, so that words and cosines are spread
as in speech; only what the talks say is nonsense.
"""

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from bench.answers import asked
from bench.loading import speech
from bench.programs import app, disk_mb, model_service, server_memory_mb
from bench.report import Row, beside, p95_ms
from bench.vectors import Vectors, near
from talker.points import DENSE, SPARSE, IndexedChunk, metadata
from talker.text import weights
from tests.make import conversation, upload
from tests.programs import Onlooker

CHUNKS = 100
"""Of a video, each of LINES caption lines of LINE_MS: three quarters of an hour."""
LINES, LINE_MS = 8, 3_500
POINTS = 1_000
"""Written together."""
VIDEOS_AT_ONCE = 500
SEARCHES = 40
FIRST_TOKEN_MS = 400.0
QUESTIONS = (
    "how does a neural network learn from examples",
    "what is a derivative",
    "why did the first lens stand at Cordouan",
    "the difference between speed and velocity",
    "how do you find the area under a curve",
    "what does an eigenvector tell about a matrix",
    "how many attention heads are there",
    "why is the light of a lamp bent by glass",
    "czym jest pochodna funkcji",
    "cómo aprende una red neuronal",
)

TABLES = """
CREATE TABLE simulated (transcript_id uuid PRIMARY KEY, video_id uuid NOT NULL, n int NOT NULL);
CREATE TABLE said AS SELECT row_number() OVER () - 1 AS n, text FROM segments
"""
VIDEOS = """
WITH made AS (
    INSERT INTO videos (id, youtube_id, title, channel, language, duration_ms, chapters, available,
        status, created_at, updated_at)
    SELECT gen_random_uuid(), 'v' || lpad(n::text, 10, '0'), 'Simulated talk ' || n,
        'Channel ' || n % 100, 'en', {chunks} * {lines} * {line_ms}, '[]', '[]', 'ready', now(),
        now()
    FROM generate_series({first}, {last}) AS n RETURNING id, youtube_id
), known AS (
    INSERT INTO library_entries (user_id, video_id, added_at)
    SELECT users.id, made.id, now() FROM made, users
), written AS (
    INSERT INTO transcripts (id, video_id, language, kind, provider, bytes, created_at)
    SELECT gen_random_uuid(), id, 'en', 'manual', 'supadata', 0, now() FROM made
    RETURNING id, video_id
)
INSERT INTO simulated SELECT written.id, video_id, substr(youtube_id, 2)::int
FROM written JOIN made ON made.id = video_id
"""
SEGMENTS = """
INSERT INTO segments (transcript_id, position, start_ms, duration_ms, text)
SELECT transcript_id, position, position * {line_ms}, {line_ms}, said.text
FROM simulated CROSS JOIN generate_series(0, {chunks} * {lines} - 1) AS position
JOIN said ON said.n = abs(hashint4(simulated.n * 1000 + position)::bigint) % {said}
WHERE simulated.n BETWEEN {first} AND {last}
"""
CHUNKED = """
INSERT INTO chunks (id, video_id, transcript_id, position, first_segment, last_segment, start_ms,
    end_ms, text)
SELECT gen_random_uuid(), video_id, transcript_id, position / {lines}, min(position),
    max(position), min(start_ms), max(start_ms) + {line_ms},
    string_agg(text, ' ' ORDER BY position)
FROM simulated JOIN segments USING (transcript_id) WHERE n BETWEEN {first} AND {last}
GROUP BY video_id, transcript_id, position / {lines}
"""
WRITTEN = """
SELECT chunks.id, chunks.video_id, position, 'en', start_ms, end_ms, text
FROM chunks JOIN simulated USING (transcript_id) WHERE n BETWEEN {first} AND {last}
"""


async def run(videos: int = 10_000) -> list[Row]:
    """The same questions at a hundredth, a tenth and all of the videos."""
    smallest, *larger = (max(1, videos // part) for part in (100, 10, 1))
    with tempfile.TemporaryDirectory(prefix="talker-bench-") as folder:
        data_dir = Path(folder) / "data"
        async with (
            model_service(FIRST_TOKEN_MS, 0) as url,
            app(data_dir, OPENROUTER_BASE_URL=url, CHAT_MODELS="m", LOG_LEVEL="ERROR") as served,
        ):
            for talk in speech():
                await upload(served.http, json.dumps(talk).encode())
            library = await Library.open(data_dir)
            await library.grow(smallest)
            first = await _measure(served.http, data_dir, smallest)
            rows = list(first)
            for size in larger:
                await library.grow(size)
                rows += beside(await _measure(served.http, data_dir, size), first)
    return rows


class Library:
    """The library of the one person, and the index, written to by the servers' own protocols."""

    def __init__(self, onlooker: Onlooker, index: str, vectors: Vectors, said: int) -> None:
        self._onlooker = onlooker
        self._index = index
        self._vectors = vectors
        self._said = said
        self._size = 0

    @staticmethod
    async def open(data_dir: Path) -> "Library":
        onlooker = Onlooker(data_dir)
        await onlooker.execute(TABLES)
        [[said]] = await onlooker.rows("SELECT count(*) FROM said")
        index = await onlooker.current_index()
        asked = json.dumps({"limit": 10_000, "with_vector": [DENSE]}).encode()
        found = await onlooker.index("POST", f"/collections/{index}/points/scroll", asked)
        vectors = np.array([one["vector"][DENSE] for one in found["points"]], np.float32)
        return Library(onlooker, index, vectors, said)

    async def grow(self, size: int) -> None:
        loop = asyncio.get_running_loop()
        with ProcessPoolExecutor(1, mp_context=get_context("forkserver")) as pool:
            for first in range(self._size, size, VIDEOS_AT_ONCE):
                last = min(first + VIDEOS_AT_ONCE, size) - 1
                given = {"first": first, "last": last, "said": self._said}
                sizes = {"chunks": CHUNKS, "lines": LINES, "line_ms": LINE_MS}
                for statement in (VIDEOS, SEGMENTS, CHUNKED):
                    await self._onlooker.execute(statement.format(**given, **sizes))
                chunks = [
                    IndexedChunk(*row) for row in await self._onlooker.rows(WRITTEN.format(**given))
                ]
                for at in range(0, len(chunks), POINTS):
                    some = chunks[at : at + POINTS]
                    body = await loop.run_in_executor(pool, points, some, self._vectors)
                    await self._onlooker.index("PUT", f"/collections/{self._index}/points", body)
        self._size = size


def points(chunks: Sequence[IndexedChunk], real: Vectors) -> bytes:
    """The request that puts chunks into the index."""
    vectors = near(real, len(chunks), np.random.default_rng(chunks[0].id.int % 2**32))
    return json.dumps({"points": list(_points(chunks, vectors))}).encode()


def _points(chunks: Sequence[IndexedChunk], vectors: Vectors) -> Iterator[dict[str, Any]]:
    for chunk, vector in zip(chunks, vectors.round(5).tolist(), strict=True):
        terms = weights(chunk.text, chunk.language)
        sparse = {"indices": list(terms), "values": list(terms.values())}
        payload = {"page_content": chunk.text, "metadata": metadata(chunk)}
        yield {
            "id": str(chunk.id),
            "vector": {DENSE: vector, SPARSE: sparse},
            "payload": payload,
        }


async def _measure(http: httpx.AsyncClient, data_dir: Path, size: int) -> list[Row]:
    section = f"a library of {size:,} videos, {size * CHUNKS:,} chunks"
    searches = [await _search(http, number) for number in range(SEARCHES)]
    turns = [
        (await asked(http, await conversation(http), f"{question}?")).first_token_s
        for question in QUESTIONS
    ]
    lists = [await _get(http, "/api/videos", limit=50) for _ in QUESTIONS]
    rows = [
        Row(section, "a search, median", statistics.median(searches) * 1000, "ms"),
        Row(section, "a search, p95", p95_ms(searches), "ms"),
        Row(section, "first token, median", statistics.median(turns) * 1000, "ms"),
        Row(section, "the library's first page", statistics.median(lists) * 1000, "ms"),
    ]
    for name in ("qdrant", "postgres"):
        memory, disk = server_memory_mb(data_dir, name), disk_mb(data_dir / name)
        rows += [
            Row(section, f"memory of {name.title()}", memory, "MB"),
            Row(section, f"disk of {name.title()}", disk, "MB"),
        ]
    return rows


async def _search(http: httpx.AsyncClient, number: int) -> float:
    question = f"{QUESTIONS[number % len(QUESTIONS)]} {number // len(QUESTIONS) or ''}".strip()
    return await _get(http, "/api/search", q=question)


async def _get(http: httpx.AsyncClient, path: str, **query: Any) -> float:
    began = time.perf_counter()
    (await http.get(path, params=query)).raise_for_status()
    return time.perf_counter() - began
