"""What a person sees, and what is stored, when a model fails in each of the ways it can."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from talker.models import LOCAL_USER_EMAIL, ModelCall, User
from talker.settings import Settings
from tests import make
from tests.conftest import App, running
from tests.model_server import Breaks, Cut, Ends, Failure, Hangs, ModelServer, Page, Scripted

MakeSettings = Callable[..., Settings]
Server = tuple[ModelServer, str]

QUESTION = "How deep was the deepest dive?"
WORDS = "The deepest dive went"
FLAGGED = Failure(
    403, "Flagged", said={"metadata": {"reasons": ["violence"], "flagged_input": "the dive"}}
)
TOO_LONG = Failure(400, "Too long", said={"metadata": {"error_type": "context_length_exceeded"}})


async def messages(app: App, talk: str) -> list[dict[str, Any]]:
    answer = await app.http.get(f"/api/conversations/{talk}/messages")
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def until_stored(app: App, count: int) -> list[ModelCall]:
    """The calls, once they are written, which is done beside the answer."""
    async with asyncio.timeout(30):
        while True:
            async with app.resources.sessions() as session:
                query = select(ModelCall).order_by(ModelCall.created_at)
                calls = list(await session.scalars(query))
            if len(calls) >= count:
                return calls
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("failure", "error", "retryable", "says"),
    [
        (Failure(401), "model_unauthorised", False, "Check OPENROUTER_API_KEY"),
        (Failure(402), "model_out_of_credit", False, "Add credit"),
        (Failure(403), "model_unauthorised", False, "Check OPENROUTER_API_KEY"),
        (FLAGGED, "question_flagged", False, "flagged the question for violence"),
        (TOO_LONG, "context_too_long", False, "Ask about fewer videos"),
        (Failure(408), "model_timed_out", True, "Try again"),
        (Failure(429, headers={"retry-after": "40"}), "model_busy", True, "in 40 s"),
        (Failure(502), "model_unavailable", True, "Try again in a moment"),
        (Failure(503), "no_provider", True, "choose another model"),
        (Failure(504), "model_timed_out", True, "Try again"),
        (Page(), "unreadable_reply", True, "check OPENROUTER_BASE_URL"),
        (Hangs(20), "model_timed_out", True, "did not answer in time"),
        (Ends("", "stop"), "empty_answer", True, "choose another model"),
    ],
)
async def test_a_failure_of_all_models_is_told_and_nothing_is_answered(
    chat_app: App,
    model_server: Server,
    failure: Scripted,
    error: str,
    retryable: bool,
    says: str,
) -> None:
    await make.upload(chat_app.http, make.captions(make.OCEAN))
    talk = await make.conversation(chat_app.http)
    model_server[0].script.extend([failure] * 4)
    events = await make.ask(chat_app.http, talk, QUESTION)
    said = make.only(events, "error")
    assert (said["error"], said["retryable"]) == (error, retryable)
    assert says in said["detail"]
    assert events[-1]["type"] == "done"
    assert not {"message", "token"} & {event["type"] for event in events}
    answer = (await messages(chat_app, talk))[1]
    assert (answer["status"], answer["content"]) == ("failed", "")
    assert answer["error"] == {"error": error, "detail": said["detail"]}
    model_server[0].script.clear()
    again = await make.ask(chat_app.http, talk, QUESTION)
    assert make.only(again, "message")["citations"]


@pytest.mark.parametrize(
    ("broken", "error", "retryable"),
    [
        (Breaks(WORDS), "model_unavailable", True),
        (Breaks(WORDS, 429, bare=True), "model_busy", True),
        (Ends(WORDS, "error"), "answer_broken_off", True),
        (Ends(WORDS), "answer_broken_off", True),
        (Cut(WORDS), "answer_broken_off", True),
        (Ends(WORDS, "length"), "answer_cut_short", True),
        (Ends(WORDS, "content_filter"), "answer_filtered", False),
        (Hangs(20, text=WORDS), "model_timed_out", True),
    ],
)
async def test_an_answer_that_does_not_come_to_its_end_says_so_and_keeps_its_words(
    make_settings: MakeSettings,
    model_server: Server,
    broken: Scripted,
    error: str,
    retryable: bool,
) -> None:
    settings = make_settings(
        openrouter_base_url=model_server[1],
        chat_models=("test/first", "test/second"),
        model_stall_s=0.5,
    )
    model_server[0].script.append(broken)
    async with running(settings) as app:
        await make.upload(app.http, make.captions(make.OCEAN))
        talk = await make.conversation(app.http)
        events = await make.ask(app.http, talk, QUESTION)
        said = make.only(events, "error")
        assert (said["error"], said["retryable"]) == (error, retryable)
        tokens = [event["text"] for event in events if event["type"] == "token"]
        assert "".join(tokens) == WORDS
        answer = (await messages(app, talk))[1]
        assert (answer["status"], answer["content"]) == ("failed", WORDS)
        assert answer["error"] == {"error": error, "detail": said["detail"]}
        [call] = await until_stored(app, 1)
        assert (call.error, call.model, str(call.run_id)) == (
            error,
            "test/first",
            events[0]["run_id"],
        )


async def test_every_call_of_a_follow_up_is_kept_for_the_one_who_asked(
    chat_app: App, model_server: Server
) -> None:
    await make.upload(chat_app.http, make.captions(make.OCEAN))
    talk = await make.conversation(chat_app.http)
    await make.ask(chat_app.http, talk, QUESTION)
    model_server[0].script.append(Failure(503))
    events = await make.ask(chat_app.http, talk, "And who was on board?")
    calls = await until_stored(chat_app, 6)
    needed = [call for call in calls if call.purpose != "suggest"]
    assert [(call.purpose, call.model, call.error) for call in needed] == [
        ("answer", "test/first", None),
        ("route", "test/router", None),
        ("answer", "test/first", "no_provider"),
        ("answer", "test/second", None),
    ]
    assert {str(call.run_id) for call in needed[1:]} == {events[0]["run_id"]}
    usage = (await chat_app.http.get("/api/usage")).json()
    assert usage["today_usd"] == usage["month_usd"] > 0
    assert usage["budget_usd"] is None
    spent = {row["model"]: row for row in usage["by_model"]}
    first = [call for call in calls if call.model == "test/first"]
    assert spent["test/first"]["calls"] == len(first)
    assert spent["test/first"]["input_tokens"] == sum(call.input_tokens or 0 for call in first)
    assert sum(row["cost_usd"] for row in spent.values()) == pytest.approx(usage["today_usd"])


async def test_a_person_whose_budget_is_used_up_waits_for_the_next_day(
    make_settings: MakeSettings, model_server: Server
) -> None:
    settings = make_settings(openrouter_base_url=model_server[1], daily_budget_usd=0.5)
    async with running(settings) as app:
        await make.upload(app.http, make.captions(make.OCEAN))
        talk = await make.conversation(app.http)
        assert make.only(await make.ask(app.http, talk, QUESTION), "message")
        async with app.resources.sessions.begin() as session:
            query = select(User.id).where(User.email == LOCAL_USER_EMAIL)
            user_id = (await session.scalars(query)).one()
            session.add(
                ModelCall(user_id=user_id, purpose="answer", model="m", cost_usd=0.5, duration_ms=1)
            )
        asked = len(model_server[0].chat_requests())
        refused = await app.http.post(
            f"/api/conversations/{talk}/ask", json={"content": "And who was on board?"}
        )
        assert (refused.status_code, refused.json()["error"]) == (402, "budget_used_up")
        assert "midnight UTC" in refused.json()["detail"]
        assert len(model_server[0].chat_requests()) == asked
        assert len(await messages(app, talk)) == 2
        usage = (await app.http.get("/api/usage")).json()
        assert usage["today_usd"] >= usage["budget_usd"] == 0.5


async def test_the_models_say_which_is_the_default(chat_app: App) -> None:
    listed = (await chat_app.http.get("/api/models")).json()
    assert listed["items"] == [
        {"id": "test/first", "default": True},
        {"id": "test/second", "default": False},
    ]
