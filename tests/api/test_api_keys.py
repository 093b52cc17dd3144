"""API keys: what a program may do with one, and for how long."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from langserve import RemoteRunnable
from sqlalchemy import select, update
from websockets.asyncio.client import connect

from talker.embedded import ServerUrls
from talker.models import ApiKey, now
from tests import make
from tests.conftest import App
from tests.people import accounts_app, bearer, browser, error_of, make_key, member


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def app(embedded: ServerUrls, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[App]:
    async with accounts_app(embedded, tmp_path_factory.getbasetemp()) as opened:
        yield opened


async def test_a_key_is_shown_once_and_kept_as_a_hash(app: App) -> None:
    async with member(app, "once@example.org") as http:
        made = (await http.post("/api/keys", json={"name": " My script "})).json()
        assert made["key"].startswith("ytk_")
        assert (made["name"], made["scope"], made["expires_at"]) == ("My script", "full", None)
        listed = (await http.get("/api/keys")).json()
        assert listed["total"] == 1
        assert listed["items"][0]["prefix"] == made["key"][:10]
        assert made["key"] not in json.dumps(listed)
        async with app.resources.sessions() as session:
            row = await session.get(ApiKey, made["id"])
        assert row is not None
        assert made["key"] not in (row.key_hash, row.prefix)


async def test_a_program_asks_as_the_person_who_made_its_key(app: App) -> None:
    async with member(app, "program@example.org") as http:
        key = await make_key(http)
        async with browser(app, headers=bearer(key)) as program:
            me = (await program.get("/api/auth/me")).json()
            assert (me["email"], me["scope"]) == ("program@example.org", "full")
            video = await make.upload(program, make.captions(make.OCEAN))
            talk = await make.conversation(program)
            url = f"{app.url.replace('http', 'ws')}/api/chat/{talk}"
            async with connect(url, additional_headers=bearer(key)) as socket:
                await socket.send('{"type": "ask", "content": "How deep was the deepest dive?"}')
                kinds = [json.loads(await socket.recv())["type"]]
                while kinds[-1] != "done":
                    kinds.append(json.loads(await socket.recv())["type"])
            assert "message" in kinds
            agent: RemoteRunnable[Any, Any] = RemoteRunnable(
                f"{app.url}/api/agent", headers=bearer(key)
            )
            answer = await agent.ainvoke({"messages": [("human", "How deep was the dive?")]})
            assert answer.additional_kwargs["citations"][0]["video_id"] == str(video)
        listed = (await http.get("/api/keys")).json()["items"]
        assert listed[0]["used_at"] is not None


async def test_a_read_only_key_reads_and_searches_and_no_more(app: App) -> None:
    async with member(app, "reader@example.org") as http:
        talk = await make.conversation(http)
        key = await make_key(http, scope="read")
        async with browser(app, headers=bearer(key)) as program:
            assert (await program.get("/api/auth/me")).json()["scope"] == "read"
            assert (await program.get("/api/search?q=dive")).status_code == 200
            answer = await program.post("/api/conversations")
            assert error_of(answer) == (403, "read_only_key")
            gone = await program.delete(f"/api/conversations/{talk}")
            assert error_of(gone) == (403, "read_only_key")


async def test_a_key_that_is_revoked_or_expired_opens_nothing(app: App) -> None:
    async with member(app, "ends@example.org") as http:
        made = (await http.post("/api/keys", json={"name": "a", "expires_in_days": 1})).json()
        async with browser(app, headers=bearer(made["key"])) as program:
            assert (await program.get("/api/videos")).status_code == 200
            async with app.resources.sessions.begin() as session:
                ends = update(ApiKey).where(ApiKey.id == made["id"])
                await session.execute(ends.values(expires_at=now()))
            assert error_of(await program.get("/api/videos")) == (401, "not_logged_in")
        key = await make_key(http)
        async with browser(app, headers=bearer(key)) as program:
            assert (await program.get("/api/videos")).status_code == 200
            async with app.resources.sessions() as session:
                query = select(ApiKey.id).where(ApiKey.prefix == key[:10])
                key_id = (await session.scalars(query)).one()
            assert (await http.delete(f"/api/keys/{key_id}")).status_code == 204
            assert (await program.get("/api/videos")).status_code == 401
            # Whatever cookie comes with it: a key that is sent decides.
            program.cookies.update(http.cookies)
            assert (await program.get("/api/videos")).status_code == 401


async def test_a_key_cannot_delete_the_account(app: App) -> None:
    async with member(app, "kept@example.org") as http:
        key = await make_key(http)
        async with browser(app, headers=bearer(key)) as program:
            assert error_of(await program.delete("/api/auth/me")) == (403, "not_with_key")
        assert (await http.get("/api/auth/me")).status_code == 200
