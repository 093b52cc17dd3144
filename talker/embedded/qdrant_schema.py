"""The requests that the embedded index takes: the part of Qdrant's published REST API we use.

Field for field as in Qdrant's OpenAPI document; what is not listed is refused, never ignored,
so that code which works here works with Qdrant.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    FiniteFloat,
    StrictBool,
    StrictStr,
    Tag,
    model_validator,
)


def as_list(value: Any) -> Any:
    """One where a list is meant, as Qdrant takes it."""
    return [value] if isinstance(value, dict) else value


class Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


def one_of(*names: str, otherwise: str | None = None) -> Discriminator:
    """Tell shapes apart by the field that only one of them has, so that errors say which."""

    def tag(value: Any) -> str | None:
        if not isinstance(value, dict):
            return otherwise
        return next((name for name in names if name in value), otherwise)

    return Discriminator(
        tag,
        custom_error_type="unknown_shape",
        custom_error_message=f"Only these are served here: {', '.join(names)}",
    )


PointId = Annotated[int, Field(ge=0, lt=2**64)] | UUID
Count = Annotated[int, Field(ge=1, lt=2**32)]
Offset = Annotated[int, Field(ge=0, lt=2**32)]
Integer = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Component = Annotated[float, Field(ge=-3.4e38, le=3.4e38)]
"""What fits into the 32 bits that a vector's component has."""

_STEP = r'(?:[\w-]+|"[^"]+")(?:\[\d*\])*'
FieldPath = Annotated[str, Field(pattern=rf"^{_STEP}(?:\.{_STEP})*$")]
"""As in `metadata.video_id`, `list[].name` or `"with space".x`."""

Setting = dict[str, Any]
"""Options that move data or trade accuracy for speed, of which an exact search needs none."""


class SparseVector(Request):
    indices: list[Annotated[int, Field(ge=0, lt=2**32)]]
    values: list[Component]

    @model_validator(mode="after")
    def _paired(self) -> "SparseVector":
        if len(self.indices) != len(self.values):
            raise ValueError("must be the same length as indices")
        if len(set(self.indices)) != len(self.indices):
            raise ValueError("indices must be unique")
        return self


DenseVector = list[Component]
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
    field_name: FieldPath
    field_schema: FieldType | KeywordIndexParams


# Filters

AnyOf = list[StrictStr] | list[Integer]


class MatchValue(Request):
    value: StrictBool | Integer | StrictStr


class MatchAny(Request):
    any: AnyOf


class MatchExcept(Request):
    except_: AnyOf = Field(alias="except")


class Range(Request):
    lt: FiniteFloat | None = None
    gt: FiniteFloat | None = None
    gte: FiniteFloat | None = None
    lte: FiniteFloat | None = None


Match = Annotated[
    Annotated[MatchValue, Tag("value")]
    | Annotated[MatchAny, Tag("any")]
    | Annotated[MatchExcept, Tag("except")],
    one_of("value", "any", "except"),
]


class FieldCondition(Request):
    key: FieldPath
    match: Match | None = None
    range: Range | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "FieldCondition":
        if self.match is None and self.range is None:
            raise ValueError("at least one field condition must be specified")
        return self


class HasIdCondition(Request):
    has_id: list[PointId]


class PayloadField(Request):
    key: FieldPath


class IsEmptyCondition(Request):
    is_empty: PayloadField


class IsNullCondition(Request):
    is_null: PayloadField


class Filter(Request):
    must: "Conditions | None" = None
    must_not: "Conditions | None" = None
    should: "Conditions | None" = None


Condition = Annotated[
    Annotated[FieldCondition, Tag("key")]
    | Annotated[HasIdCondition, Tag("has_id")]
    | Annotated[IsEmptyCondition, Tag("is_empty")]
    | Annotated[IsNullCondition, Tag("is_null")]
    | Annotated[Filter, Tag("filter")],
    one_of("key", "has_id", "is_empty", "is_null", otherwise="filter"),
]
Conditions = Annotated[list[Condition], BeforeValidator(as_list)]


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


class QuantizationSearchParams(Request):
    ignore: bool | None = None
    rescore: bool | None = None
    oversampling: Annotated[FiniteFloat, Field(ge=1)] | None = None


class SearchParams(Request):
    """All are met at once: every search here is exact."""

    hnsw_ef: int | None = None
    exact: bool | None = None
    quantization: QuantizationSearchParams | None = None


class Prefetch(Request):
    prefetch: "Annotated[list[Prefetch], BeforeValidator(as_list)] | None" = None
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
