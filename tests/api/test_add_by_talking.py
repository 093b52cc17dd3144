"""Videos added by talking: the link is asked about, loaded, and asked the question it came with."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import websockets

from talker.settings import Settings
from tests import make
from tests.api.test_chat import receive_run, socket_url
from tests.conftest import App, running
from tests.servers import serving
from tests.supadata_server import KEY, SupadataList, SupadataServer, SupadataVideo

ID = "dQw4w9WgXcQ"
LINK = f"https://youtu.be/{ID}"
CHANNEL = "https://www.youtube.com/@ada"
OCEAN = SupadataVideo(
    {"en": [(number * 6000, 6000, line) for number, line in enumerate(make.OCEAN)]},
    title="The deep ocean",
    duration_s=754,
)


@pytest.fixture
async def supadata() -> AsyncIterator[tuple[SupadataServer, str]]:
    server = SupadataServer()
    server.videos |= {ID: OCEAN, "video000001": OCEAN, "video000002": OCEAN}
    server.lists["@ada"] = SupadataList("Ada's talks", videos=["video000001", "video000002"])
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


async def until(socket: websockets.ClientConnection, kind: str) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    async with asyncio.timeout(20):
        while not events or events[-1]["type"] != kind:
            events.append(json.loads(await socket.recv()))
    return events


async def asked_for(socket: websockets.ClientConnection, content: str) -> dict[str, Any]:
    """Ask with a link; returns what the person is asked in turn."""
    await socket.send(json.dumps({"type": "ask", "content": content}))
    return (await until(socket, "confirm"))[-1]


async def library(app: App) -> list[dict[str, Any]]:
    return list((await app.http.get("/api/videos")).json()["items"])


async def test_a_pasted_link_is_asked_about_with_title_length_and_price(
    app: App, supadata: tuple[SupadataServer, str]
) -> None:
    talk = await make.conversation(app.http)
    async with websockets.connect(socket_url(app, talk)) as socket:
        confirm = await asked_for(socket, LINK)
        for told in ("The deep ocean", "12:34", "Supadata credits: 2"):
            assert told in confirm["prompt"]
        [video] = confirm["videos"]
        assert (video["title"], video["duration_s"], video["youtube_id"]) == (
            "The deep ocean",
            754,
            ID,
        )
        assert await library(app) == []
        await socket.send(json.dumps({"type": "confirm", "accept": True}))
        events = await receive_run(socket)
    [video] = await library(app)
    assert (video["status"], video["title"]) == ("ready", "The deep ocean")
    assert "loaded" in make.only(events, "message")["content"]
    assert any(event.get("step") == "add_videos" for event in events)
    # Title and length were asked for once, for the question and the loading together.
    assert supadata[0].billed == 2


async def test_the_question_that_came_with_the_link_is_answered_from_the_new_video(
    app: App,
) -> None:
    talk = await make.conversation(app.http)
    async with websockets.connect(socket_url(app, talk)) as socket:
        await asked_for(socket, f"How deep was the deepest dive? {LINK}")
        await socket.send(json.dumps({"type": "confirm", "accept": True}))
        events = await receive_run(socket)
    message = make.only(events, "message")
    assert make.OCEAN[-1] in message["citations"][0]["quote"]
    assert message["citations"][0]["youtube_id"] == ID


async def test_who_says_no_has_nothing_loaded(app: App) -> None:
    talk = await make.conversation(app.http)
    async with websockets.connect(socket_url(app, talk)) as socket:
        await asked_for(socket, f"Summarise {LINK} for me")
        await socket.send(json.dumps({"type": "confirm", "accept": False}))
        events = await receive_run(socket)
    assert make.only(events, "message")["content"] == "Nothing was loaded."
    assert await library(app) == []
    assert (await app.http.get("/api/jobs")).json()["total"] == 0


async def test_a_program_confirms_over_http(app: App) -> None:
    talk = await make.conversation(app.http)
    asking = asyncio.create_task(make.ask(app.http, talk, LINK))
    async with asyncio.timeout(20):
        while True:
            url = f"/api/conversations/{talk}/confirm"
            async with app.http.stream("POST", url, json={"accept": True}) as answer:
                if answer.status_code == 200:
                    lines = [line async for line in answer.aiter_lines() if line[:5] == "data:"]
                    break
                assert answer.status_code == 409
            await asyncio.sleep(0.1)
    rest = [json.loads(line[6:]) for line in lines]
    assert rest[-1]["type"] == "done"
    assert (await asking)[-len(rest) :] == rest
    assert make.only(rest, "message")["intent"] == "add_videos"


async def test_a_channel_is_told_as_one_and_loaded_whole(app: App) -> None:
    talk = await make.conversation(app.http)
    async with websockets.connect(socket_url(app, talk)) as socket:
        confirm = await asked_for(socket, f"please add {CHANNEL}")
        assert "Ada's talks" in confirm["prompt"]
        assert "videos: 2" in confirm["prompt"]
        await socket.send(json.dumps({"type": "confirm", "accept": True}))
        events = await receive_run(socket)
    assert "Ready: 2 of 2." in make.only(events, "message")["content"]
    assert any("of 2 ready" in event.get("detail", "") for event in events)


async def test_a_link_behind_which_nothing_can_be_loaded_says_why(
    app: App, supadata: tuple[SupadataServer, str]
) -> None:
    supadata[0].videos[ID] = SupadataVideo({}, title="Silent film")
    talk = await make.conversation(app.http)
    async with websockets.connect(socket_url(app, talk)) as socket:
        await asked_for(socket, f"What happens in {LINK}?")
        await socket.send(json.dumps({"type": "confirm", "accept": True}))
        events = await receive_run(socket)
    content = make.only(events, "message")["content"]
    assert "Silent film" in content
    assert "caption" in content


async def test_the_person_is_asked_and_told_in_their_own_language(app: App) -> None:
    talk = await make.conversation(app.http)
    async with websockets.connect(socket_url(app, talk)) as socket:
        confirm = await asked_for(socket, f"Streść proszę ten film: {LINK}")
        assert confirm["prompt"].startswith("Wczytać?\n- “The deep ocean” (")
        assert "kredyty Supadata: 2" in confirm["prompt"]
        await socket.send(json.dumps({"type": "confirm", "accept": False}))
        events = await receive_run(socket)
    assert make.only(events, "message")["content"] == "Nic nie wczytano."
