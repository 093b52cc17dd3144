"""The index's engine with a million vectors: exact, or with a graph and quantised.

Exact is how the embedded index searches; a graph and quantisation are what Qdrant's own server
adds by its settings. Each has a process of its own, so that its memory is its own.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import mean, median
from uuid import UUID

import numpy as np
import numpy.typing as npt
import psutil
import qdrant_edge as edge

from bench.loading import segments_of, speech
from bench.programs import disk_mb
from bench.report import Row, p95_ms
from ingestion.chunking import chunk
from talker.embeddings import open_embeddings
from talker.points import DENSE, HNSW_EF, OVERSAMPLING
from talker.settings import Settings

Vectors = npt.NDArray[np.float32]

SEED = 8
NOISE = 0.5
"""How far a simulated vector lies from a real one of length 1: a cosine of 0.9."""
CHUNKS = 100
"""Of a video."""
VIDEOS_AT_ONCE = 20
QUERIES, LIMIT = 50, 100

WIDELY = edge.SearchParams(
    hnsw_ef=HNSW_EF,
    quantization=edge.QuantizationSearchParams(rescore=True, oversampling=OVERSAMPLING),
)
EXACT = edge.EdgeConfig
GRAPH = partial(
    edge.EdgeConfig,
    hnsw_config=edge.HnswIndexConfig(m=16, ef_construct=100, full_scan_threshold=10_000),
    quantization_config=edge.ScalarQuantizationConfig(
        edge.ScalarType.Int8, memory=edge.Memory.Pinned
    ),
    # Qdrant's own default would leave several small graphs.
    optimizers=edge.EdgeOptimizersConfig(default_segment_number=1, max_segment_size=10_000_000),
)
KINDS: dict[str, tuple[Callable[..., edge.EdgeConfig], edge.VectorStorageDatatype, bool]] = {
    "exact": (EXACT, edge.VectorStorageDatatype.Float32, False),
    "exact, vectors of 8 bits": (EXACT, edge.VectorStorageDatatype.Turbo8, False),
    "graph, quantised to 8 bits": (GRAPH, edge.VectorStorageDatatype.Float32, True),
}
"""Configuration, what a component is stored as, and whether a graph is built."""


def near(real: Vectors, count: int, chance: np.random.Generator) -> Vectors:
    """`count` vectors of length 1, each as near to one of `real` as passages about one thing."""
    around = real[chance.integers(len(real), size=count)]
    noise = chance.standard_normal((count, real.shape[1]), np.float32)
    moved = around + NOISE * noise / np.linalg.norm(noise, axis=1, keepdims=True)
    return np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True), np.float32)


async def run(videos: int = 10_000) -> list[Row]:
    embeddings = open_embeddings(Settings(_env_file=None))
    texts = [one.text for talk in speech() for one in chunk(segments_of(talk))]
    real = np.array(embeddings.embed_documents(texts), np.float32)
    queries = near(real, QUERIES, np.random.default_rng(SEED))
    best = _best(real, queries, videos)
    rows: list[Row] = []
    for kind in KINDS:
        # One for each: memory that was taken once is not always given back.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            rows += process.submit(_measure, kind, real, queries, best, videos).result()
    exact = {row.measure: row.ours for row in rows if row.section == rows[0].section}
    return [
        row
        if row.section == rows[0].section or row.measure not in exact
        else Row(row.section, row.measure, row.ours, row.unit, exact[row.measure], "exact")
        for row in rows
    ]


def _of_videos(real: Vectors, number: int) -> Vectors:
    """The vectors of some videos, the same in every process."""
    return near(real, VIDEOS_AT_ONCE * CHUNKS, np.random.default_rng((SEED, number)))


def _best(real: Vectors, queries: Vectors, videos: int) -> list[set[int]]:
    """The ids of each query's nearest vectors, by looking at all of them."""
    size = VIDEOS_AT_ONCE * CHUNKS
    near_by = [queries @ _of_videos(real, number).T for number in range(videos // VIDEOS_AT_ONCE)]
    cosines = np.concatenate(near_by, axis=1)
    assert cosines.shape[1] == videos // VIDEOS_AT_ONCE * size
    return [set(np.argpartition(-row, LIMIT)[:LIMIT].tolist()) for row in cosines]


def _measure(
    kind: str, real: Vectors, queries: Vectors, best: Sequence[set[int]], videos: int
) -> list[Row]:
    section = f"{videos * CHUNKS:,} vectors, {kind}"
    configured, stored_as, builds_graph = KINDS[kind]
    with tempfile.TemporaryDirectory(prefix="talker-bench-") as folder:
        vectors = edge.EdgeVectorParams(real.shape[1], edge.Distance.Cosine, datatype=stored_as)
        shard = edge.EdgeShard.create(folder, configured({DENSE: vectors}))
        shard.update(
            edge.UpdateOperation.create_field_index("video_id", edge.PayloadSchemaType.Keyword)
        )
        began = time.perf_counter()
        video_ids = _fill(shard, real, videos)
        rows = [Row(section, "written in", time.perf_counter() - began, "s")]
        if builds_graph:
            began = time.perf_counter()
            shard.optimize()
            rows.append(Row(section, "graph built in", time.perf_counter() - began, "s"))
        shard.flush()
        shard.close()
        shard = edge.EdgeShard.load(folder)
        everywhere = edge.Filter(
            must=[edge.FieldCondition("video_id", match=edge.MatchAny(video_ids))]
        )
        one = edge.Filter(
            must=[edge.FieldCondition("video_id", match=edge.MatchAny(video_ids[:1]))]
        )
        for name, where in (("", None), (" in a list of all videos", everywhere), (" in one", one)):
            took, found = _ask(shard, queries, where)
            rows += [
                Row(section, f"search{name}, median", median(took) * 1000, "ms"),
                Row(section, f"search{name}, p95", p95_ms(took), "ms"),
            ]
            if where is not one:
                share = mean(len(a & b) / LIMIT for a, b in zip(found, best, strict=True))
                rows.append(Row(section, f"search{name}, recall of the best {LIMIT}", share))
        memory = psutil.Process().memory_full_info()
        rows += [
            Row(section, "memory", getattr(memory, "pss", memory.rss) / 1e6, "MB"),
            Row(section, "disk", disk_mb(Path(folder)), "MB"),
        ]
        shard.close()
    return rows


def _fill(shard: edge.EdgeShard, real: Vectors, videos: int) -> list[str]:
    video_ids: list[str] = []
    for number in range(videos // VIDEOS_AT_ONCE):
        some = _of_videos(real, number).tolist()
        first = number * len(some)
        video_ids += [str(UUID(int=number * VIDEOS_AT_ONCE + n)) for n in range(VIDEOS_AT_ONCE)]
        points = [
            edge.Point(first + n, {DENSE: vector}, {"video_id": video_ids[(first + n) // CHUNKS]})
            for n, vector in enumerate(some)
        ]
        shard.update(edge.UpdateOperation.upsert_points(points))
    return video_ids


def _ask(
    shard: edge.EdgeShard, queries: Vectors, where: edge.Filter | None
) -> tuple[list[float], list[set[int]]]:
    """Seconds that each query took, and the ids that it found."""
    took: list[float] = []
    found: list[set[int]] = []
    for query in queries.tolist():
        nearest = edge.Query.Nearest(query, using=DENSE)
        began = time.perf_counter()
        points = shard.query(edge.QueryRequest(LIMIT, query=nearest, filter=where, params=WIDELY))
        took.append(time.perf_counter() - began)
        found.append({int(point.id) for point in points})
    return took, found
