"""From Qdrant's requests to its engine's own objects, and from its answers to JSON."""

# The engine's names for types exist only in its stubs, so annotations must not run.
from __future__ import annotations

from typing import Any
from uuid import UUID

import qdrant_edge as edge

from talker.embedded import qdrant_schema as schema

_DISTANCES = {
    "Cosine": edge.Distance.Cosine,
    "Euclid": edge.Distance.Euclid,
    "Dot": edge.Distance.Dot,
    "Manhattan": edge.Distance.Manhattan,
}
_FIELD_TYPES: dict[schema.FieldType, edge.PayloadSchemaType] = {
    "keyword": edge.PayloadSchemaType.Keyword,
    "integer": edge.PayloadSchemaType.Integer,
    "float": edge.PayloadSchemaType.Float,
    "bool": edge.PayloadSchemaType.Bool,
    "datetime": edge.PayloadSchemaType.Datetime,
    "uuid": edge.PayloadSchemaType.Uuid,
}
_RRF_K = 2
LIMIT = 10
"""Qdrant's defaults for rank fusion, and for searches without a limit."""


def config(wanted: schema.CreateCollection) -> edge.EdgeConfig:
    return edge.EdgeConfig(
        vectors={
            name: edge.EdgeVectorParams(size=params.size, distance=_DISTANCES[params.distance])
            for name, params in (wanted.vectors or {}).items()
        },
        sparse_vectors={
            name: edge.EdgeSparseVectorParams(
                modifier=edge.Modifier.Idf if params.modifier == "idf" else None
            )
            for name, params in (wanted.sparse_vectors or {}).items()
        },
    )


def field_index(wanted: schema.CreateFieldIndex) -> edge.UpdateOperation:
    kind = wanted.field_schema
    if isinstance(kind, schema.KeywordIndexParams):
        params = edge.KeywordIndexParams(is_tenant=kind.is_tenant, on_disk=kind.on_disk)
        return edge.UpdateOperation.create_field_index(wanted.field_name, params)
    return edge.UpdateOperation.create_field_index(wanted.field_name, _FIELD_TYPES[kind])


def point(wanted: schema.PointStruct) -> edge.Point:
    vector = {name: _vector(value) for name, value in wanted.vector.items()}
    return edge.Point(wanted.id, vector, wanted.payload)


def filter_(wanted: schema.Filter) -> edge.Filter:
    return edge.Filter(
        must=_conditions(wanted.must),
        must_not=_conditions(wanted.must_not),
        should=_conditions(wanted.should),
    )


def _conditions(wanted: schema.Conditions | None) -> list[edge.ConditionType] | None:
    return None if wanted is None else [_condition(one) for one in wanted]


def _condition(wanted: schema.Condition) -> edge.ConditionType:
    match wanted:
        case schema.FieldCondition():
            return edge.FieldCondition(
                wanted.key, match=_match(wanted.match), range=_range(wanted.range)
            )
        case schema.HasIdCondition():
            return edge.HasIdCondition(set(wanted.has_id))
        case schema.IsEmptyCondition():
            return edge.IsEmptyCondition(wanted.is_empty.key)
        case schema.IsNullCondition():
            return edge.IsNullCondition(wanted.is_null.key)
        case schema.Filter():
            return filter_(wanted)


def _match(
    wanted: schema.Match | None,
) -> edge.MatchType | None:
    match wanted:
        case None:
            return None
        case schema.MatchValue():
            return edge.MatchValue(wanted.value)
        case schema.MatchAny():
            return edge.MatchAny(wanted.any)
        case schema.MatchExcept():
            return edge.MatchExcept(wanted.except_)


def _range(wanted: schema.Range | None) -> edge.RangeFloat | None:
    if wanted is None:
        return None
    return edge.RangeFloat(gte=wanted.gte, gt=wanted.gt, lte=wanted.lte, lt=wanted.lt)


def _vector(wanted: schema.Vector) -> edge.NamedVector:
    if isinstance(wanted, schema.SparseVector):
        return edge.SparseVector(wanted.indices, wanted.values)
    return wanted


def query(wanted: schema.QueryRequest) -> edge.QueryRequest:
    return edge.QueryRequest(
        limit=wanted.limit or LIMIT,
        offset=wanted.offset or 0,
        query=_query(wanted),
        prefetches=[_prefetch(inner) for inner in wanted.prefetch or ()],
        filter=filter_(wanted.filter) if wanted.filter else None,
        score_threshold=wanted.score_threshold,
        with_payload=payload_selector(wanted.with_payload, default=False),
        with_vector=wanted.with_vector or False,
    )


def _prefetch(wanted: schema.Prefetch) -> edge.Prefetch:
    return edge.Prefetch(
        limit=wanted.limit or LIMIT,
        query=_query(wanted),
        prefetches=[_prefetch(inner) for inner in wanted.prefetch or ()],
        filter=filter_(wanted.filter) if wanted.filter else None,
        score_threshold=wanted.score_threshold,
    )


def nearest(wanted: schema.Query | None) -> schema.Vector | None:
    """The vector of a query for the nearest points; None for a fusion or no query."""
    if isinstance(wanted, schema.NearestQuery):
        return wanted.nearest
    if isinstance(wanted, list | schema.SparseVector):
        return wanted
    return None


def _query(wanted: schema.Prefetch) -> edge.ScoringQueryType | None:
    # The fusions are kinds of Fusion to the engine, but not to its type stubs.
    vector = nearest(wanted.query)
    if vector is not None:
        return edge.Query.Nearest(_vector(vector), using=wanted.using or "")
    match wanted.query:
        case schema.FusionQuery(fusion="dbsf"):
            return edge.Fusion.Dbsf()  # type: ignore[return-value]
        case schema.FusionQuery():
            return edge.Fusion.Rrf(k=_RRF_K)  # type: ignore[return-value]
        case schema.RrfQuery(rrf=rrf):
            return edge.Fusion.Rrf(  # type: ignore[return-value]
                k=rrf.k or _RRF_K, weights=rrf.weights
            )
        case _:
            return None


def payload_selector(
    wanted: schema.WithPayload | None, *, default: bool
) -> bool | list[str] | edge.PayloadSelector:
    match wanted:
        case None:
            return default
        case schema.PayloadInclude():
            return edge.PayloadSelector.Include(wanted.include)
        case schema.PayloadExclude():
            return edge.PayloadSelector.Exclude(wanted.exclude)
        case _:
            return wanted


def record_json(found: edge.Record | edge.ScoredPoint) -> dict[str, Any]:
    """A point as Qdrant's REST API shows it; what was not asked for is left out."""
    shown: dict[str, Any] = {"id": point_id_json(found.id)}
    if isinstance(found, edge.ScoredPoint):
        shown |= {"version": found.version, "score": found.score}
    if found.payload is not None:
        shown["payload"] = found.payload
    if isinstance(found.vector, dict):
        shown["vector"] = {name: _vector_json(vector) for name, vector in found.vector.items()}
    return shown


def _vector_json(vector: edge.NamedVector) -> Any:
    if isinstance(vector, edge.SparseVector):
        return {"indices": vector.indices, "values": vector.values}
    return vector


def point_id_json(point_id: edge.PointId) -> int | str:
    return str(point_id) if isinstance(point_id, UUID) else point_id


def payload_index_json(info: edge.PayloadIndexInfo) -> dict[str, Any]:
    name = next(name for name, kind in _FIELD_TYPES.items() if kind == info.data_type)
    shown: dict[str, Any] = {"data_type": name, "points": info.points}
    if isinstance(info.params, edge.KeywordIndexParams):
        shown["params"] = {
            "type": "keyword",
            "is_tenant": info.params.is_tenant,
            "on_disk": info.params.on_disk,
        }
    return shown
