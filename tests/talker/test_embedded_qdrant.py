"""The embedded index, asked through Qdrant's own client and held to its published API."""

import asyncio
import math
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio
from langchain_core.embeddings import Embeddings
from langchain_qdrant import QdrantVectorStore, RetrievalMode, SparseEmbeddings, SparseVector
from qdrant_client import AsyncQdrantClient, QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from talker.embedded import ServerUrls, servers
from talker.settings import Settings

RED, GREEN, BLUE = UUID(int=1), UUID(int=2), UUID(int=3)


def settings_for(data_dir: Path) -> Settings:
    """An index without a database beside it."""
    return Settings(_env_file=None, data_dir=data_dir, database_url="postgresql://elsewhere/db")


def headers(urls: ServerUrls) -> dict[str, str]:
    assert urls.qdrant_api_key
    return {"api-key": urls.qdrant_api_key.get_secret_value()}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def urls(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerUrls]:
    async with servers(settings_for(tmp_path_factory.mktemp("index"))) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def client(urls: ServerUrls) -> AsyncIterator[AsyncQdrantClient]:
    opened = AsyncQdrantClient(
        url=urls.qdrant_url, headers=headers(urls), check_compatibility=False
    )
    yield opened
    await opened.close()


@pytest_asyncio.fixture(loop_scope="session")
async def http(urls: ServerUrls) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=urls.qdrant_url, headers=headers(urls)) as opened:
        yield opened


async def create(client: AsyncQdrantClient, name: str) -> None:
    await client.create_collection(
        name,
        vectors_config={"dense": models.VectorParams(size=3, distance=models.Distance.COSINE)},
        sparse_vectors_config={"words": models.SparseVectorParams(modifier=models.Modifier.IDF)},
    )


def words(*indices: int) -> models.SparseVector:
    return models.SparseVector(indices=list(indices), values=[1.0] * len(indices))


@pytest_asyncio.fixture(loop_scope="session")
async def colours(client: AsyncQdrantClient) -> str:
    """Three points: red (video a, 1 s), green (video a, 2 s) and blue (video b, 3 s)."""
    name = f"colours-{uuid4()}"
    await create(client, name)
    await client.create_payload_index(
        name, "metadata.video_id", models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD)
    )
    vectors = ([1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.6, 0.8])
    payloads = ({"video_id": "a", "at": 1}, {"video_id": "a", "at": 2}, {"video_id": "b", "at": 3})
    await client.upsert(
        name,
        [
            models.PointStruct(
                id=str(point_id),
                vector={"dense": vector, "words": words(7, 10 + number)},
                payload={"metadata": payload, "text": f"point {number}"},
            )
            for number, (point_id, vector, payload) in enumerate(
                zip((RED, GREEN, BLUE), vectors, payloads, strict=True)
            )
        ],
    )
    return name


def of_videos(*video_ids: str) -> models.Filter:
    match = models.MatchAny(any=list(video_ids))
    return models.Filter(must=[models.FieldCondition(key="metadata.video_id", match=match)])


def ids(answer: models.QueryResponse) -> list[UUID]:
    return [UUID(str(point.id)) for point in answer.points]


# Collections


async def test_the_client_finds_a_server_of_its_own_time(urls: ServerUrls) -> None:
    # Warnings are errors here, and the client warns of a server that is too old or too new.
    client = await asyncio.to_thread(QdrantClient, url=urls.qdrant_url, headers=headers(urls))
    try:
        assert (await asyncio.to_thread(client.info)).version
    finally:
        client.close()


async def test_a_collection_is_created_shown_and_deleted(client: AsyncQdrantClient) -> None:
    name = str(uuid4())
    assert not await client.collection_exists(name)
    await create(client, name)
    assert await client.collection_exists(name)
    assert name in [one.name for one in (await client.get_collections()).collections]

    info = await client.get_collection(name)
    assert info.status == models.CollectionStatus.GREEN
    assert info.config.params.vectors == {
        "dense": models.VectorParams(size=3, distance=models.Distance.COSINE)
    }
    assert info.config.params.sparse_vectors == {
        "words": models.SparseVectorParams(modifier=models.Modifier.IDF)
    }
    assert (info.points_count, info.payload_schema) == (0, {})

    assert await client.delete_collection(name)
    assert not await client.collection_exists(name)
    assert not await client.delete_collection(name)
    await create(client, name)


async def test_what_production_sets_for_speed_is_taken_and_shown(client: AsyncQdrantClient) -> None:
    name = str(uuid4())
    quantization = models.ScalarQuantization(
        scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, always_ram=True)
    )
    await client.create_collection(
        name,
        vectors_config={
            "dense": models.VectorParams(size=3, distance=models.Distance.DOT, on_disk=True)
        },
        shard_number=2,
        replication_factor=2,
        hnsw_config=models.HnswConfigDiff(payload_m=16, m=0),
        quantization_config=quantization,
    )
    config = (await client.get_collection(name)).config
    assert (config.params.shard_number, config.params.replication_factor) == (2, 2)
    assert (config.hnsw_config.m, config.hnsw_config.payload_m) == (0, 16)
    assert config.quantization_config == quantization


async def test_a_collection_cannot_be_created_twice(
    client: AsyncQdrantClient, colours: str
) -> None:
    with pytest.raises(UnexpectedResponse) as refusal:
        await create(client, colours)
    assert refusal.value.status_code == 409
    assert refusal.value.structured()["status"]["error"] == (
        f"Wrong input: Collection `{colours}` already exists!"
    )


async def test_a_missing_collection_is_not_found(client: AsyncQdrantClient) -> None:
    for ask in (
        client.get_collection("nowhere"),
        client.count("nowhere"),
        client.upsert("nowhere", [models.PointStruct(id=1, vector={})]),
        client.query_points("nowhere", query=[1.0, 0.0, 0.0], using="dense"),
    ):
        with pytest.raises(UnexpectedResponse) as refusal:
            await ask
        assert refusal.value.status_code == 404
        assert refusal.value.structured()["status"]["error"] == (
            "Not found: Collection `nowhere` doesn't exist!"
        )


@pytest.mark.parametrize("name", [".hidden", "a\\b", "a:b", "x" * 201])
async def test_a_name_that_is_no_folder_name_is_refused(
    client: AsyncQdrantClient, name: str
) -> None:
    with pytest.raises(UnexpectedResponse) as refusal:
        await client.create_collection(name, vectors_config={})
    assert refusal.value.status_code in {404, 422}


# Points


async def test_points_come_back_as_they_were_written(
    client: AsyncQdrantClient, colours: str
) -> None:
    found = await client.retrieve(colours, [str(BLUE), 99], with_vectors=True)
    (blue,) = found
    assert blue.id == str(BLUE)
    assert blue.payload == {"metadata": {"video_id": "b", "at": 3}, "text": "point 2"}
    assert isinstance(blue.vector, dict)
    assert blue.vector["dense"] == pytest.approx([0.0, 0.6, 0.8])
    assert blue.vector["words"] == words(7, 12)
    (bare,) = await client.retrieve(colours, [str(RED)], with_payload=False)
    assert (bare.payload, bare.vector) == (None, None)


async def test_payloads_keep_every_kind_of_value(client: AsyncQdrantClient, colours: str) -> None:
    payload: dict[str, Any] = {
        "whole": 2**53 + 1, "part": 1.5, "yes": True, "none": None,
        "list": [1, "two", {"three": []}], "text": "zażółć 日本 🎉 \u0000",
    }  # fmt: skip
    await client.upsert(colours, [models.PointStruct(id=2**64 - 1, vector={}, payload=payload)])
    (found,) = await client.retrieve(colours, [2**64 - 1])
    assert found.payload == payload


async def test_a_point_written_again_replaces_the_first(
    client: AsyncQdrantClient, colours: str
) -> None:
    again = models.PointStruct(id=RED.hex, vector={"dense": [0.0, 0.0, 1.0]}, payload={"new": True})
    await client.upsert(colours, [again])
    (found,) = await client.retrieve(colours, [str(RED)], with_vectors=True)
    assert (found.payload, found.vector) == ({"new": True}, {"dense": [0.0, 0.0, 1.0]})
    assert (await client.count(colours)).count == 3


async def test_points_are_deleted_by_filter_and_by_id(
    client: AsyncQdrantClient, colours: str
) -> None:
    done = await client.delete(colours, models.FilterSelector(filter=of_videos("b")))
    assert done.status == models.UpdateStatus.COMPLETED
    assert (await client.count(colours)).count == 2
    await client.delete(colours, [str(RED)])
    assert await client.retrieve(colours, [str(RED), str(BLUE)]) == []
    assert (await client.count(colours)).count == 1


async def test_points_but_a_few_are_deleted_by_filter(
    client: AsyncQdrantClient, colours: str
) -> None:
    unwanted = of_videos("a")
    unwanted.must_not = [models.HasIdCondition(has_id=[str(RED)])]
    await client.delete(colours, models.FilterSelector(filter=unwanted))
    left, _ = await client.scroll(colours)
    assert {point.id for point in left} == {str(RED), str(BLUE)}


async def test_a_write_that_is_not_waited_for_is_acknowledged(
    client: AsyncQdrantClient, colours: str
) -> None:
    done = await client.upsert(colours, [models.PointStruct(id=5, vector={})], wait=False)
    assert done.status == models.UpdateStatus.ACKNOWLEDGED
    assert (await client.count(colours)).count == 4


async def test_scrolling_sees_every_point_once(client: AsyncQdrantClient, colours: str) -> None:
    first, offset = await client.scroll(colours, limit=2, with_payload=["text"])
    assert [point.payload for point in first] == [{"text": "point 0"}, {"text": "point 1"}]
    last, end = await client.scroll(colours, limit=2, offset=offset, with_vectors=["dense"])
    assert [point.id for point in last] == [str(BLUE)]
    assert isinstance(last[0].vector, dict)
    assert last[0].vector.keys() == {"dense"}
    assert end is None
    within, _ = await client.scroll(colours, of_videos("b"))
    assert [point.id for point in within] == [str(BLUE)]


async def test_counting_knows_the_filter(client: AsyncQdrantClient, colours: str) -> None:
    assert (await client.count(colours, of_videos("a"))).count == 2
    assert (await client.count(colours, of_videos("a", "b", "c"), exact=True)).count == 3
    assert (await client.count(colours, exact=False)).count == 3
    info = await client.get_collection(colours)
    assert info.points_count == 3
    assert info.payload_schema["metadata.video_id"] == models.PayloadIndexInfo(
        data_type=models.PayloadSchemaType.KEYWORD,
        params=models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD),
        points=3,
    )


async def test_an_empty_list_of_videos_finds_nothing(
    client: AsyncQdrantClient, colours: str
) -> None:
    nothing = of_videos()
    assert (await client.count(colours, nothing)).count == 0
    answer = await client.query_points(
        colours, query=[1.0, 0.0, 0.0], using="dense", query_filter=nothing
    )
    assert answer.points == []
    sparse = await client.query_points(colours, query=words(7), using="words", query_filter=nothing)
    assert sparse.points == []
    await client.delete(colours, models.FilterSelector(filter=nothing))
    assert (await client.count(colours)).count == 3


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (models.Filter(must=models.HasIdCondition(has_id=[str(GREEN)])), {GREEN}),
        (
            models.Filter(
                must_not=[
                    models.FieldCondition(
                        key="metadata.video_id", match=models.MatchValue(value="a")
                    )
                ]
            ),
            {BLUE},
        ),
        (
            models.Filter(
                should=[
                    models.HasIdCondition(has_id=[str(RED)]),
                    models.FieldCondition(key="metadata.at", range=models.Range(gt=2)),
                ]
            ),
            {RED, BLUE},
        ),
        (
            models.Filter(
                must=[
                    models.FieldCondition(key="metadata.at", range=models.Range(gte=1, lt=2.5)),
                    models.Filter(must_not=[models.HasIdCondition(has_id=[str(RED)])]),
                ]
            ),
            {GREEN},
        ),
        (
            models.Filter(
                must=[
                    models.FieldCondition(
                        key="metadata.at", match=models.MatchExcept(**{"except": [1, 2]})
                    )
                ]
            ),
            {BLUE},
        ),
        (
            models.Filter(
                must=[models.IsEmptyCondition(is_empty=models.PayloadField(key="metadata.none"))],
                must_not=[models.IsNullCondition(is_null=models.PayloadField(key="metadata.none"))],
            ),
            {RED, GREEN, BLUE},
        ),
        (models.Filter(must=[], should=[], must_not=[]), {RED, GREEN, BLUE}),
    ],
)
async def test_filters_choose_points_as_qdrant_says(
    client: AsyncQdrantClient, colours: str, condition: models.Filter, found: set[UUID]
) -> None:
    answer = await client.query_points(
        colours, query=[1.0, 1.0, 1.0], using="dense", query_filter=condition
    )
    assert set(ids(answer)) == found
    assert (await client.count(colours, condition)).count == len(found)


# Searching


async def test_the_nearest_come_first_with_their_cosine(
    client: AsyncQdrantClient, colours: str
) -> None:
    answer = await client.query_points(
        colours, query=[0.0, 5.0, 0.0], using="dense", with_payload=True
    )
    assert ids(answer) == [GREEN, BLUE, RED]
    assert [point.score for point in answer.points] == pytest.approx([1.0, 0.6, 0.0])
    assert answer.points[0].payload == {
        "metadata": {"video_id": "a", "at": 2}, "text": "point 1",
    }  # fmt: skip
    assert answer.points[0].vector is None


async def test_a_query_shows_what_it_is_asked_to(client: AsyncQdrantClient, colours: str) -> None:
    async def first(**options: Any) -> models.ScoredPoint:
        answer = await client.query_points(colours, query=[0.0, 1.0, 0.0], using="dense", **options)
        return answer.points[0]

    assert (await first(with_payload=False)).payload is None
    assert (await first(with_payload=["text"])).payload == {"text": "point 1"}
    include = models.PayloadSelectorInclude(include=["metadata.at"])
    assert (await first(with_payload=include)).payload == {"metadata": {"at": 2}}
    exclude = models.PayloadSelectorExclude(exclude=["metadata"])
    assert (await first(with_payload=exclude)).payload == {"text": "point 1"}
    assert (await first(with_vectors=["words"])).vector == {"words": words(7, 11)}
    assert (await first(offset=1)).id == str(BLUE)
    limited = await client.query_points(
        colours, query=[0.0, 1.0, 0.0], using="dense", limit=2, score_threshold=0.7
    )
    assert ids(limited) == [GREEN]
    exactly = models.SearchParams(exact=True)
    assert (await first(search_params=exactly)).id == str(GREEN)


async def test_sparse_scores_are_weighted_by_idf_as_in_qdrant(
    client: AsyncQdrantClient, colours: str
) -> None:
    def idf(points: int, with_word: int) -> float:
        return math.log((points - with_word + 0.5) / (with_word + 0.5) + 1)

    answer = await client.query_points(
        colours,
        query=models.SparseVector(indices=[12, 7], values=[2.0, 1.0]),
        using="words",
        query_filter=of_videos("b"),
    )
    # The weight counts the whole collection, not what the filter leaves of it.
    assert [point.score for point in answer.points] == pytest.approx([2 * idf(3, 1) + idf(3, 3)])
    unknown = await client.query_points(colours, query=words(4_000_000_000), using="words")
    assert unknown.points == []


async def test_a_batch_answers_each_of_its_queries(client: AsyncQdrantClient, colours: str) -> None:
    dense, sparse = await client.query_batch_points(
        colours,
        [
            models.QueryRequest(
                query=[1.0, 0.0, 0.0], using="dense", limit=1, with_payload=True,
                filter=of_videos("a"),
            ),
            models.QueryRequest(query=words(12), using="words", limit=5),
        ],
    )  # fmt: skip
    assert ids(dense) == [RED]
    assert dense.points[0].payload is not None
    assert ids(sparse) == [BLUE]
    assert sparse.points[0].payload is None


@pytest.mark.parametrize(
    ("fusion", "scores"),
    [
        # Rank fusion gives 1 / (2 + rank), ranks from 0.
        (models.FusionQuery(fusion=models.Fusion.RRF), [1 / 2 + 1 / 3, 1 / 2]),
        (models.RrfQuery(rrf=models.Rrf(k=60)), [1 / 60 + 1 / 61, 1 / 60]),
    ],
)
async def test_ranks_are_fused_as_in_qdrant(
    client: AsyncQdrantClient,
    colours: str,
    fusion: models.FusionQuery | models.RrfQuery,
    scores: list[float],
) -> None:
    answer = await client.query_points(
        colours,
        prefetch=[
            models.Prefetch(query=[0.0, 1.0, 0.0], using="dense", limit=2),
            models.Prefetch(query=words(12), using="words", limit=2),
        ],
        query=fusion,
    )
    assert ids(answer) == [BLUE, GREEN]
    assert [point.score for point in answer.points] == pytest.approx(scores)


async def test_scores_are_fused_by_distribution_too(
    client: AsyncQdrantClient, colours: str
) -> None:
    answer = await client.query_points(
        colours,
        prefetch=models.Prefetch(query=[0.0, 1.0, 0.0], using="dense", limit=3),
        query=models.FusionQuery(fusion=models.Fusion.DBSF),
        query_filter=of_videos("a", "b"),
    )
    assert ids(answer) == [GREEN, BLUE, RED]


# Refusals


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "sentence"),
    [
        ("POST", "/points/search", {}, 404, "not served by the embedded index"),
        ("PATCH", "", {}, 405, "not served by the embedded index"),
        ("POST", "/points/count", {"exakt": True}, 400, "exakt: Extra inputs are not permitted"),
        ("POST", "/points/count?shard=1", {}, 400, "unknown query parameter `shard`"),
        ("PUT", "/points?wait=perhaps", {"points": []}, 400, "wait must be true or false"),
        ("PUT", "/points", {"batch": {"ids": []}}, 400, "batch: Extra inputs"),
        ("PUT", "/points", {"points": [{"id": -1, "vector": {}}]}, 400, "greater than or equal"),
        ("PUT", "/points", {"points": [{"id": "seven", "vector": {}}]}, 400, "valid UUID"),
        ("PUT", "/points", {"points": [{"id": 1, "vector": [1, 2, 3]}]}, 400, "an object"),
        ("PUT", "/points", {"points": [{"id": 1, "vector": {"dense": ["1"]}}]}, 400, "number"),
        ("PUT", "/points", {"points": [{"id": 1, "vector": {"dense": [1]}}]}, 400,
         "expected dim: 3, got 1"),
        ("PUT", "/points", {"points": [{"id": 1, "vector": {"other": [1]}}]}, 400,
         "Not existing vector name error: other"),
        ("PUT", "/points",
         {"points": [{"id": 1, "vector": {"words": {"indices": [1, 1], "values": [1, 2]}}}]}, 400,
         "indices must be unique"),
        ("PUT", "/points",
         {"points": [{"id": 1, "vector": {"words": {"indices": [1], "values": []}}}]}, 400,
         "same length"),
        ("PUT", "/points",
         {"points": [{"id": 1, "vector": {"dense": {"indices": [1], "values": [1]}}}]}, 400,
         "dense, not sparse"),
        ("PUT", "/points", {"points": [{"id": 1, "vector": {"words": [1]}}]}, 400,
         "sparse, not dense"),
        ("POST", "/points/delete", {}, 400, "either points or filter"),
        ("POST", "/points/delete", {"filter": {"must": [{"key": "a"}]}}, 400,
         "at least one field condition"),
        ("POST", "/points/count", {"filter": {"min_should": {}}}, 400, "min_should: Extra"),
        ("POST", "/points/count", {"filter": {"must": [{"key": "a[", "match": {"value": 1}}]}}, 400,
         "filter.must.0.key.key: String should match"),
        ("POST", "/points/count", {"filter": {"must": [{"key": "t", "match": {"text": "a"}}]}}, 400,
         "Only these are served here: value, any, except"),
        ("POST", "/points/count", {"filter": {"must": [{"key": "a", "match": {"any": [1, "b"]}}]}},
         400, "any"),
        ("POST", "/points/query", {"query": [1, 2, 3]}, 400, "Not existing vector name error: "),
        ("POST", "/points/query", {"query": [1, 2], "using": "dense"}, 400, "got 2"),
        ("POST", "/points/query", {"query": str(RED), "using": "dense"}, 400, "query"),
        ("POST", "/points/query", {"query": {"recommend": {}}}, 400, "recommend: Extra"),
        ("POST", "/points/query", {"query": {"fusion": "rrf"}}, 400, "Fusion without prefetches"),
        ("POST", "/points/query", {"limit": 3}, 400, "a query is needed"),
        ("POST", "/points/query", {"query": [1, 2, 3], "using": "dense", "limit": 0}, 400, "limit"),
        ("POST", "/points/query",
         {"query": [1, 2, 3], "using": "dense", "params": {"indexed_only": True}}, 400,
         "indexed_only: Extra"),
        ("POST", "/points/query", {"query": [1, 2, 3], "using": "dense", "with_vector": ["none"]},
         400, "Not existing vector name error: none"),
        ("PUT", "/index", {"field_name": "a", "field_schema": "text"}, 400, "field_schema"),
    ],
)  # fmt: skip
async def test_what_is_not_known_is_refused(
    http: httpx.AsyncClient,
    colours: str,
    method: str,
    path: str,
    body: dict[str, Any],
    status: int,
    sentence: str,
) -> None:
    answer = await http.request(method, f"/collections/{colours}{path}", json=body)
    assert answer.status_code == status
    refusal = models.ErrorResponse.model_validate_json(answer.content)
    assert refusal.status
    assert refusal.status.error
    assert sentence in refusal.status.error
    count = await http.post(f"/collections/{colours}/points/count", json={})
    assert count.json()["result"] == {"count": 3}


async def test_a_body_that_is_no_json_is_refused(http: httpx.AsyncClient, colours: str) -> None:
    for body in (b"", b"{", b'{"points": [NaN]}', b"\xff"):
        answer = await http.put(f"/collections/{colours}/points", content=body)
        assert answer.status_code == 400
        assert "Format error in JSON body" in answer.json()["status"]["error"]


async def test_unnamed_vectors_are_refused(client: AsyncQdrantClient) -> None:
    with pytest.raises(UnexpectedResponse) as refusal:
        await client.create_collection(
            str(uuid4()), models.VectorParams(size=3, distance=models.Distance.COSINE)
        )
    assert refusal.value.status_code == 400


async def test_only_the_key_opens_the_index(urls: ServerUrls) -> None:
    key = headers(urls)["api-key"]
    async with httpx.AsyncClient(base_url=urls.qdrant_url) as anybody:
        for shown in ({}, {"api-key": "wrong"}, {"Authorization": "Bearer wrong"}):
            assert (await anybody.get("/collections", headers=shown)).status_code == 401
            assert (await anybody.get("/no/such/route", headers=shown)).status_code == 401
        for shown in ({"api-key": key}, {"Authorization": f"Bearer {key}"}):
            assert (await anybody.get("/collections", headers=shown)).status_code == 200
        for path in ("/", "/healthz", "/livez", "/readyz"):
            assert (await anybody.get(path)).status_code == 200


# Restarts


async def test_a_refused_point_is_not_there_after_a_restart(tmp_path: Path) -> None:
    async def points(urls: ServerUrls, *added: models.PointStruct) -> int:
        client = AsyncQdrantClient(
            url=urls.qdrant_url, headers=headers(urls), check_compatibility=False
        )
        try:
            if not await client.collection_exists("c"):
                await create(client, "c")
            if added:
                await client.upsert("c", list(added))
            return (await client.count("c")).count
        finally:
            await client.close()

    good = models.PointStruct(id=1, vector={"dense": [1.0, 0.0, 0.0]})
    bad = models.PointStruct(id=2, vector={"dense": [1.0]})
    async with servers(settings_for(tmp_path)) as urls:
        assert await points(urls, good) == 1
        with pytest.raises(UnexpectedResponse):
            await points(urls, good.model_copy(update={"id": 3}), bad)
        assert await points(urls) == 1
    async with servers(settings_for(tmp_path)) as urls:
        assert await points(urls) == 1


async def test_a_creation_cut_short_leaves_nothing_that_breaks_the_start(tmp_path: Path) -> None:
    collections = tmp_path / "qdrant/collections"
    for left in (".new-1", ".deleted-2"):
        (collections / left / "shard/wal").mkdir(parents=True)
    async with (
        servers(settings_for(tmp_path)) as urls,
        httpx.AsyncClient(base_url=urls.qdrant_url, headers=headers(urls)) as http,
    ):
        assert (await http.get("/collections")).json()["result"] == {"collections": []}
    assert not any(collections.iterdir())


WRITER = """
import sys
from qdrant_client import QdrantClient, models

url, key, first = sys.argv[1], sys.argv[2], int(sys.argv[3])
client = QdrantClient(url=url, headers={"api-key": key}, check_compatibility=False)
for start in range(first, first + 500, 50):
    points = [
        models.PointStruct(id=number, vector={"dense": [1.0, 0.0, number]}, payload={"n": number})
        for number in range(start, start + 50)
    ]
    client.upsert("shared", points)
print(client.count("shared").count)
"""


async def test_two_processes_write_at_once_and_nothing_is_lost(
    urls: ServerUrls, client: AsyncQdrantClient
) -> None:
    await create(client, "shared")
    writers = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITER, urls.qdrant_url, headers(urls)["api-key"], str(first),
            stdout=asyncio.subprocess.PIPE,
        )
        for first in (0, 1000)
    ]  # fmt: skip
    seen = [int((await writer.communicate())[0]) for writer in writers]
    assert max(seen) == 1000
    assert (await client.count("shared")).count == 1000
    found, _ = await client.scroll("shared", limit=2000)
    assert {point.payload["n"] for point in found if point.payload} == {
        *range(500), *range(1000, 1500),
    }  # fmt: skip


# langchain-qdrant


class Letters(Embeddings):
    """Counts of a, b and c."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return [0.1 + text.count(letter) for letter in "abc"]


class Words(SparseEmbeddings):
    """One dimension a word, by its length."""

    def embed_documents(self, texts: list[str]) -> list[SparseVector]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> SparseVector:
        lengths = sorted({len(word) for word in text.split()})
        return SparseVector(indices=lengths, values=[1.0] * len(lengths))


async def test_langchains_hybrid_store_adds_finds_and_deletes(urls: ServerUrls) -> None:
    def use() -> None:
        store = QdrantVectorStore.construct_instance(
            embedding=Letters(),
            sparse_embedding=Words(),
            retrieval_mode=RetrievalMode.HYBRID,
            client_options={"url": urls.qdrant_url, "headers": headers(urls)},
            collection_name=f"langchain-{uuid4()}",
            vector_name="dense",
            sparse_vector_name="words",
            sparse_vector_params={"modifier": models.Modifier.IDF},
        )
        try:
            added = store.add_texts(
                ["aaa bbbbbb", "bbb", "ccc cc"],
                metadatas=[{"video_id": "x"}, {"video_id": "x"}, {"video_id": "y"}],
                ids=[str(RED), str(GREEN), str(BLUE)],
            )
            assert added == [str(RED), str(GREEN), str(BLUE)]
            best, *_ = store.similarity_search("ccc cc", k=2)
            assert (best.page_content, best.metadata["video_id"]) == ("ccc cc", "y")
            within = store.similarity_search_with_score("ccc cc", k=3, filter=of_videos_of("x"))
            assert {found.page_content for found, _ in within} == {"aaa bbbbbb", "bbb"}
            assert store.get_by_ids([str(GREEN)])[0].page_content == "bbb"
            # What it checks before it writes to a collection that is there.
            QdrantVectorStore(
                client=store.client,
                collection_name=store.collection_name,
                embedding=Letters(),
                sparse_embedding=Words(),
                retrieval_mode=RetrievalMode.HYBRID,
                vector_name="dense",
                sparse_vector_name="words",
            )
            assert store.delete([str(GREEN)])
            assert store.get_by_ids([str(GREEN)]) == []
        finally:
            store.client.close()

    await asyncio.to_thread(use)


def of_videos_of(video_id: str) -> models.Filter:
    match = models.MatchValue(value=video_id)
    return models.Filter(must=[models.FieldCondition(key="metadata.video_id", match=match)])


async def test_answers_have_no_field_that_qdrant_does_not_have(
    http: httpx.AsyncClient, colours: str
) -> None:
    """The client ignores fields that it does not know; here they are looked for."""

    def unknown(answer: Any, model: Any) -> set[str]:
        return set(answer) - set(model.model_fields)

    base = f"/collections/{colours}"
    info = (await http.get(base)).json()["result"]
    assert not unknown(info, models.CollectionInfo)
    assert not unknown(info["config"], models.CollectionConfig)
    assert not unknown(info["config"]["params"], models.CollectionParams)
    query = {"query": [1, 0, 0], "using": "dense", "with_payload": True, "with_vector": True}
    found = (await http.post(f"{base}/points/query", json=query)).json()["result"]
    assert not unknown(found["points"][0], models.ScoredPoint)
    record = (await http.post(f"{base}/points", json={"ids": [str(RED)]})).json()
    assert not unknown(record["result"][0], models.Record)
    assert set(record) == {"result", "status", "time"}
