import json
import time

import pytest

from agent.suggest import good_questions
from tests import make
from tests.conftest import App
from tests.model_server import Failure, Hangs, ModelServer

Server = tuple[ModelServer, str]
ASKED = "Why does the anglerfish's lamp glow?"


def test_only_short_new_harmless_questions_are_suggested() -> None:
    suggested = [
        "Why does the anglerfish's lamp glow??",
        "How deep was the deepest dive?",
        "How deep was the deepest dive ?",
        "Tell me more.",
        "What is on https://evil.example ?",
        "What is on evil.example?",
        "See [this](x)?",
        "What do whale falls feed [2]?",
        "W?",
        "Who " + "really " * 40 + "knows?",
        "何が光りますか、深海の底では？",
        "Who built the submarines?",
    ]
    assert good_questions(suggested, ASKED) == [
        "How deep was the deepest dive?",
        "What do whale falls feed?",
        "何が光りますか、深海の底では？",
    ]
    assert good_questions(suggested[:2], ASKED) == []


async def test_an_answer_is_followed_by_questions(chat_app: App, model_server: Server) -> None:
    await make.upload(chat_app.http, make.captions(make.OCEAN))
    talk = await make.conversation(chat_app.http)
    questions = ["How deep was the deepest dive?", "What do whale falls feed?"]
    model_server[0].suggestions = json.dumps({"questions": questions})
    events = await make.ask(chat_app.http, talk, ASKED)
    assert make.only(events, "suggestions")["questions"] == questions
    prompt = model_server[0].requests[-1]["messages"][-1]["content"]
    assert ASKED in prompt
    assert "[1]" not in prompt


@pytest.mark.parametrize(
    "failing", [Failure(500), Failure(402), Hangs(60), "no form at all", '{"questions": []}']
)
async def test_an_answer_is_whole_when_nothing_can_be_suggested(
    chat_app: App, model_server: Server, failing: Failure | Hangs | str
) -> None:
    await make.upload(chat_app.http, make.captions(make.OCEAN))
    talk = await make.conversation(chat_app.http)
    model_server[0].suggestions = failing
    began = time.monotonic()
    events = await make.ask(chat_app.http, talk, ASKED)
    assert time.monotonic() - began < 15
    kinds = {event["type"] for event in events}
    assert "suggestions" not in kinds
    assert "error" not in kinds
    assert make.only(events, "message")["citations"]


async def test_nothing_is_suggested_without_a_model(app: App) -> None:
    await make.upload(app.http, make.captions(make.OCEAN))
    talk = await make.conversation(app.http)
    events = await make.ask(app.http, talk, ASKED)
    assert "suggestions" not in {event["type"] for event in events}


async def test_nothing_is_suggested_where_nothing_is_cited(
    chat_app: App, model_server: Server
) -> None:
    await make.upload(chat_app.http, make.captions(make.OCEAN))
    talk = await make.conversation(chat_app.http)
    model_server[0].script.append("The videos do not say.")
    events = await make.ask(chat_app.http, talk, "Who won the 1998 world cup?")
    assert "suggestions" not in {event["type"] for event in events}
