"""The embedded index's collections: one folder each, with its settings and its engine's files."""

# The engine's names for types exist only in its stubs, so annotations must not run.
from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import qdrant_edge as edge

from talker.embedded import qdrant_engine as engine
from talker.embedded import qdrant_schema as schema
from talker.embedded.place import sync_folder, write_durably

_MAX_NAME_LENGTH = 200


class Refused(Exception):
    """A request that is answered with this status and sentence, in Qdrant's own words."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Unreadable(Exception):
    """A collection that its engine cannot open; the index can be rebuilt without it."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(
            f"the collection in {folder} cannot be opened ({reason}); move that folder away "
            "and run `ingest reindex`"
        )


class Collection:
    """One open collection. The engine is not asked for what it would refuse half-way.

    It writes a request to its log before it looks at it, and a point with a wrong vector comes
    back from there, empty, at the next start: so points are checked here.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            settings = (folder / "collection.json").read_text()
            self.settings = schema.CreateCollection.model_validate_json(settings)
            self._shard = edge.EdgeShard.load(str(folder / "shard"))
        except Exception as error:
            raise Unreadable(folder, str(error)) from error
        self._operations = 0
        self._unflushed = False

    @staticmethod
    def create(folder: Path, settings: schema.CreateCollection) -> None:
        """Make its files, whole or not at all."""
        draft = folder.with_name(f".new-{uuid4()}")
        draft.mkdir()
        (draft / "shard").mkdir()
        shard = edge.EdgeShard.create(str(draft / "shard"), engine.config(settings))
        shard.flush()
        shard.close()
        write_durably(draft / "collection.json", settings.model_dump_json(exclude_none=True))
        draft.rename(folder)
        sync_folder(folder.parent)

    def info(self) -> edge.ShardInfo:
        return self._shard.info()

    def upsert(self, points: Sequence[schema.PointStruct], *, wait: bool) -> int:
        for point in points:
            for name, vector in point.vector.items():
                self._check_vector(name, vector)
        return self._update(
            edge.UpdateOperation.upsert_points([engine.point(point) for point in points]), wait=wait
        )

    def delete(self, selector: schema.PointsSelector, *, wait: bool) -> int:
        if selector.filter is not None:
            unwanted = engine.filter_(selector.filter)
            return self._update(edge.UpdateOperation.delete_points_by_filter(unwanted), wait=wait)
        points: list[edge.PointId] = list(selector.points or [])
        return self._update(edge.UpdateOperation.delete_points(points), wait=wait)

    def index_field(self, wanted: schema.CreateFieldIndex, *, wait: bool) -> int:
        return self._update(engine.field_index(wanted), wait=wait)

    def query(self, wanted: schema.QueryRequest) -> list[edge.ScoredPoint]:
        self._check_query(wanted)
        self._check_vector_names(wanted.with_vector)
        return self._shard.query(engine.query(wanted))

    def scroll(self, wanted: schema.ScrollRequest) -> tuple[list[edge.Record], edge.PointId | None]:
        self._check_vector_names(wanted.with_vector)
        return self._shard.scroll(
            edge.ScrollRequest(
                offset=wanted.offset,
                limit=wanted.limit or engine.LIMIT,
                filter=engine.filter_(wanted.filter) if wanted.filter else None,
                with_payload=engine.payload_selector(wanted.with_payload, default=True),
                with_vector=wanted.with_vector or False,
            )
        )

    def count(self, wanted: schema.CountRequest) -> int:
        within = engine.filter_(wanted.filter) if wanted.filter else None
        return self._shard.count(edge.CountRequest(exact=wanted.exact is not False, filter=within))

    def retrieve(self, wanted: schema.PointRequest) -> list[edge.Record]:
        self._check_vector_names(wanted.with_vector)
        return self._shard.retrieve(
            list(wanted.ids),
            with_payload=engine.payload_selector(wanted.with_payload, default=True),
            with_vector=wanted.with_vector or False,
        )

    def flush(self) -> None:
        """Put on disk what was written without being waited for."""
        if self._unflushed:
            self._shard.flush()
            self._unflushed = False

    def close(self) -> None:
        self.flush()
        self._shard.close()

    def _update(self, operation: edge.UpdateOperation, *, wait: bool) -> int:
        self._shard.update(operation)
        self._unflushed = True
        if wait:
            self.flush()
        self._operations += 1
        return self._operations

    def _check_query(self, wanted: schema.Prefetch) -> None:
        inner = wanted.prefetch or []
        vector = engine.nearest(wanted.query)
        if vector is not None:
            self._check_vector(wanted.using or "", vector)
        elif wanted.query is None:
            raise Refused(400, "Wrong input: a query is needed; the embedded index has no default")
        elif not inner:
            raise Refused(400, "Wrong input: cannot apply Fusion without prefetches")
        elif isinstance(wanted.query, schema.RrfQuery):
            weights = wanted.query.rrf.weights
            if weights is not None and len(weights) != len(inner):
                raise Refused(400, "Wrong input: RRF needs one weight for each prefetch")
        for prefetch in inner:
            self._check_query(prefetch)

    def _check_vector(self, name: str, vector: schema.Vector) -> None:
        dense = (self.settings.vectors or {}).get(name)
        sparse = (self.settings.sparse_vectors or {}).get(name)
        if dense is None and sparse is None:
            raise Refused(400, f"Wrong input: Not existing vector name error: {name}")
        if isinstance(vector, schema.SparseVector):
            if dense is not None:
                raise Refused(400, f"Wrong input: the vector {name} is dense, not sparse")
        elif dense is None:
            raise Refused(400, f"Wrong input: the vector {name} is sparse, not dense")
        elif len(vector) != dense.size:
            raise Refused(
                400,
                "Wrong input: Vector dimension error: "
                f"expected dim: {dense.size}, got {len(vector)}",
            )

    def _check_vector_names(self, wanted: schema.WithVector | None) -> None:
        known = {*(self.settings.vectors or {}), *(self.settings.sparse_vectors or {})}
        for name in wanted if isinstance(wanted, list) else ():
            if name not in known:
                raise Refused(400, f"Wrong input: Not existing vector name error: {name}")


class Store:
    """Every collection in a folder, all open at once."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._collections: dict[str, Collection] = {}
        for entry in sorted(folder.iterdir()):
            if entry.name.startswith("."):  # a creation or deletion that was cut short
                shutil.rmtree(entry)
            elif entry.is_dir():
                self._collections[entry.name] = Collection(entry)

    def names(self) -> list[str]:
        return sorted(self._collections)

    def get(self, name: str) -> Collection:
        try:
            return self._collections[name]
        except KeyError:
            raise Refused(404, f"Not found: Collection `{name}` doesn't exist!") from None

    def create(self, name: str, settings: schema.CreateCollection) -> None:
        if name in self._collections:
            raise Refused(409, f"Wrong input: Collection `{name}` already exists!")
        if (
            not 0 < len(name.encode()) <= _MAX_NAME_LENGTH
            or name.startswith(".")
            or set(name) & set('<>:"/\\|?*\0\x1f')
        ):
            raise Refused(422, f"Validation error: {name!r} cannot name a collection")
        folder = self._folder / name
        Collection.create(folder, settings)
        self._collections[name] = Collection(folder)

    def delete(self, name: str) -> bool:
        collection = self._collections.pop(name, None)
        if collection is None:
            return False
        collection.close()
        grave = collection.folder.with_name(f".deleted-{uuid4()}")
        collection.folder.rename(grave)
        sync_folder(self._folder)
        with suppress(OSError):  # what is left goes at the next start
            shutil.rmtree(grave)
        return True

    def flush(self) -> None:
        for collection in self._collections.values():
            collection.flush()

    def close(self) -> None:
        for collection in self._collections.values():
            collection.close()


def collection_json(collection: Collection) -> dict[str, Any]:
    """What Qdrant's `GET /collections/{name}` answers, with its defaults where it has no equal."""
    settings = collection.settings
    given = settings.model_dump(exclude_none=True)
    info = collection.info()
    return {
        "status": "green",
        "optimizer_status": "ok",
        "indexed_vectors_count": info.indexed_vectors_count,
        "points_count": info.points_count,
        "segments_count": info.segments_count,
        "config": {
            "params": {
                "vectors": given.get("vectors", {}),
                "sparse_vectors": given.get("sparse_vectors", {}),
                "shard_number": settings.shard_number or 1,
                "replication_factor": settings.replication_factor or 1,
                "write_consistency_factor": settings.write_consistency_factor or 1,
                "on_disk_payload": settings.on_disk_payload is not False,
            },
            "hnsw_config": {
                "m": 16,
                "ef_construct": 100,
                "full_scan_threshold": 10_000,
                **(settings.hnsw_config or {}),
            },
            "optimizer_config": {
                "deleted_threshold": 0.2,
                "vacuum_min_vector_number": 1000,
                "default_segment_number": 0,
                "flush_interval_sec": 5,
                **(settings.optimizers_config or {}),
            },
            "wal_config": {"wal_capacity_mb": 32, "wal_segments_ahead": 0},
            "quantization_config": settings.quantization_config,
        },
        "payload_schema": {
            field: engine.payload_index_json(index) for field, index in info.payload_schema.items()
        },
    }
