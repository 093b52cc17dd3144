"""The requests that the embedded index takes: the part of Qdrant's published REST API we use.

Field for field as in Qdrant's OpenAPI document; what is not listed is refused, never ignored,
so that code which works here works with Qdrant.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    StrictBool,
    StrictInt,
    StrictStr,
    model_validator,
)


class Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


PointId = Annotated[int, Field(ge=0, lt=2**64)] | UUID
Count = Annotated[int, Field(ge=1, lt=2**32)]
Offset = Annotated[int, Field(ge=0, lt=2**32)]
Setting = dict[str, Any]
"""Options that move data or trade accuracy for speed, of which an exact search needs none."""


class SparseVector(Request):
    indices: list[Annotated[int, Field(ge=0, lt=2**32)]]
    values: list[FiniteFloat]

    @model_validator(mode="after")
    def _paired(self) -> "SparseVector":
        if len(self.indices) != len(self.values):
            raise ValueError("must be the same length as indices")
        if len(set(self.indices)) != len(self.indices):
            raise ValueError("indices must be unique")
        return self


DenseVector = list[FiniteFloat]
Vector = DenseVector | SparseVector


# Collections


class VectorParams(Request):
    size: Annotated[int, Field(ge=1, le=65536)]
    distance: Literal["Cosine", "Euclid", "Dot", "Manhattan"]
    on_disk: bool | None = None
    hnsw_config: Setting | None = None
    quantization_config: Setting | None = None


class SparseIndexParams(Request):
    on_disk: bool | None = None
    full_scan_threshold: int | None = None


class SparseVectorParams(Request):
    index: SparseIndexParams | None = None
    modifier: Literal["idf", "none"] | None = None


class CreateCollection(Request):
    """Vectors must be named. Replicas, shards and approximation are taken and left unused."""

    vectors: dict[str, VectorParams] | None = None
    sparse_vectors: dict[str, SparseVectorParams] | None = None
    shard_number: Count | None = None
    replication_factor: Count | None = None
    write_consistency_factor: Count | None = None
    on_disk_payload: bool | None = None
    hnsw_config: Setting | None = None
    optimizers_config: Setting | None = None
    quantization_config: Setting | None = None

    @model_validator(mode="after")
    def _distinct(self) -> "CreateCollection":
        both = (self.vectors or {}).keys() & (self.sparse_vectors or {}).keys()
        if both:
            raise ValueError(f"vector names must be distinct: {', '.join(sorted(both))}")
        return self


FieldType = Literal["keyword", "integer", "float", "bool", "datetime", "uuid"]


class KeywordIndexParams(Request):
    type: Literal["keyword"]
    is_tenant: bool | None = None
    on_disk: bool | None = None


class CreateFieldIndex(Request):
    field_name: Annotated[str, Field(min_length=1)]
    field_schema: FieldType | KeywordIndexParams


# Filters

AnyOf = list[StrictStr] | list[StrictInt]


class MatchValue(Request):
    value: StrictBool | StrictInt | StrictStr


class MatchAny(Request):
    any: AnyOf


class MatchExcept(Request):
    except_: AnyOf = Field(alias="except")


class Range(Request):
    lt: FiniteFloat | None = None
    gt: FiniteFloat | None = None
    gte: FiniteFloat | None = None
    lte: FiniteFloat | None = None


class FieldCondition(Request):
    key: Annotated[str, Field(min_length=1)]
    match: MatchValue | MatchAny | MatchExcept | None = None
    range: Range | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "FieldCondition":
        if self.match is None and self.range is None:
            raise ValueError("at least one field condition must be specified")
        return self


class HasIdCondition(Request):
    has_id: list[PointId]


class PayloadField(Request):
    key: Annotated[str, Field(min_length=1)]


class IsEmptyCondition(Request):
    is_empty: PayloadField


class IsNullCondition(Request):
    is_null: PayloadField


class Filter(Request):
    must: "list[Condition] | Condition | None" = None
    must_not: "list[Condition] | Condition | None" = None
    should: "list[Condition] | Condition | None" = None


Condition = FieldCondition | HasIdCondition | IsEmptyCondition | IsNullCondition | Filter


# Writing


class PointStruct(Request):
    id: PointId
    vector: dict[str, Vector]
    payload: dict[str, Any] | None = None


class PointsList(Request):
    points: list[PointStruct]


class PointsSelector(Request):
    points: list[PointId] | None = None
    filter: Filter | None = None

    @model_validator(mode="after")
    def _one_of(self) -> "PointsSelector":
        if (self.points is None) == (self.filter is None):
            raise ValueError("give either points or filter")
        return self


# Reading


class PayloadInclude(Request):
    include: list[str]


class PayloadExclude(Request):
    exclude: list[str]


WithPayload = bool | list[str] | PayloadInclude | PayloadExclude
WithVector = bool | list[str]


class PointRequest(Request):
    ids: list[PointId]
    with_payload: WithPayload | None = None
    with_vector: WithVector | None = None


class ScrollRequest(Request):
    offset: PointId | None = None
    limit: Count | None = None
    filter: Filter | None = None
    with_payload: WithPayload | None = None
    with_vector: WithVector | None = None


class CountRequest(Request):
    filter: Filter | None = None
    exact: bool | None = None


class NearestQuery(Request):
    nearest: Vector


class FusionQuery(Request):
    fusion: Literal["rrf", "dbsf"]


class Rrf(Request):
    k: Annotated[int, Field(ge=1)] | None = None
    weights: list[FiniteFloat] | None = None


class RrfQuery(Request):
    rrf: Rrf


Query = DenseVector | SparseVector | NearestQuery | FusionQuery | RrfQuery


class SearchParams(Request):
    """Both are met at once: every search here is exact."""

    hnsw_ef: int | None = None
    exact: bool | None = None


class Prefetch(Request):
    prefetch: "list[Prefetch] | Prefetch | None" = None
    query: Query | None = None
    using: str | None = None
    filter: Filter | None = None
    params: SearchParams | None = None
    score_threshold: FiniteFloat | None = None
    limit: Count | None = None


class QueryRequest(Prefetch):
    offset: Offset | None = None
    with_payload: WithPayload | None = None
    with_vector: WithVector | None = None


class QueryRequestBatch(Request):
    searches: list[QueryRequest]
