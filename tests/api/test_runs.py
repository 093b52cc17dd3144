"""Runs across two apps on one database, as two processes behind a balancer are."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest
import websockets

from api.notices import Notices
from api.run_events import EventStore
from tests import make
from tests.conftest import App, MakeSettings, running
from tests.model_server import ModelServer

Server = tuple[ModelServer, str]
QUESTION = "How deep was the deepest dive?"
LONG = " ".join(f"word{n}" for n in range(400))


@pytest.fixture
async def two_apps(
    make_settings: MakeSettings, model_server: Server
) -> AsyncIterator[tuple[App, App]]:
    settings = make_settings(
        openrouter_base_url=model_server[1], chat_models=("test/first",), router_model="test/r"
    )
    async with running(settings) as one, running(settings) as two:
        yield one, two


@asynccontextmanager
async def socket_to(app: App, talk: str) -> AsyncIterator[websockets.ClientConnection]:
    url = f"{app.url.replace('http', 'ws', 1)}/api/chat/{talk}"
    async with websockets.connect(url) as socket:
        yield socket


async def send(socket: websockets.ClientConnection, kind: str, **values: Any) -> None:
    await socket.send(json.dumps({"type": kind, **values}))


async def receive_until(socket: websockets.ClientConnection, *kinds: str) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    async with asyncio.timeout(30):
        while not events or events[-1]["type"] not in kinds:
            events.append(json.loads(await socket.recv()))
    return events


def joined(events: list[dict[str, Any]]) -> str:
    """What the tokens after the last `started` come to."""
    last = max(n for n, event in enumerate(events) if event["type"] == "started")
    return "".join(event["text"] for event in events[last:] if event["type"] == "token")


async def messages_of(http: httpx.AsyncClient, talk: str, **query: Any) -> list[dict[str, Any]]:
    answer = await http.get(f"/api/conversations/{talk}/messages", params=query)
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def talk_about_the_ocean(app: App) -> str:
    await make.upload(app.http, make.captions(make.OCEAN))
    return await make.conversation(app.http)


async def test_a_run_is_resumed_from_another_process_without_a_gap(
    two_apps: tuple[App, App], model_server: Server
) -> None:
    one, two = two_apps
    talk = await talk_about_the_ocean(one)
    model_server[0].token_s = 0.02
    model_server[0].script.append(" ".join(f"word{n}" for n in range(60)))
    async with socket_to(one, talk) as socket:
        await send(socket, "ask", content=QUESTION)
        seen = await receive_until(socket, "token")
    async with socket_to(two, talk) as socket:
        await send(socket, "resume", run_id=seen[0]["run_id"], after=seen[-1]["seq"])
        rest = await receive_until(socket, "done")
    events = [*seen, *rest]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    [_, answer] = await messages_of(two.http, talk)
    assert joined(events) == answer["content"] == make.only(events, "message")["content"]


async def test_stop_from_another_process_ends_the_models_stream_at_once_and_keeps_the_words(
    two_apps: tuple[App, App], model_server: Server
) -> None:
    one, two = two_apps
    talk = await talk_about_the_ocean(one)
    server, _ = model_server
    server.token_s = 0.02
    server.script.append(LONG)
    async with socket_to(one, talk) as socket:
        await send(socket, "ask", content=QUESTION)
        await receive_until(socket, "token")
        stopped = await two.http.post(f"/api/conversations/{talk}/stop")
        assert stopped.json() == {"stopped": True}
        async with asyncio.timeout(30):
            while server.open_streams:
                await asyncio.sleep(0.01)
        events = await receive_until(socket, "done")
    message = make.only(events, "message")
    [_, answer] = await messages_of(two.http, talk)
    assert (answer["status"], answer["content"]) == ("stopped", message["content"])
    assert message["content"].startswith("word0")
    again = await two.http.post(f"/api/conversations/{talk}/stop")
    assert again.json() == {"stopped": False}


async def test_stop_before_the_first_word_ends_the_run_without_waiting_for_it(
    two_apps: tuple[App, App], model_server: Server
) -> None:
    one, two = two_apps
    talk = await talk_about_the_ocean(one)
    model_server[0].first_token_s = 30
    async with socket_to(one, talk) as socket:
        await send(socket, "ask", content=QUESTION)
        await receive_until(socket, "sources")
        while not model_server[0].chat_requests():
            await asyncio.sleep(0.01)
        async with asyncio.timeout(20):
            await two.http.post(f"/api/conversations/{talk}/stop")
            events = await receive_until(socket, "done")
    assert make.only(events, "message")["content"] == ""
    [_, answer] = await messages_of(one.http, talk)
    assert answer["status"] == "stopped"


async def test_an_app_that_is_stopped_hands_its_answer_to_the_next(
    make_settings: MakeSettings, model_server: Server
) -> None:
    settings = make_settings(openrouter_base_url=model_server[1], chat_models=("test/first",))
    server, _ = model_server
    async with running(settings) as two:
        async with running(settings) as one:
            talk = await talk_about_the_ocean(one)
            server.token_s = 0.05
            server.script.extend([LONG, "It went down [1]."])
            async with socket_to(one, talk) as socket:
                await send(socket, "ask", content=QUESTION)
                seen = await receive_until(socket, "token")
        async with socket_to(two, talk) as socket:
            await send(socket, "resume", run_id=seen[0]["run_id"], after=seen[-1]["seq"])
            rest = await receive_until(socket, "done")
    events = [*seen, *rest]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert joined(events) == "It went down [1]."
    message = make.only(events, "message")
    assert message["content"].startswith("It went down")
    assert message["metadata"]["attempt"] == 2


async def test_an_answer_says_how_it_was_made(chat_app: App) -> None:
    talk = await talk_about_the_ocean(chat_app)
    made = make.only(await make.ask(chat_app.http, talk, QUESTION), "message")["metadata"]
    [_, answer] = await messages_of(chat_app.http, talk)
    assert answer["metadata"] == made
    assert made["route"]["intent"] == "answer"
    assert [step["step"] for step in made["steps"]] == ["route", "retrieve", "grade", "answer"]
    assert made["passages"][0].keys() == {"n", "chunk_id", "video_id", "score", "cosine"}
    [call] = made["calls"]
    assert (call["purpose"], call["model"]) == ("answer", "test/first")
    assert 0 < made["first_token_ms"] <= made["total_ms"]


async def test_one_who_resumes_after_the_end_is_not_kept_waiting(app: App) -> None:
    talk = await make.conversation(app.http)
    done = (await make.ask(app.http, talk, "hello"))[-1]
    await asyncio.sleep(0.2)
    async with socket_to(app, talk) as socket:
        await send(socket, "resume", run_id=done["run_id"], after=done["seq"] - 1)
        assert await receive_until(socket, "done") == [done]
    store = EventStore(app.resources.sessions, Notices(app.resources.database_url))
    late = store.read(UUID(talk), UUID(done["run_id"]), done["seq"])
    async with asyncio.timeout(30):
        assert [event async for event in late] == []
