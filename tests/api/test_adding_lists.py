"""Playlists and channels over HTTP: their price, and their loading."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from talker.settings import Settings
from tests.conftest import App, running
from tests.make import OCEAN, until_ready
from tests.model_server import ModelServer
from tests.servers import serving
from tests.supadata_server import KEY, SupadataList, SupadataServer, SupadataVideo, refused

IDS = [f"video{number:06}" for number in range(3)]
WORDS = {"en": [(number * 6000, 6000, line) for number, line in enumerate(OCEAN)]}
CHANNEL = "https://www.youtube.com/@ada"


@pytest.fixture
async def supadata() -> AsyncIterator[tuple[SupadataServer, str]]:
    server = SupadataServer()
    for name in IDS:
        server.videos[name] = SupadataVideo(WORDS, title=f"Talk {name}")
    server.lists["@ada"] = SupadataList("Ada's talks", videos=IDS)
    async with serving(server.app()) as url:
        yield server, url


@pytest.fixture
async def app(
    make_settings: Callable[..., Settings], supadata: tuple[SupadataServer, str]
) -> AsyncIterator[App]:
    settings = make_settings(
        supadata_base_url=supadata[1], supadata_api_key=KEY, transcript_providers="supadata"
    )
    async with running(settings) as opened:
        yield opened


async def add(client: httpx.AsyncClient, **values: Any) -> list[dict[str, Any]]:
    answer = await client.post("/api/videos", json=values)
    assert answer.status_code == 202, answer.text
    return list(answer.json()["items"])


async def test_a_channel_becomes_a_collection_of_loaded_videos(client: httpx.AsyncClient) -> None:
    [added] = await add(client, url=CHANNEL)
    assert (added["source"], added["status"], added["videos"]) == (CHANNEL, "queued", 3)
    assert (added["video_id"], added["job_id"], added["title"]) == (None, None, "Ada's talks")
    listed = await client.get("/api/videos", params={"collection_id": added["collection_id"]})
    for video in listed.json()["items"]:
        await until_ready(client, video["id"])
    [again] = await add(client, url=CHANNEL)
    assert (again["status"], again["collection_id"]) == ("ready", added["collection_id"])
    [collection] = (await client.get("/api/collections")).json()["items"]
    assert (collection["name"], collection["ready"]) == ("Ada's talks", 3)


async def test_every_source_has_one_answer_in_order(client: httpx.AsyncClient) -> None:
    sources = ["nonsense", CHANNEL, IDS[0], "nonsense"]
    added = await add(client, urls=sources)
    assert [one["source"] for one in added] == sources
    assert [one["status"] for one in added] == ["failed", "queued", "queued", "failed"]


async def test_the_price_is_told_before_anything_is_loaded(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/videos/price", json={"urls": [CHANNEL, "nonsense"]})
    assert answer.status_code == 200
    price = answer.json()
    assert (price["videos"], price["known"], price["new"], price["credits"]) == (3, 0, 3, 6)
    assert price["cost_usd"] == 0
    channel, nonsense = price["items"]
    assert (channel["kind"], channel["title"], channel["failure"]) == (
        "channel",
        "Ada's talks",
        None,
    )
    assert nonsense["failure"]["reason"] == "not_a_video"
    assert (await client.get("/api/videos")).json()["total"] == 0


async def test_remote_embeddings_have_a_price_in_dollars(
    make_settings: Callable[..., Settings],
    supadata: tuple[SupadataServer, str],
    model_server: tuple[ModelServer, str],
) -> None:
    model_server[0].embedding_prices["test/embedding"] = "0.00000002"
    settings = make_settings(
        supadata_base_url=supadata[1],
        supadata_api_key=KEY,
        openrouter_base_url=model_server[1],
        embedding_model="test/embedding",
    )
    async with running(settings) as app:
        price = (await app.http.post("/api/videos/price", json={"url": CHANNEL})).json()
        assert price["cost_usd"] == pytest.approx(price["embedding_tokens"] * 2e-8)
        model_server[0].embedding_prices.clear()
        price = (await app.http.post("/api/videos/price", json={"url": CHANNEL})).json()
        assert price["cost_usd"] is None


async def test_a_list_that_cannot_be_read_says_why(
    client: httpx.AsyncClient, supadata: tuple[SupadataServer, str]
) -> None:
    supadata[0].lists["@ada"].fault = refused(403, "This channel is private.")
    [added] = await add(client, url=CHANNEL)
    assert (added["status"], added["failure"]["reason"]) == ("failed", "private")
    assert (await client.get("/api/collections")).json()["total"] == 0


async def test_videos_are_put_into_a_collection_of_ones_own(client: httpx.AsyncClient) -> None:
    own = (await client.post("/api/collections", json={"name": "To read"})).json()
    await add(client, url=IDS[0], collection_id=own["id"])
    assert (await client.get(f"/api/collections/{own['id']}")).json()["videos"] == 1
    unknown = "00000000-0000-0000-0000-000000000000"
    answer = await client.post("/api/videos", json={"url": IDS[1], "collection_id": unknown})
    assert (answer.status_code, answer.json()["error"]) == (404, "collection_not_found")


async def test_a_known_video_is_added_without_any_call(
    client: httpx.AsyncClient, supadata: tuple[SupadataServer, str]
) -> None:
    [added] = await add(client, url=IDS[0])
    await until_ready(client, added["video_id"])
    asked = len(supadata[0].requests)
    [known] = await add(client, url=f"https://youtu.be/{IDS[0]}?t=3")
    assert (known["status"], known["job_id"]) == ("ready", None)
    assert len(supadata[0].requests) == asked
