import asyncio

import httpx
import pytest

from ingestion.gate import ServiceGate
from talker.errors import LoadingFailed
from tests import make
from tests.conftest import App


async def test_search_finds_the_moment_and_links_to_it(app: App) -> None:
    await make.upload(app.http, make.captions(make.OCEAN, youtube_id="dQw4w9WgXcQ"))
    await make.upload(app.http, make.captions(make.BREAD, title="Bread"), "bread.json")
    found = await app.http.get(
        "/api/search", params={"q": "how deep was the deepest dive", "limit": 3}
    )
    first, *rest = found.json()["passages"]
    assert first["youtube_id"] == "dQw4w9WgXcQ"
    assert "deepest dive on record" in first["text"]
    assert first["url"].endswith(f"&t={int(first['start_s'])}s")
    assert all(first["score"] >= other["score"] for other in rest)
    assert len(rest) <= 2


async def test_search_can_be_narrowed_to_a_video(app: App) -> None:
    await make.upload(app.http, make.captions(make.OCEAN))
    bread = await make.upload(app.http, make.captions(make.BREAD), "bread.json")
    found = await app.http.get("/api/search", params={"q": "deepest dive", "video_id": str(bread)})
    assert {passage["video_id"] for passage in found.json()["passages"]} == {str(bread)}


async def test_search_can_be_narrowed_to_a_collection_as_it_is_now(app: App) -> None:
    ocean = await make.upload(app.http, make.captions(make.OCEAN))
    bread = await make.upload(app.http, make.captions(make.BREAD), "bread.json")
    kitchen = await make.collection(app.http, "Kitchen")
    params = {"q": "deepest dive", "collection_id": kitchen}
    assert (await app.http.get("/api/search", params=params)).json() == {"passages": []}
    for video_id in (bread, ocean):
        body = {"video_ids": [str(video_id)]}
        await app.http.post(f"/api/collections/{kitchen}/videos", json=body)
        found = (await app.http.get("/api/search", params=params)).json()["passages"]
        assert found[0]["video_id"] == str(video_id)
    both = {**params, "video_id": str(ocean)}
    answer = await app.http.get("/api/search", params=both)
    assert (answer.status_code, answer.json()["error"]) == (400, "two_scopes")


@pytest.mark.parametrize(
    ("params", "status", "error"),
    [
        ({}, 422, "validation_failed"),
        ({"q": ""}, 422, "validation_failed"),
        ({"q": "x", "limit": 0}, 422, "validation_failed"),
        ({"q": "x", "video_id": "00000000-0000-0000-0000-000000000000"}, 404, "video_not_found"),
    ],
)
async def test_a_search_that_makes_no_sense_is_refused(
    client: httpx.AsyncClient, params: dict[str, str | int], status: int, error: str
) -> None:
    answer = await client.get("/api/search", params=params)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


async def test_an_empty_library_has_no_passages(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/search", params={"q": "entropy"})).json() == {"passages": []}


async def test_the_app_is_ready_when_database_index_and_worker_are(
    client: httpx.AsyncClient,
) -> None:
    assert (await client.get("/api/health")).json() == {"status": "alive"}
    async with asyncio.timeout(60):  # a worker says that it lives once it has started
        while not (ready := (await client.get("/api/health/ready")).json())["ready"]:
            await asyncio.sleep(0.1)
    assert ready["database"]["ok"]
    assert ready["index"]["ok"]
    assert ready["worker"]["ok"]


async def test_the_models_that_can_be_chosen_are_listed(app: App, chat_app: App) -> None:
    assert (await app.http.get("/api/models")).json()["chat_configured"] is False
    models = (await chat_app.http.get("/api/models")).json()
    assert [item["id"] for item in models["items"]] == ["test/first", "test/second"]
    assert models["default"] == "test/first"


async def test_the_api_describes_itself(client: httpx.AsyncClient) -> None:
    assert (await client.get("/docs", follow_redirects=True)).status_code == 200
    paths = (await client.get("/api/openapi.json")).json()["paths"]
    assert "/api/conversations/{conversation_id}/ask" in paths


async def test_a_transcript_service_that_is_left_alone_is_told_and_not_counted(app: App) -> None:
    gate = ServiceGate(app.resources.sessions, "youtube", rate=100)
    await gate.enter()
    await gate.report(LoadingFailed("blocked", "YouTube blocks this address.", "Set a proxy."))
    ready = (await app.http.get("/api/health/ready")).json()
    assert ready["ready"]
    assert ready["transcripts"] == {
        "ok": False,
        "detail": "youtube: YouTube blocks this address.",
    }
