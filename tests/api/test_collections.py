from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from talker import collections
from talker.models import Collection, ListKind
from tests import make
from tests.conftest import App, local_user
from tests.ingestion.conftest import somebody_else

NOWHERE = str(uuid4())


async def videos(app: App, *titles: str) -> list[UUID]:
    user = await local_user(app.resources)
    return [await make.video(app.resources, user, title=title) for title in titles]


async def titles_in(app: App, collection_id: str) -> list[str]:
    params = {"collection_id": collection_id, "sort": "position"}
    listed = (await app.http.get("/api/videos", params=params)).json()
    return [video["title"] for video in listed["items"]]


async def of_source(app: App, kind: ListKind, source_id: str) -> str:
    user = await local_user(app.resources)
    async with app.resources.sessions.begin() as session:
        made = await collections.collection_for(
            session, user, name="Physics", kind=kind, source_id=source_id, language=None
        )
    return str(made.id)


async def theirs(app: App) -> tuple[Collection, UUID]:
    """Somebody else's collection, and the video in it."""
    other = await somebody_else(app.resources)
    video_id = await make.video(app.resources, other, title="Secret")
    async with app.resources.sessions.begin() as session:
        made = await collections.create(session, other, "Secrets")
        await collections.put_videos(session, made, [video_id])
    return made, video_id


async def test_a_collection_holds_videos_in_the_order_given(app: App) -> None:
    a, b, c = await videos(app, "A", "B", "C")
    collection_id = await make.collection(app.http, " Talks ", b, a)
    answer = await app.http.post(
        f"/api/collections/{collection_id}/videos", json={"video_ids": [str(c), str(b)]}
    )
    stored = answer.json()
    assert stored.pop("created_at") < stored.pop("updated_at")
    assert stored == {
        "id": collection_id,
        "name": "Talks",
        "source_url": None,
        "subscribed": False,
        "synced_at": None,
        "sync_failure": None,
        "videos": 3,
        "ready": 3,
    }
    assert await titles_in(app, collection_id) == ["B", "A", "C"]
    path = f"/api/collections/{collection_id}/videos/{a}"
    assert (await app.http.delete(path)).status_code == 204
    assert (await app.http.delete(path)).status_code == 404
    assert await titles_in(app, collection_id) == ["B", "C"]
    video = (await app.http.get(f"/api/videos/{b}")).json()
    assert video["collection_ids"] == [collection_id]


async def test_collections_are_listed_by_name_with_their_counts(app: App) -> None:
    user = await local_user(app.resources)
    ready = await make.video(app.resources, user)
    queued = await make.video(app.resources, user, status="queued")
    await make.collection(app.http, "b", ready, queued)
    await make.collection(app.http, "A")
    await make.collection(app.http, "c", queued)
    listed = (await app.http.get("/api/collections")).json()
    counts = [(item["name"], item["videos"], item["ready"]) for item in listed["items"]]
    assert counts == [("A", 0, 0), ("b", 2, 1), ("c", 1, 0)]
    page = (await app.http.get("/api/collections", params={"limit": 1, "offset": 1})).json()
    assert ([item["name"] for item in page["items"]], page["total"]) == (["b"], 3)
    [item] = page["items"]
    assert (await app.http.get(f"/api/collections/{item['id']}")).json() == item


async def test_a_name_is_given_once(app: App) -> None:
    first, second = await make.collection(app.http, "A"), await make.collection(app.http, "B")
    taken = [
        await app.http.post("/api/collections", json={"name": " A"}),
        await app.http.patch(f"/api/collections/{second}", json={"name": "A"}),
    ]
    for answer in taken:
        assert (answer.status_code, answer.json()["error"]) == (409, "collection_name_taken")
    same = await app.http.patch(f"/api/collections/{first}", json={"name": "A"})
    assert same.status_code == 200
    renamed = await app.http.patch(f"/api/collections/{second}", json={"name": "C"})
    assert renamed.json()["name"] == "C"


@pytest.mark.parametrize(
    ("kind", "source_id", "url"),
    [
        ("playlist", "PL1", "https://www.youtube.com/playlist?list=PL1"),
        ("channel", "@somebody", "https://www.youtube.com/@somebody"),
    ],
)
async def test_what_comes_from_a_list_can_be_subscribed_to(
    app: App, kind: ListKind, source_id: str, url: str
) -> None:
    path = f"/api/collections/{await of_source(app, kind, source_id)}"
    stored = (await app.http.patch(path, json={"subscribed": True})).json()
    assert (stored["source_url"], stored["subscribed"], stored["name"]) == (url, True, "Physics")
    assert (await app.http.get(path)).json()["subscribed"] is True
    stored = (await app.http.patch(path, json={"subscribed": False})).json()
    assert stored["subscribed"] is False


async def test_what_a_person_made_cannot_be_subscribed_to(app: App) -> None:
    path = f"/api/collections/{await make.collection(app.http, 'Mine')}"
    answer = await app.http.patch(path, json={"subscribed": True, "name": "Yours"})
    assert (answer.status_code, answer.json()["error"]) == (409, "nothing_to_follow")
    assert "playlist" in answer.json()["detail"]
    assert (await app.http.get(path)).json()["name"] == "Mine"


async def test_nothing_is_half_done_where_a_video_is_not_there(app: App) -> None:
    [a] = await videos(app, "A")
    ids = [str(a), NOWHERE]
    made = await app.http.post("/api/collections", json={"name": "New", "video_ids": ids})
    assert (made.status_code, made.json()["error"]) == (404, "video_not_found")
    collection_id = await make.collection(app.http, "Old")
    put = await app.http.post(f"/api/collections/{collection_id}/videos", json={"video_ids": ids})
    assert (put.status_code, put.json()["error"]) == (404, "video_not_found")
    [left] = (await app.http.get("/api/collections")).json()["items"]
    assert (left["name"], left["videos"]) == ("Old", 0)


async def test_a_deleted_collection_leaves_its_videos_and_what_is_said_of_them(app: App) -> None:
    a, _ = await videos(app, "A", "B")
    collection_id = await make.collection(app.http, "Talks", a)
    talk = await make.conversation(app.http, collection_id=collection_id)
    path = f"/api/collections/{collection_id}"
    assert (await app.http.delete(path)).status_code == 204
    assert (await app.http.get(path)).status_code == 404
    assert (await app.http.get("/api/videos")).json()["total"] == 2
    stored = (await app.http.get(f"/api/conversations/{talk}")).json()
    assert (stored["collection_id"], stored["video_ids"]) == (None, [str(a)])


async def test_a_removed_video_is_in_no_collection(app: App) -> None:
    a, b = await videos(app, "A", "B")
    collection_id = await make.collection(app.http, "Talks", a, b)
    await app.http.delete(f"/api/videos/{a}")
    stored = (await app.http.get(f"/api/collections/{collection_id}")).json()
    assert (stored["videos"], await titles_in(app, collection_id)) == (1, ["B"])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "  "},
        {"name": "x" * 201},
        {"name": "A", "videos": []},
        {"name": "A", "video_ids": ["x"]},
    ],
)
async def test_a_collection_that_makes_no_sense_is_422(
    client: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    answer = await client.post("/api/collections", json=body)
    assert (answer.status_code, answer.json()["error"]) == (422, "validation_failed")


async def test_nobody_reaches_a_collection_of_somebody_else(app: App) -> None:
    secret, secret_video = await theirs(app)
    [mine] = await videos(app, "Mine")
    path = f"/api/collections/{secret.id}"
    talk = await make.conversation(app.http)
    answers = [
        await app.http.get(path),
        await app.http.patch(path, json={"name": "Stolen"}),
        await app.http.delete(path),
        await app.http.post(f"{path}/videos", json={"video_ids": [str(mine)]}),
        await app.http.delete(f"{path}/videos/{secret_video}"),
        await app.http.get("/api/videos", params={"collection_id": str(secret.id)}),
        await app.http.get("/api/search", params={"q": "x", "collection_id": str(secret.id)}),
        await app.http.post("/api/conversations", json={"collection_id": str(secret.id)}),
        await app.http.post(
            f"/api/conversations/{talk}/ask",
            json={"content": "What?", "collection_id": str(secret.id)},
        ),
        await app.http.post("/api/videos", json={"url": "x", "collection_id": str(secret.id)}),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["error"]) == (404, "collection_not_found")
    assert (await app.http.get("/api/collections")).json() == {"items": [], "total": 0}
    own = await make.collection(app.http, "Secrets")
    body = {"video_ids": [str(secret_video)]}
    put = await app.http.post(f"/api/collections/{own}/videos", json=body)
    assert (put.status_code, put.json()["error"]) == (404, "video_not_found")
    async with app.resources.sessions() as session:
        kept = await session.get_one(Collection, secret.id)
    assert kept.name == "Secrets"


async def test_a_shared_video_shows_only_ones_own_collections(app: App) -> None:
    secret, video_id = await theirs(app)
    user = await local_user(app.resources)
    await make.entry(app.resources, user, video_id)
    mine = await make.collection(app.http, "Mine", video_id)
    video = (await app.http.get(f"/api/videos/{video_id}")).json()
    assert video["collection_ids"] == [mine]
    await app.http.delete(f"/api/videos/{video_id}")
    async with app.resources.sessions() as session:
        other = await session.get_one(Collection, secret.id)
        assert other.name == "Secrets"
    assert (await app.http.get(f"/api/collections/{mine}")).json()["videos"] == 0
