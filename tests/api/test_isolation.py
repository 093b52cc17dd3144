"""Nobody reads, searches, counts, guesses or deletes what is not theirs.

The walk takes every route of the OpenAPI document and every message of the socket, and asks as
nobody, with a read-only key, and as somebody else who names the owner's things. A route or a
message without a rule fails it.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, get_args

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import select
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from api.accounts.gate import PUBLIC
from api.chat import ClientMessage
from talker.embedded import ServerUrls
from talker.models import IngestionJob
from tests import make
from tests.api.isolation_rules import (
    MESSAGE_RULES,
    MESSAGES,
    OF_VIDEO,
    PUBLIC_ROUTE,
    RULES,
    SECRETS,
)
from tests.conftest import App
from tests.people import (
    accounts_app,
    bearer,
    browser,
    cookie_header,
    error_of,
    make_key,
    member,
)


@dataclass(frozen=True)
class World:
    """The owner and the stranger, each logged in, and the owner's ids by name."""

    app: App
    owner: httpx.AsyncClient
    stranger: httpx.AsyncClient
    key: str
    ids: dict[str, str]

    def filled(self, value: Any) -> Any:
        """With the owner's ids in the places of their names."""
        text = json.dumps(value)
        for name, id_ in self.ids.items():
            text = text.replace(f"{{{name}}}", id_)
        return json.loads(text)

    def path(self, route: str) -> str:
        names = {f"{name}_id": id_ for name, id_ in self.ids.items()}
        return route.format(**names, which="input")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(
    embedded: ServerUrls, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    async with (
        accounts_app(embedded, tmp_path_factory.getbasetemp()) as app,
        member(app, "owner@example.org", admin=True) as owner,
        member(app, "stranger@example.org") as stranger,
    ):
        key = await make_key(owner, scope="read")
        yield World(app, owner, stranger, key, await belongings(app, owner))


async def belongings(app: App, owner: httpx.AsyncClient) -> dict[str, str]:
    """One of everything that a person can have."""
    video = str(await make.upload(owner, make.captions(make.OCEAN, title="Hidden depths")))
    talk = await make.conversation(owner)
    events = await make.ask(owner, talk, "How deep was the deepest dive of the anglerfish?")
    messages = (await owner.get(f"/api/conversations/{talk}/messages")).json()["items"]
    template = {"name": "My own template", "body": "Three tips."}
    invitation = await owner.post("/api/admin/invitations", json={})
    async with app.resources.sessions() as session:
        job = (await session.scalars(select(IngestionJob))).one()
    return {
        "video": video,
        "conversation": talk,
        "question": messages[0]["id"],
        "message": messages[1]["id"],
        "run": make.only(events, "message")["run_id"],
        "collection": await make.collection(owner, "Private pile", video),
        "template": (await owner.post("/api/templates", json=template)).json()["id"],
        "job": str(job.id),
        "batch": str(job.batch_id or job.id),
        "key": (await owner.get("/api/keys")).json()["items"][0]["id"],
        "session": (await owner.get("/api/auth/sessions")).json()["items"][0]["id"],
        "invitation": invitation.json()["id"],
        "user": (await owner.get("/api/auth/me")).json()["id"],
    }


async def test_every_route_and_every_message_has_a_rule(world: World) -> None:
    document = (await world.app.http.get("/api/openapi.json")).json()
    served = {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method in methods
    }
    assert served == set(RULES)
    union, _ = get_args(ClientMessage)
    kinds = {get_args(cls.model_fields["type"].annotation)[0] for cls in get_args(union)}
    assert kinds == set(MESSAGE_RULES)


@pytest.mark.parametrize("rule", RULES)
async def test_nobody_is_told_to_log_in(world: World, rule: str) -> None:
    method, route = rule.split()
    async with browser(world.app) as nobody:
        status, error = await sent(nobody, method, world.path(route), {}, None)
    if RULES[rule] is PUBLIC_ROUTE and route in PUBLIC:
        assert status != 401 or error == "wrong_credentials"
    else:
        assert (status, error) == (401, "not_logged_in")


@pytest.mark.parametrize("rule", RULES)
async def test_a_read_only_key_reads_ones_own_and_changes_nothing(world: World, rule: str) -> None:
    method, route = rule.split()
    if route in PUBLIC:
        return
    async with browser(world.app, headers=bearer(world.key)) as program:
        query = {"q": "lamp"} if route == "/api/search" else {}
        status, error = await sent(program, method, world.path(route), query, None)
    if method != "GET":
        assert (status, error) == (403, "read_only_key")
    elif route == "/api/videos/{video_id}/summary":
        assert (status, error) == (404, "summary_not_found")
    else:
        assert status == 200, error


@pytest.mark.parametrize("rule", RULES)
async def test_somebody_else_gets_nothing_of_the_owners(world: World, rule: str) -> None:
    method, route = rule.split()
    for ask in RULES[rule]:
        text = Told()
        query = world.filled(ask.query)
        body = world.filled(ask.body)
        status, error = await sent(world.stranger, method, world.path(route), query, body, text)
        assert status == ask.status, (error, text.said)
        for secret in SECRETS:
            assert secret not in text.said.replace(query.get("q", "\0"), "")
        if route.startswith("/api/jobs/") and status == 202:
            assert json.loads(text.said) == {"changed": 0}


async def test_the_owner_still_has_everything_after_that(world: World) -> None:
    ids = world.ids
    for path in (
        f"/api/videos/{ids['video']}",
        f"/api/collections/{ids['collection']}",
        f"/api/templates/{ids['template']}",
        f"/api/conversations/{ids['conversation']}",
    ):
        assert (await world.owner.get(path)).status_code == 200
    assert (await world.owner.get("/api/keys")).json()["total"] == 1
    talk = (await world.owner.get(f"/api/conversations/{ids['conversation']}/messages")).json()
    assert talk["total"] == 2


async def test_a_socket_opens_for_the_owner_alone(world: World) -> None:
    talk = world.ids["conversation"]
    refusals = {
        401: {},
        403: bearer(world.key),
        404: cookie_header(world.stranger),
    }
    for status, headers in refusals.items():
        with pytest.raises(InvalidStatus) as refusal:
            async with socket(world.app, talk, headers):
                pass
        assert refusal.value.response.status_code == status
    async with socket(world.app, talk, cookie_header(world.owner)) as own:
        await own.send(json.dumps({"type": "resume", "run_id": world.ids["run"]}))
        assert json.loads(await own.recv())["type"] == "started"


@pytest.mark.parametrize("kind", MESSAGE_RULES)
async def test_a_message_about_what_is_anothers_is_answered_with_an_error(
    world: World, kind: str
) -> None:
    talk = await make.conversation(world.stranger)
    async with socket(world.app, talk, cookie_header(world.stranger)) as own:
        for message, error in MESSAGE_RULES[kind]:
            await own.send(json.dumps({"type": kind, **world.filled(message)}))
            async with asyncio.timeout(20):
                event = json.loads(await own.recv())
            assert (event["type"], event["error"]) == ("error", error)
        await own.send(json.dumps({"type": "stop"}))


async def test_the_routes_that_no_document_names_are_guarded_as_well(world: World) -> None:
    hidden = {
        "POST /api/agent/stream_log": {"input": MESSAGES, "config": OF_VIDEO},
        "GET /api/agent/playground/": None,
        f"POST /api/messages/{world.ids['message']}/feedback": {"rating": "up"},
    }
    async with browser(world.app) as nobody:
        for rule in hidden:
            method, path = rule.split()
            assert await sent(nobody, method, path, {}, None) == (401, "not_logged_in")
    status, _ = await sent(
        world.stranger,
        "POST",
        f"/api/messages/{world.ids['message']}/feedback",
        {},
        {"rating": "up"},
    )
    assert status == 404


def socket(app: App, talk: str, headers: dict[str, str]) -> connect:
    url = f"{app.url.replace('http', 'ws')}/api/chat/{talk}"
    return connect(url, additional_headers=headers)


@dataclass
class Told:
    said: str = ""


async def sent(
    http: httpx.AsyncClient,
    method: str,
    path: str,
    query: dict[str, str],
    body: Any,
    told: Told | None = None,
) -> tuple[int, str]:
    """Status and error of an answer; of a stream that never ends, what it says at first."""
    async with http.stream(method, path, params=query, json=body) as answer:
        said = b""
        if path.endswith("/jobs/stream") and answer.status_code == 200:
            try:
                async with asyncio.timeout(1):
                    async for piece in answer.aiter_bytes():
                        said += piece
            except TimeoutError:
                pass
        else:
            said = await answer.aread()
    text = said.decode()
    if told is not None:
        told.said = text
    if answer.status_code < 400:
        return answer.status_code, ""
    return error_of(httpx.Response(answer.status_code, text=text))
