"""Jobs over HTTP: how far loading is, and loading again."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import delete

from talker.models import LibraryEntry, User
from talker.settings import Settings
from tests.conftest import App, running
from tests.make import OCEAN, captions, until_ready, upload
from tests.servers import serving
from tests.supadata_server import KEY, SupadataServer, SupadataVideo

ID = "dQw4w9WgXcQ"
UNKNOWN = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
async def supadata() -> AsyncIterator[tuple[SupadataServer, str]]:
    server = SupadataServer()
    async with serving(server.app()) as url:
        yield server, url


@pytest.fixture
async def app(
    make_settings: Callable[..., Settings], supadata: tuple[SupadataServer, str]
) -> AsyncIterator[App]:
    """The app, loading through the local Supadata."""
    settings = make_settings(
        supadata_base_url=supadata[1], supadata_api_key=KEY, transcript_providers="supadata"
    )
    async with running(settings) as opened:
        yield opened


async def changes(client: httpx.AsyncClient) -> AsyncIterator[dict[str, Any]]:
    async with client.stream("GET", "/api/jobs/stream") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for line in answer.aiter_lines():
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))


async def over(client: httpx.AsyncClient, job_id: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            jobs = (await client.get("/api/jobs")).json()["items"]
            [job] = [job for job in jobs if job["id"] == job_id]
            if job["status"] in ("done", "failed"):
                return dict(job)
            await asyncio.sleep(0.05)


async def test_a_finished_job_says_what_it_did(client: httpx.AsyncClient) -> None:
    video_id = await upload(client, captions(OCEAN, youtube_id=ID))
    [job] = (await client.get("/api/jobs")).json()["items"]
    assert job["video_id"] == str(video_id)
    assert job["source"] == "talk.json"
    assert (job["status"], job["step"], job["progress"]) == ("done", "index", 1.0)
    assert (job["attempt"], job["failure"]) == (1, None)


async def test_a_watcher_is_told_of_every_change(
    client: httpx.AsyncClient, supadata: tuple[SupadataServer, str]
) -> None:
    captions = {"en": [(n * 6000, 6000, line) for n, line in enumerate(OCEAN)]}
    supadata[0].videos[ID] = SupadataVideo(captions, polls=2)
    added = (await client.post("/api/videos", json={"url": ID})).json()["items"][0]
    seen: list[tuple[str, str | None]] = []
    async with asyncio.timeout(60):
        async for job in changes(client):
            assert job["id"] == added["job_id"]
            seen.append((job["status"], job["step"]))
            if job["status"] == "done":
                break
    assert seen[-1] == ("done", "index")
    assert ("running", "fetch") in seen


async def test_a_failed_job_says_why_and_can_be_tried_again(
    client: httpx.AsyncClient, supadata: tuple[SupadataServer, str]
) -> None:
    added = (await client.post("/api/videos", json={"url": ID})).json()["items"][0]
    job = await over(client, added["job_id"])
    assert job["status"] == "failed"
    assert job["failure"]["reason"] == "removed"
    assert ID in job["failure"]["detail"]
    assert job["failure"]["next_step"]
    video = (await client.get(f"/api/videos/{added['video_id']}")).json()
    assert (video["status"], video["failure"]) == ("failed", job["failure"])
    supadata[0].videos[ID] = SupadataVideo({"en": [(0, 6000, line) for line in OCEAN]})
    answer = await client.post(f"/api/jobs/{job['id']}/retry")
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    await until_ready(client, added["video_id"])
    assert (await over(client, job["id"]))["attempt"] == 2


async def test_what_is_not_failed_is_not_tried_again(client: httpx.AsyncClient) -> None:
    await upload(client, captions(OCEAN))
    [job] = (await client.get("/api/jobs")).json()["items"]
    answer = await client.post(f"/api/jobs/{job['id']}/retry")
    assert (answer.status_code, answer.json()["error"]) == (409, "conflict")


async def test_jobs_that_are_not_there_are_404(client: httpx.AsyncClient) -> None:
    answer = await client.post(f"/api/jobs/{UNKNOWN}/retry")
    assert (answer.status_code, answer.json()["error"]) == (404, "job_not_found")


WORDS = {"en": [(number * 6000, 6000, line) for number, line in enumerate(OCEAN)]}
IDS = [f"video{number:06}" for number in range(4)]


@pytest.fixture
async def waiting(
    client: httpx.AsyncClient, supadata: tuple[SupadataServer, str]
) -> list[dict[str, Any]]:
    """Jobs that wait for Supadata, which does not finish until it is told to."""
    for name in IDS:
        supadata[0].videos[name] = SupadataVideo(WORDS, polls=10_000)
    answer = await client.post("/api/videos", json={"urls": IDS})
    async with asyncio.timeout(30):
        while len(supadata[0].jobs) < len(IDS):
            await asyncio.sleep(0.05)
    return list(answer.json()["items"])


async def test_a_job_is_paused_resumed_and_cancelled(
    client: httpx.AsyncClient, supadata: tuple[SupadataServer, str], waiting: list[dict[str, Any]]
) -> None:
    first, second = (one["job_id"] for one in waiting[:2])
    answer = await client.post(f"/api/jobs/{first}/pause")
    assert (answer.status_code, answer.json()["status"]) == (202, "paused")
    answer = await client.post(f"/api/jobs/{first}/pause")
    assert (answer.status_code, answer.json()["error"]) == (409, "conflict")
    answer = await client.post(f"/api/jobs/{second}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
    video = (await client.get(f"/api/videos/{waiting[1]['video_id']}")).json()
    assert (video["status"], video["failure"]["reason"]) == ("failed", "cancelled")
    supadata[0].finish_jobs()
    answer = await client.post(f"/api/jobs/{first}/resume")
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    for one in (waiting[0], waiting[2], waiting[3]):
        await until_ready(client, one["video_id"])


async def test_all_jobs_are_steered_at_once(
    client: httpx.AsyncClient, supadata: tuple[SupadataServer, str], waiting: list[dict[str, Any]]
) -> None:
    answer = await client.post("/api/jobs/pause", json={})
    assert (answer.status_code, answer.json()) == (202, {"changed": 4})
    listed = (await client.get("/api/jobs", params={"status": "paused", "limit": 3})).json()
    assert (len(listed["items"]), listed["total"], listed["counts"]) == (3, 4, {"paused": 4})
    batch = listed["items"][0]["batch_id"]
    assert (await client.post("/api/jobs/resume", json={"batch_id": UNKNOWN})).json() == {
        "changed": 0
    }
    assert (await client.post("/api/jobs/resume", json={"batch_id": batch})).json() == {
        "changed": 4
    }
    assert (await client.post("/api/jobs/cancel", json={})).json() == {"changed": 4}
    # What somebody cancelled has not failed in a way that time heals.
    assert (await client.post("/api/jobs/retry", json={})).json() == {"changed": 0}
    supadata[0].finish_jobs()
    await client.post(f"/api/jobs/{waiting[0]['job_id']}/retry")
    await until_ready(client, waiting[0]["video_id"])


async def test_nobody_stops_what_others_wait_for_too(
    client: httpx.AsyncClient, app: App, waiting: list[dict[str, Any]]
) -> None:
    async with app.resources.sessions.begin() as session:
        other = User(email="ada@example.org")
        session.add(other)
        await session.flush()
        session.add(LibraryEntry(user_id=other.id, video_id=UUID(waiting[0]["video_id"])))
    answer = await client.post(f"/api/jobs/{waiting[0]['job_id']}/cancel")
    assert (answer.status_code, answer.json()["error"]) == (409, "conflict")
    assert "library" in answer.json()["detail"]
    assert (await client.post("/api/jobs/cancel", json={})).json() == {"changed": 3}


async def test_the_jobs_of_others_are_not_there(
    client: httpx.AsyncClient, app: App, waiting: list[dict[str, Any]]
) -> None:
    async with app.resources.sessions.begin() as session:
        await session.execute(delete(LibraryEntry))
    assert (await client.get("/api/jobs")).json() == {"items": [], "total": 0, "counts": {}}
    for action in ("pause", "resume", "cancel", "retry"):
        answer = await client.post(f"/api/jobs/{waiting[0]['job_id']}/{action}")
        assert (answer.status_code, answer.json()["error"]) == (404, "job_not_found")


async def test_what_a_video_cost_stands_with_its_job(
    client: httpx.AsyncClient, supadata: tuple[SupadataServer, str]
) -> None:
    supadata[0].videos[ID] = SupadataVideo(WORDS, title="The deep ocean")
    added = (await client.post("/api/videos", json={"url": ID})).json()["items"][0]
    job = await over(client, added["job_id"])
    assert (job["title"], job["credits"], job["language"]) == ("The deep ocean", 2, None)
