"""What a person may have: set by the administrator, else by the settings."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest_asyncio

from talker.embedded import ServerUrls
from talker.models import ModelCall
from tests import make
from tests.api.test_admin import program
from tests.conftest import App
from tests.people import accounts_app, browser, error_of, log_in, member, register

IDS = ("dQw4w9WgXcQ", "9bZkp7q19f0", "kJQP7kiw5Fk", "JGwWNGJdvx8")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def app(embedded: ServerUrls, tmp_path_factory: object) -> AsyncIterator[App]:
    data_dir = Path(str(tmp_path_factory.getbasetemp()))  # type: ignore[attr-defined]
    async with accounts_app(embedded, data_dir, quota_videos=3) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def admin(app: App) -> AsyncIterator[httpx.AsyncClient]:
    async with member(app, "boss@example.org", admin=True) as http:
        yield http


async def set_quotas(admin: httpx.AsyncClient, person: httpx.AsyncClient, **values: object) -> None:
    user_id = (await person.get("/api/auth/me")).json()["id"]
    answer = await admin.put(f"/api/admin/users/{user_id}/quotas", json=values)
    assert answer.status_code == 200, answer.text
    assert {k: v for k, v in answer.json()["own"].items() if v is not None} == values


async def test_links_beyond_the_quota_fail_beside_those_that_fit(app: App) -> None:
    async with member(app, "three@example.org") as http:
        answer = await http.post("/api/videos", json={"urls": list(IDS)})
        items = answer.json()["items"]
        assert [item["status"] for item in items] == ["queued", "queued", "queued", "failed"]
        assert items[3]["failure"]["reason"] == "library_full"
        assert "3 of 3 videos" in items[3]["failure"]["detail"]
        again = (await http.post("/api/videos", json={"urls": list(IDS[:3])})).json()["items"]
        assert {item["failure"] and item["failure"]["reason"] for item in again} <= {None}
        library = (await http.get("/api/usage")).json()["library"]
        assert library["videos"] == {"used": 3, "most": 3}
        assert library["hours"]["most"] is None
        assert (await http.delete(f"/api/videos/{items[0]['video_id']}")).status_code == 204
        [freed] = (await http.post("/api/videos", json={"url": IDS[3]})).json()["items"]
        assert freed["status"] == "queued"


async def test_two_adds_at_once_do_not_fit_where_one_does(
    app: App, admin: httpx.AsyncClient
) -> None:
    async with member(app, "racer@example.org") as http:
        await set_quotas(admin, http, videos=1)
        answers = await asyncio.gather(
            *(http.post("/api/videos", json={"url": id_}) for id_ in IDS),
            *(
                http.post(
                    "/api/videos/upload",
                    files={"file": ("a.json", make.captions(make.BREAD[n:], title=f"No {n}"))},
                )
                for n in range(3)
            ),
        )
        assert (await http.get("/api/videos")).json()["total"] == 1
        taken = [
            answer
            for answer in answers
            if answer.status_code == 202 and answer.json()["items"][0]["failure"] is None
        ]
        assert len(taken) == 1


async def test_a_file_beyond_the_quota_is_too_large_and_leaves_nothing_behind(
    app: App, admin: httpx.AsyncClient
) -> None:
    async with member(app, "files@example.org") as http:
        await set_quotas(admin, http, storage_mb=0.0005)
        first = make.captions(make.OCEAN[:4])
        await make.upload(http, first)
        more = {"file": ("more.json", make.captions(make.BREAD))}
        refused = await http.post("/api/videos/upload", files=more)
        assert error_of(refused) == (413, "library_full")
        assert "of 0.0005 MB" in refused.json()["detail"]
        assert (await http.get("/api/videos")).json()["total"] == 1
        same = await http.post("/api/videos/upload", files={"file": ("talk.json", first)})
        assert same.status_code == 202
        await set_quotas(admin, http, hours=0.01)
        refused = await http.post("/api/videos/upload", files=more)
        assert error_of(refused) == (413, "library_full")


async def test_an_administrator_sets_and_sees_quotas_and_it_is_written_down(
    app: App, admin: httpx.AsyncClient
) -> None:
    async with member(app, "seen@example.org") as http:
        user_id = (await http.get("/api/auth/me")).json()["id"]
        async with app.resources.sessions.begin() as session:
            session.add(
                ModelCall(
                    user_id=user_id, purpose="answer", model="m", cost_usd=0.25, duration_ms=1
                )
            )
        path = f"/api/admin/users/{user_id}/quotas"
        before = (await admin.get(path)).json()
        assert before["own"] == {
            "videos": None,
            "hours": None,
            "storage_mb": None,
            "daily_usd": None,
        }
        assert before["defaults"]["videos"] == 3
        assert before["used"]["daily_usd"] == 0.25
        for bad in ({"videos": -1}, {"hours": 1e10}, {"video": 1}, {"videos": 1.5}):
            assert error_of(await admin.put(path, json=bad)) == (422, "validation_failed")
        await set_quotas(admin, http, videos=7, daily_usd=0.2)
        assert (await http.get("/api/usage")).json()["budget_usd"] == 0.2
        newest = (await admin.get("/api/admin/audit")).json()["items"][0]
        assert (newest["action"], newest["subject"]) == ("set_quotas", "seen@example.org")
        assert newest["detail"]["videos"] == 7
        talk = await make.conversation(http)
        asked = await http.post(
            f"/api/conversations/{talk}/ask", json={"content": "How deep was it?"}
        )
        assert error_of(asked) == (402, "budget_used_up")
        await set_quotas(admin, http, daily_usd=0)
        assert (await http.get("/api/usage")).json()["budget_usd"] is None


async def test_the_command_sets_and_shows_quotas(app: App) -> None:
    await register(app, "shell@example.org")
    code, said = await program(
        app.resources, "admin", "quota", "shell@example.org", "--videos", "5", "--json"
    )
    assert code == 0
    assert json.loads(said)["own"]["videos"] == 5
    code, said = await program(app.resources, "admin", "quota", "shell@example.org", "--hours", "2")
    assert said.splitlines()[:2] == ["videos     0.00 of 5.00", "hours      0.00 of 2.00"]
    code, said = await program(app.resources, "admin", "quota", "shell@example.org", "--default")
    assert said.splitlines()[0] == "videos     0.00 of any number"
    code, said = await program(app.resources, "admin", "quota", "nobody@example.org")
    assert (code, said) == (2, "There is no user nobody@example.org.")
    async with browser(app) as http:
        await log_in(http, "shell@example.org")
        assert (await http.get("/api/usage")).json()["library"]["videos"]["most"] == 3
