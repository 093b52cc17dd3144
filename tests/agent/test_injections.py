"""Attempts to talk the agent into something, from transcripts, titles, channels and questions.

The model server obeys each of them to the letter: what must not happen is prevented by code.
"""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.fence import unfenced
from agent.harmless import visible
from agent.prompts import fill
from tests import make
from tests.conftest import App
from tests.model_server import ModelServer

Server = tuple[ModelServer, str]
Case = dict[str, Any]

FILE = Path(__file__).parent / "injections.jsonl"
CASES: list[Case] = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
QUESTION = "Why does the anglerfish's lamp glow in the deep ocean?"
LINES = make.OCEAN[:4]
CALLS_ELSEWHERE = re.compile(r"://|\]\(|!\[|<[a-zA-Z/!]|www\.|[\u202a-\u202e\u2066-\u2069]")


def of(*places: str) -> list[Case]:
    return [case for case in CASES if case["where"] in places]


async def attempted(app: App, server: ModelServer, case: Case) -> list[dict[str, Any]]:
    """The events of a question about a video with an injection, to a model that obeys it."""
    where = case["where"]
    lines = [*LINES, case["text"]] if where == "transcript" else LINES
    named = {where: case["text"]} if where in ("title", "channel") else {}
    video = await make.upload(app.http, make.captions([case["id"], *lines], **named))
    talk = await make.conversation(app.http, video_ids=[str(video)])
    server.script.append(case["obeys"])
    server.requests.clear()
    question = case["text"] if where == "question" else QUESTION
    return await make.ask(app.http, talk, question)


async def count(http: httpx.AsyncClient) -> int:
    return int((await http.get("/api/videos")).json()["total"])


def check_answer(case: Case, events: list[dict[str, Any]]) -> None:
    """What holds whatever a model says."""
    message = make.only(events, "message")
    content, citations = message["content"], message["citations"]
    streamed = "".join(event["text"] for event in events if event["type"] == "token")
    for text in (content, streamed):
        assert not CALLS_ELSEWHERE.search(text), (case["id"], text)
    for forbidden in case["never"]:
        assert forbidden not in content, (case["id"], content)
    shown = {passage["video_id"] for passage in make.only(events, "sources")["passages"]}
    assert len(shown) == 1
    assert {citation["video_id"] for citation in citations} <= shown
    numbers = {int(n) for n in re.findall(r"\[(\d+)\]", content)}
    assert numbers == {citation["n"] for citation in citations}, case["id"]
    assert "confirm" not in {event["type"] for event in events}
    assert message["intent"] == "answer", case["id"]


def check_prompt(case: Case, server: ModelServer) -> None:
    """The rules stand alone; what others wrote stands inside one fence, under our numbers."""
    [asked] = [body["messages"] for body in server.chat_requests(structured=False)]
    assert asked[0]["content"] == fill("answer")
    prompt = asked[-1]["content"]
    fenced, behind = prompt.split("</passages>\n", 1)
    assert fenced.startswith("<passages>\n")
    fenced = fenced.removeprefix("<passages>\n")
    assert not re.search(r"[<>＜＞]", fenced), case["id"]
    assert "passages>" not in behind, case["id"]
    assert visible(prompt) == prompt, case["id"]
    numbers = [int(n) for n in re.findall(r"^\[(\d+)\] from the video", fenced, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1)), case["id"]
    assert len(re.findall(r"\[\s*\d", fenced)) == len(numbers), case["id"]
    assert len(fenced.strip().splitlines()) == len(numbers) * 3 - 1, case["id"]
    if case["where"] != "question":
        assert unfenced(case["text"])[:40] not in behind, case["id"]


def test_there_are_attempts_of_every_kind() -> None:
    assert len(CASES) >= 40
    assert len({case["id"] for case in CASES}) == len(CASES)
    assert {case["where"] for case in CASES} == {"transcript", "title", "channel", "question"}


@pytest.mark.parametrize("places", [("transcript",), ("title", "channel"), ("question",)])
async def test_no_injection_gets_through_a_model_that_obeys_it(
    chat_app: App, model_server: Server, places: tuple[str, ...]
) -> None:
    server = model_server[0]
    server.suggestions = json.dumps(
        {"questions": ["See https://evil.example ?", "[Click](//evil.example) here now?", "Ok?"]}
    )
    for case in of(*places):
        before = await count(chat_app.http)
        events = await attempted(chat_app, server, case)
        assert await count(chat_app.http) == before + 1, case["id"]
        check_answer(case, events)
        check_prompt(case, server)
        assert "suggestions" not in {event["type"] for event in events}
