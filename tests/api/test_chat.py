import asyncio
import json
from typing import Any

import httpx
import pytest
import websockets

from tests import make
from tests.conftest import App
from tests.model_server import Breaks, Cut, Failure, Hangs, ModelServer

Server = tuple[ModelServer, str]

NOWHERE = "00000000-0000-0000-0000-000000000000"


def kinds(events: list[dict[str, Any]]) -> list[str]:
    """The kinds of events up to the answer's in order, runs of tokens as one."""
    found = [event["type"] for event in events if event["type"] != "suggestions"]
    return [
        kind for n, kind in enumerate(found) if n == 0 or (kind, found[n - 1]) != ("token",) * 2
    ]


async def test_an_answer_streams_and_its_citations_play_the_second_it_was_said(
    chat_app: App,
) -> None:
    video_id = await make.upload(chat_app.http, make.captions(make.OCEAN, youtube_id="dQw4w9WgXcQ"))
    talk = await make.conversation(chat_app.http)
    events = await make.ask(chat_app.http, talk, "Why does the anglerfish's lamp glow?")
    assert kinds(events) == [
        "started",
        "status",
        "sources",
        "status",
        "token",
        "message",
        "title",
        "done",
    ]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert len({event["run_id"] for event in events}) == 1
    message = make.only(events, "message")
    assert message["model"] == "test/first"
    assert message["usage"]["output_tokens"] > 0
    assert message["usage"]["cost_usd"] == pytest.approx(
        (message["usage"]["input_tokens"] + message["usage"]["output_tokens"]) * 1e-6
    )
    for citation in message["citations"]:
        assert f"[{citation['n']}]" in message["content"]
        assert citation["video_id"] == str(video_id)
        line = round(citation["start_s"] / 6)
        assert make.OCEAN[line].startswith(citation["quote"].split(".")[0])
        assert citation["url"] == (
            f"https://www.youtube.com/watch?v=dQw4w9WgXcQ&t={int(citation['start_s'])}s"
        )
    assert message["citations"]


async def test_a_first_question_calls_the_model_once_and_a_follow_up_at_most_twice(
    chat_app: App, model_server: Server
) -> None:
    await make.upload(chat_app.http, make.captions(make.OCEAN))
    talk = await make.conversation(chat_app.http)
    server, _ = model_server
    await make.ask(chat_app.http, talk, "How deep was the deepest dive?")
    assert len(server.chat_requests()) == 1
    await make.ask(chat_app.http, talk, "And who was on board?")
    assert len(server.chat_requests(structured=True)) == 1
    assert len(server.chat_requests()) == 3


async def test_a_follow_up_is_searched_with_what_it_stands_for(app: App) -> None:
    await make.upload(app.http, make.captions(make.OCEAN))
    await make.upload(app.http, make.captions(make.BREAD, title="Bread"), "bread.json")
    talk = await make.conversation(app.http)
    await make.ask(app.http, talk, "What do I feed a sourdough starter?")
    events = await make.ask(app.http, talk, "And how often?")
    first = make.only(events, "sources")["passages"][0]
    assert first["title"] == "Bread"


async def test_without_a_model_the_answer_is_quoted_from_the_captions(app: App) -> None:
    await make.upload(app.http, make.captions(make.OCEAN))
    talk = await make.conversation(app.http)
    events = await make.ask(app.http, talk, "How deep did the deepest dive go?")
    message = make.only(events, "message")
    assert message["model"] is None
    first = message["citations"][0]
    assert "ten thousand nine hundred and thirty five metres" in first["quote"]
    assert first["quote"] in message["content"]
    assert first["start_s"] <= 42.0 < first["end_s"]


async def test_an_empty_library_is_said_to_be_empty(chat_app: App, model_server: Server) -> None:
    talk = await make.conversation(chat_app.http)
    message = make.only(await make.ask(chat_app.http, talk, "What is entropy?"), "message")
    assert message["content"].startswith("There is no video to answer from yet")
    assert message["citations"] == []
    assert model_server[0].requests == []


async def test_a_scope_keeps_other_videos_out(app: App) -> None:
    ocean = await make.upload(app.http, make.captions(make.OCEAN))
    await make.upload(app.http, make.captions(make.BREAD), "bread.json")
    talk = await make.conversation(app.http, video_ids=[str(ocean)])
    events = await make.ask(app.http, talk, "How long does the dough rest in the fridge?")
    sources = [event for event in events if event["type"] == "sources"]
    assert all(p["video_id"] == str(ocean) for event in sources for p in event["passages"])


@pytest.mark.parametrize(
    ("failure", "error", "retryable"),
    [
        (Failure(401, "No auth credentials found"), "model_unauthorised", False),
        (Failure(402, "Insufficient credits"), "model_out_of_credit", False),
    ],
)
async def test_a_model_that_refuses_is_named_and_nothing_is_answered(
    chat_app: App, model_server: Server, failure: Failure, error: str, retryable: bool
) -> None:
    await make.upload(chat_app.http, make.captions(make.OCEAN))
    talk = await make.conversation(chat_app.http)
    model_server[0].script.append(failure)
    events = await make.ask(chat_app.http, talk, "How deep was the deepest dive?")
    said = make.only(events, "error")
    assert (said["error"], said["retryable"]) == (error, retryable)
    assert events[-1]["type"] == "done"
    assert "message" not in kinds(events)
    messages = (await chat_app.http.get(f"/api/conversations/{talk}/messages")).json()["items"]
    assert messages[1]["status"] == "failed"
    assert messages[1]["error"] == {"error": error, "detail": said["detail"]}
    again = await make.ask(chat_app.http, talk, "How deep was the deepest dive?")
    assert make.only(again, "message")["citations"]


async def test_a_model_that_fails_before_its_first_word_gives_way_to_the_next(
    chat_app: App, model_server: Server
) -> None:
    await make.upload(chat_app.http, make.captions(make.OCEAN))
    talk = await make.conversation(chat_app.http)
    model_server[0].script.append(Failure(503))
    events = await make.ask(chat_app.http, talk, "How deep was the deepest dive?")
    assert make.only(events, "message")["model"] == "test/second"


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        (Breaks("The dive went"), "model_unavailable"),
        (Cut("The dive went"), "answer_broken_off"),
    ],
)
async def test_an_answer_that_breaks_off_is_a_failure_that_keeps_its_words(
    chat_app: App, model_server: Server, broken: Breaks | Cut, error: str
) -> None:
    await make.upload(chat_app.http, make.captions(make.OCEAN))
    talk = await make.conversation(chat_app.http)
    model_server[0].script.append(broken)
    events = await make.ask(chat_app.http, talk, "How deep was the deepest dive?")
    assert make.only(events, "error")["error"] == error
    messages = (await chat_app.http.get(f"/api/conversations/{talk}/messages")).json()["items"]
    assert (messages[1]["status"], messages[1]["content"]) == ("failed", "The dive went")


async def test_stop_ends_the_models_stream_and_keeps_the_words(
    chat_app: App, model_server: Server
) -> None:
    await make.upload(chat_app.http, make.captions(make.OCEAN))
    talk = await make.conversation(chat_app.http)
    server, _ = model_server
    server.token_s = 0.05
    server.script.append(" ".join(f"word{n}" for n in range(400)))
    asking = asyncio.create_task(make.ask(chat_app.http, talk, "How deep was the deepest dive?"))
    while server.open_streams == 0:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)
    stopped = await chat_app.http.post(f"/api/conversations/{talk}/stop")
    assert stopped.json() == {"stopped": True}
    async with asyncio.timeout(30):
        while server.open_streams:
            await asyncio.sleep(0.01)
    message = make.only(await asking, "message")
    assert message["content"].startswith("word0 word1")
    messages = (await chat_app.http.get(f"/api/conversations/{talk}/messages")).json()["items"]
    assert messages[1]["status"] == "stopped"
    assert messages[1]["content"] == message["content"]


@pytest.mark.parametrize(
    ("question", "status", "error"),
    [
        ({"content": "  "}, 400, "empty_question"),
        ({"content": "a" * 100_000}, 400, "question_too_long"),
        ({"content": "Hello", "model": "no/such-model"}, 400, "unknown_model"),
        (
            {"content": "Hello", "video_ids": [NOWHERE]},
            404,
            "video_not_found",
        ),
        ({"content": "Hello", "collection_id": NOWHERE}, 404, "collection_not_found"),
        ({"content": "Hello", "template": "poem"}, 404, "template_not_found"),
        ({"content": "Hello", "colour": "blue"}, 422, "validation_failed"),
        ({}, 422, "validation_failed"),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused_with_a_sentence(
    app: App, question: dict[str, Any], status: int, error: str
) -> None:
    talk = await make.conversation(app.http)
    answer = await app.http.post(f"/api/conversations/{talk}/ask", json=question)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    messages = await app.http.get(f"/api/conversations/{talk}/messages")
    assert messages.json() == {"items": [], "total": 0}


async def test_a_conversation_that_is_not_there_is_404(app: App) -> None:
    answer = await app.http.post(f"/api/conversations/{NOWHERE}/ask", json={"content": "Hi"})
    assert (answer.status_code, answer.json()["error"]) == (404, "conversation_not_found")


def socket_url(app: App, talk: str) -> str:
    return f"{app.url.replace('http', 'ws', 1)}/api/chat/{talk}"


async def receive_run(socket: websockets.ClientConnection) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    async with asyncio.timeout(20):
        while not events or events[-1]["type"] != "done":
            events.append(json.loads(await socket.recv()))
    return events


async def test_the_socket_gives_the_same_events(chat_app: App) -> None:
    await make.upload(chat_app.http, make.captions(make.OCEAN))
    talk = await make.conversation(chat_app.http)
    async with websockets.connect(socket_url(chat_app, talk)) as socket:
        await socket.send(json.dumps({"type": "ask", "content": "How deep was the deepest dive?"}))
        events = await receive_run(socket)
    assert kinds(events)[0] == "started"
    assert kinds(events)[-3:] == ["message", "title", "done"]


async def test_a_bad_message_is_answered_and_the_socket_lives_on(app: App) -> None:
    talk = await make.conversation(app.http)
    async with websockets.connect(socket_url(app, talk)) as socket:
        for bad in ("no json", '{"type":"dance"}', '{"type":"ask","content":""}', "[1]"):
            await socket.send(bad)
            event = json.loads(await socket.recv())
            assert (event["type"], event["run_id"]) == ("error", None), bad
        await socket.send(json.dumps({"type": "ask", "content": "hello"}))
        assert kinds(await receive_run(socket))[-1] == "done"


async def test_a_socket_for_someone_elses_conversation_is_refused_with_404(app: App) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with websockets.connect(socket_url(app, NOWHERE)):
            pass
    assert refused.value.response.status_code == 404
    assert json.loads(refused.value.response.body)["error"] == "conversation_not_found"


async def test_an_answer_outlives_its_socket_and_is_resumed(
    chat_app: App, model_server: Server
) -> None:
    await make.upload(chat_app.http, make.captions(make.OCEAN))
    talk = await make.conversation(chat_app.http)
    model_server[0].token_s = 0.02
    async with websockets.connect(socket_url(chat_app, talk)) as socket:
        await socket.send(json.dumps({"type": "ask", "content": "How deep was the deepest dive?"}))
        seen = [json.loads(await socket.recv()) for _ in range(6)]
    async with websockets.connect(socket_url(chat_app, talk)) as socket:
        resume = {"type": "resume", "run_id": seen[0]["run_id"], "after": seen[-1]["seq"]}
        await socket.send(json.dumps(resume))
        rest = await receive_run(socket)
    events = [*seen, *rest]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    written = "".join(event["text"] for event in events if event["type"] == "token")
    assert written.replace(" ", "") == make.only(events, "message")["content"].replace(" ", "")


async def test_a_finished_run_can_be_read_again(app: App) -> None:
    talk = await make.conversation(app.http)
    events = await make.ask(app.http, talk, "hello")
    await asyncio.sleep(0.1)
    async with websockets.connect(socket_url(app, talk)) as socket:
        await socket.send(json.dumps({"type": "resume", "run_id": events[0]["run_id"]}))
        assert await receive_run(socket) == events


async def test_a_second_question_waits_for_the_first_answer(
    chat_app: App, model_server: Server
) -> None:
    await make.upload(chat_app.http, make.captions(make.OCEAN))
    talk = await make.conversation(chat_app.http)
    model_server[0].script.append(Hangs(1))
    asking = asyncio.create_task(make.ask(chat_app.http, talk, "How deep was the deepest dive?"))
    while not model_server[0].requests:
        await asyncio.sleep(0.01)
    answer = await chat_app.http.post(f"/api/conversations/{talk}/ask", json={"content": "Hi"})
    assert (answer.status_code, answer.json()["error"]) == (409, "conversation_busy")
    await chat_app.http.post(f"/api/conversations/{talk}/stop")
    await asking


async def test_a_page_elsewhere_may_not_ask(app: App) -> None:
    talk = await make.conversation(app.http)
    answer = await app.http.post(
        f"/api/conversations/{talk}/ask",
        json={"content": "hello"},
        headers={"Origin": "https://elsewhere.example"},
    )
    assert (answer.status_code, answer.json()["error"]) == (403, "not_allowed")
    elsewhere = websockets.Origin("https://elsewhere.example")
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with websockets.connect(socket_url(app, talk), origin=elsewhere):
            pass
    assert refused.value.response.status_code == 403


async def test_a_name_that_leads_here_from_elsewhere_is_refused(app: App) -> None:
    answer = await app.http.get("/api/videos", headers={"Host": "rebound.example"})
    assert (answer.status_code, answer.json()["error"]) == (403, "not_allowed")


async def test_the_same_origin_may_ask(app: App) -> None:
    answer = await app.http.post("/api/conversations", json={}, headers={"Origin": app.url})
    assert answer.status_code == 201


async def test_an_address_that_is_not_there_answers_in_json(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/nothing")
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
