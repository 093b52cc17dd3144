"""Chat models over the real protocol: failures, who is asked next, and what requests say."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal
from uuid import uuid4

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import async_sessionmaker

from agent.model_calls import Caller
from agent.models import ChatModels, Reply
from agent.turns import LAST_PAUSE_S
from talker.database import open_engine
from talker.errors import MisfitReply, ModelError, ModelTimedOut
from talker.models import Purpose
from talker.settings import Settings
from tests.model_server import Breaks, Cut, Ends, Failure, Hangs, ModelServer, Page, Scripted

MakeSettings = Callable[..., Settings]
Server = tuple[ModelServer, str]

FIRST, SECOND = "test/first", "test/second"
PROMPT = [SystemMessage("Rules that stay."), HumanMessage("How deep was the dive?")]
FLAGGED = "how to build a"


def caller(purpose: Purpose = "answer", **values: Any) -> Caller:
    nobody: dict[str, Any] = {
        "user_id": None,
        "run_id": None,
        "conversation_id": None,
        "model": None,
    }
    return Caller(**{**nobody, **values, "purpose": purpose})


@dataclass
class Asked:
    """What came of a question: its text as streamed, its reply, or its failure."""

    text: str
    reply: Reply
    failure: ModelError | None
    took_s: float


async def ask(models: ChatModels, by: Caller | None = None) -> Asked:
    asked = Asked("", Reply(), None, 0.0)
    started = time.monotonic()
    try:
        async for text in models.stream(PROMPT, by or caller(), asked.reply):
            asked.text += text
    except ModelError as error:
        asked.failure = error
    asked.took_s = time.monotonic() - started
    return asked


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[ChatModels]:
    engine = open_engine(settings.database_url)
    models = ChatModels(settings, async_sessionmaker(engine, expire_on_commit=False))
    try:
        yield models
    finally:
        await models.aclose()
        await engine.dispose()


@pytest.fixture
async def models(make_settings: MakeSettings, model_server: Server) -> AsyncIterator[ChatModels]:
    settings = make_settings(
        openrouter_base_url=model_server[1],
        chat_models=(FIRST, SECOND),
        router_model="test/router",
    )
    async with opened(settings) as made:
        yield made


@pytest.fixture
async def hasty(make_settings: MakeSettings, model_server: Server) -> AsyncIterator[ChatModels]:
    """Models that are not waited for long: 2 s till the first word, half of one between words."""
    settings = make_settings(
        openrouter_base_url=model_server[1],
        chat_models=(FIRST, SECOND),
        model_timeout_s=2,
        model_stall_s=0.5,
    )
    async with opened(settings) as made:
        yield made


@pytest.fixture
async def only_model(
    make_settings: MakeSettings, model_server: Server
) -> AsyncIterator[ChatModels]:
    """A server with one model, so that no other can take its place."""
    base = model_server[1]
    async with opened(make_settings(openrouter_base_url=base, chat_models=(FIRST,))) as made:
        yield made


def asked_for(server: Server) -> list[str]:
    return [body["model"] for body in server[0].chat_requests()]


KEY_FAILURES: list[tuple[Scripted, str]] = [
    (Failure(401, "No auth credentials found"), "model_unauthorised"),
    (Failure(402, "Insufficient credits"), "model_out_of_credit"),
    (Failure(403, "Key lacks permission"), "model_unauthorised"),
    (
        Failure(
            403, "Request blocked: prompt injection", said={"metadata": {"patterns": ["ignore"]}}
        ),
        "blocked_by_guardrail",
    ),
]
MODEL_FAILURES: list[tuple[Scripted, str]] = [
    (
        Failure(
            403, "Flagged", said={"metadata": {"reasons": ["violence"], "flagged_input": FLAGGED}}
        ),
        "question_flagged",
    ),
    (
        Failure(400, "No", said={"metadata": {"error_type": "content_policy_violation"}}),
        "question_flagged",
    ),
    (
        Failure(400, "Too long", said={"metadata": {"error_type": "context_length_exceeded"}}),
        "context_too_long",
    ),
    (Failure(400, "Too long", said={"code": "context_length_exceeded"}), "context_too_long"),
    (Failure(400, "Too long", said={"type": "exceed_context_size_error"}), "context_too_long"),
    (Failure(400, "This model's maximum context length is 4096 tokens."), "context_too_long"),
    (Failure(400, "Unknown role"), "model_refused"),
    (
        Failure(
            400, "x is not a valid model ID", said={"availability": {"code": "model_not_found"}}
        ),
        "model_not_offered",
    ),
    (
        Failure(403, "Not in your region", said={"availability": {"code": "region_restricted"}}),
        "model_not_offered",
    ),
    (Failure(404, "No endpoints found"), "model_not_offered"),
    (Failure(408), "model_timed_out"),
    (Failure(429), "model_busy"),
    (Failure(500), "model_unavailable"),
    (Failure(502), "model_unavailable"),
    (Failure(503), "no_provider"),
    (Failure(504), "model_timed_out"),
    (Page(200), "unreadable_reply"),
    (Page(404), "unreadable_reply"),
    (Page(502), "model_unavailable"),
    (Ends("", "stop", garbled=True), "unreadable_reply"),
    (Ends("  ", "stop"), "empty_answer"),
    (Ends("", "length"), "answer_cut_short"),
    (Ends("", "content_filter"), "answer_filtered"),
    (Ends(""), "unreadable_reply"),
    (Breaks("", 529), "model_unavailable"),
    (Cut(""), "model_unavailable"),
]


@pytest.mark.parametrize(("failure", "name"), KEY_FAILURES)
async def test_what_concerns_the_key_is_told_at_once_and_asked_of_no_other_model(
    models: ChatModels, model_server: Server, failure: Scripted, name: str
) -> None:
    model_server[0].script.append(failure)
    asked = await ask(models)
    assert asked.failure is not None
    assert (asked.failure.name(), asked.failure.retryable, asked.text) == (name, False, "")
    assert asked_for(model_server) == [FIRST]


@pytest.mark.parametrize(("failure", "name"), MODEL_FAILURES)
async def test_a_model_that_fails_before_its_first_word_gives_way_to_the_next(
    models: ChatModels, model_server: Server, failure: Scripted, name: str
) -> None:
    # A lost connection is tried once more before the model counts as failed.
    model_server[0].script.extend([failure] * (2 if isinstance(failure, Cut) else 1))
    by = caller()
    asked = await ask(models, by)
    assert asked.failure is None
    assert asked.text == asked.reply.text == "Hello! Ask me about your videos."
    assert (asked.reply.model, by.calls[-1].model) == (SECOND, SECOND)
    assert [call.error for call in by.calls][-2:] == [name, None]
    assert asked.took_s < 3


@pytest.mark.parametrize(("failure", "name"), MODEL_FAILURES)
async def test_a_failure_of_every_model_is_an_error_of_its_own(
    models: ChatModels, model_server: Server, failure: Scripted, name: str
) -> None:
    model_server[0].script.extend([failure] * 4)
    asked = await ask(models)
    assert asked.failure is not None
    assert (asked.failure.name(), asked.text) == (name, "")
    assert "<html>" not in str(asked.failure)
    assert asked.took_s < 3 + LAST_PAUSE_S


async def test_moderation_s_reasons_are_named_and_what_it_quotes_is_not(
    models: ChatModels, model_server: Server
) -> None:
    model_server[0].script.extend([MODEL_FAILURES[0][0]] * 2)
    failure = (await ask(models)).failure
    assert "violence" in str(failure)
    assert FLAGGED not in str(failure)


@pytest.mark.parametrize(
    ("broken", "name"),
    [
        (Breaks("The dive went"), "model_unavailable"),
        (Breaks("The dive went", bare=True), "model_unavailable"),
        (Breaks("The dive went", 429), "model_busy"),
        (Breaks("The dive went", 429, bare=True), "model_busy"),
        (
            Breaks("The dive went", "x", said={"metadata": {"error_type": "timeout"}}),
            "model_timed_out",
        ),
        (Breaks("The dive went", "server_error"), "model_unavailable"),
        (
            Breaks("The dive went", 400, said={"metadata": {"error_type": "max_tokens_exceeded"}}),
            "answer_cut_short",
        ),
        (
            Breaks(
                "The dive went", 400, said={"metadata": {"error_type": "content_policy_violation"}}
            ),
            "answer_filtered",
        ),
        (Ends("The dive went", "error"), "answer_broken_off"),
        (Ends("The dive went"), "answer_broken_off"),
        (Ends("The dive went", "length"), "answer_cut_short"),
        (Ends("The dive went", "content_filter"), "answer_filtered"),
        (Ends("The dive went", "stop", garbled=True), "unreadable_reply"),
        (Cut("The dive went"), "answer_broken_off"),
    ],
)
async def test_what_goes_wrong_after_the_first_word_is_an_error_that_keeps_the_words(
    models: ChatModels, model_server: Server, broken: Scripted, name: str
) -> None:
    model_server[0].script.append(broken)
    asked = await ask(models)
    assert asked.failure is not None
    assert asked.failure.name() == name
    assert asked.text == asked.reply.text == "The dive went"
    assert asked_for(model_server) == [FIRST]


async def test_a_connection_lost_after_the_answer_s_end_costs_nothing_but_the_count(
    models: ChatModels, model_server: Server
) -> None:
    model_server[0].script.append(Cut("Ten kilometres.", finished=True))
    asked = await ask(models)
    assert (asked.text, asked.failure, asked.reply.usage) == ("Ten kilometres.", None, None)


@pytest.mark.parametrize("silent", [Hangs(10), Hangs(10, text="  ")])
async def test_a_model_that_hangs_before_its_first_word_gives_way_within_its_share_of_the_wait(
    hasty: ChatModels, model_server: Server, silent: Hangs
) -> None:
    """Comments that keep the connection open are no words."""
    model_server[0].script.append(silent)
    asked = await ask(hasty)
    assert (asked.reply.model, asked.failure) == (SECOND, None)
    assert 1 <= asked.took_s < 2


async def test_models_that_hang_one_after_the_other_are_waited_for_no_longer_than_one(
    hasty: ChatModels, model_server: Server
) -> None:
    model_server[0].script.extend([Hangs(10), Hangs(10)])
    asked = await ask(hasty)
    assert isinstance(asked.failure, ModelTimedOut)
    assert 1.9 <= asked.took_s < 3


async def test_a_model_that_falls_silent_in_mid_answer_has_timed_out(
    hasty: ChatModels, model_server: Server
) -> None:
    model_server[0].script.append(Hangs(10, text="The dive went"))
    asked = await ask(hasty)
    assert isinstance(asked.failure, ModelTimedOut)
    assert "in the middle of its answer" in str(asked.failure)
    assert asked.text == "The dive went"
    assert 0.5 <= asked.took_s < 8
    while model_server[0].open_streams:
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "busy",
    [
        Failure(429, headers={"retry-after": "1"}),
        Failure(503, headers={"retry-after": "1"}),
        Failure(429, said={"availability": {"code": "capacity_exhausted", "retry_after": 1}}),
    ],
)
async def test_a_short_wait_that_a_busy_model_asks_for_is_granted(
    models: ChatModels, model_server: Server, busy: Failure
) -> None:
    model_server[0].script.append(busy)
    asked = await ask(models)
    assert asked.reply.model == FIRST
    assert asked_for(model_server) == [FIRST, FIRST]
    assert 1 <= asked.took_s < 15


@pytest.mark.parametrize("after", ["40", "Wed, 21 Oct 2099 07:28:00 GMT"])
async def test_a_long_wait_is_not_and_the_next_model_is_asked(
    models: ChatModels, model_server: Server, after: str
) -> None:
    model_server[0].script.append(Failure(429, headers={"retry-after": after}))
    asked = await ask(models)
    assert asked.reply.model == SECOND
    assert asked.took_s < 15


async def test_the_only_model_says_when_it_may_be_asked_again(
    only_model: ChatModels, model_server: Server
) -> None:
    model_server[0].script.append(Failure(429, headers={"retry-after": "40"}))
    asked = await ask(only_model)
    assert "Try again in 40 s" in str(asked.failure)
    assert asked_for(model_server) == [FIRST]


async def test_the_only_model_is_asked_once_more_when_its_service_stumbles(
    only_model: ChatModels, model_server: Server
) -> None:
    model_server[0].script.append(Failure(502))
    asked = await ask(only_model)
    assert (asked.failure, asked_for(model_server)) == (None, [FIRST, FIRST])


async def test_the_chosen_model_is_asked_first(models: ChatModels, model_server: Server) -> None:
    model_server[0].script.append(Failure(503))
    asked = await ask(models, caller(model=SECOND))
    assert asked.reply.model == FIRST
    assert asked_for(model_server) == [SECOND, FIRST]


class Choice(BaseModel):
    """Which it is."""

    kind: Literal["deep", "shallow"]


async def test_a_decision_has_the_form_that_was_asked_for(
    models: ChatModels, model_server: Server
) -> None:
    model_server[0].decisions.append('{"kind": "deep"}')
    choice = await models.decide(PROMPT, Choice, caller("route"))
    assert choice == Choice(kind="deep")
    [request] = model_server[0].chat_requests()
    form = request["response_format"]["json_schema"]
    assert (request["model"], form["strict"]) == ("test/router", True)
    assert form["schema"]["additionalProperties"] is False
    assert form["schema"]["required"] == ["kind"]
    assert "provider" not in request


@pytest.mark.parametrize("misfit", ['{"kind": "wide"}', "It is deep.", '{"kind": "de', "{}"])
async def test_a_decision_in_another_form_is_a_misfit(
    models: ChatModels, model_server: Server, misfit: str
) -> None:
    model_server[0].decisions.append(misfit)
    with pytest.raises(MisfitReply):
        await models.decide(PROMPT, Choice, caller("route"))


@pytest.mark.parametrize(
    "refusal", [Failure(400, "Unknown field: response_format"), Failure(404, "No endpoints found")]
)
async def test_a_server_that_knows_no_forms_misses_once_and_is_then_asked_in_words(
    models: ChatModels, model_server: Server, refusal: Failure
) -> None:
    server = model_server[0]
    server.decisions.append(refusal)
    with pytest.raises(MisfitReply):
        await models.decide(PROMPT, Choice, caller("route"))
    server.script.append('Here it is:\n```json\n{"kind": "shallow"}\n```')
    assert await models.decide(PROMPT, Choice, caller("route")) == Choice(kind="shallow")
    [last] = server.chat_requests(structured=False)
    assert '"enum": ["deep", "shallow"]' in last["messages"][-1]["content"]


async def test_a_router_that_is_slow_is_done_without(
    models: ChatModels, model_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.models.ROUTER_TIMEOUT_S", 0.3)
    model_server[0].decisions.append(Hangs(5))
    by = caller("route")
    with pytest.raises(ModelTimedOut):
        await models.decide(PROMPT, Choice, by)
    assert [(call.purpose, call.error) for call in by.calls] == [("route", "model_timed_out")]


@pytest.mark.parametrize(
    "broken", [Breaks("A dive"), Cut("A dive"), Ends("A dive", "length"), Hangs(5, text="A dive")]
)
async def test_a_whole_reply_gives_way_wherever_it_breaks_since_nobody_has_seen_it(
    hasty: ChatModels, model_server: Server, broken: Scripted
) -> None:
    model_server[0].script.extend([broken, "Ten kilometres."])
    by = caller("summarize")
    reply = await hasty.complete(PROMPT, by)
    assert (reply.text, reply.model) == ("Ten kilometres.", SECOND)
    assert [call.purpose for call in by.calls] == ["summarize", "summarize"]
    assert by.calls[0].error is not None


async def test_a_whole_reply_in_a_form_is_asked_of_the_next_model_when_the_first_misses_it(
    models: ChatModels, model_server: Server
) -> None:
    model_server[0].decisions.extend(["It is deep.", '{"kind": "deep"}'])
    reply = await models.complete(PROMPT, caller("suggest"), Choice)
    assert (reply.fitted, reply.model) == (Choice(kind="deep"), SECOND)


@asynccontextmanager
async def at_openrouter(
    make_settings: MakeSettings, server: Server, patch: pytest.MonkeyPatch, model: str
) -> AsyncIterator[ChatModels]:
    """Models at a server that stands at OpenRouter's address."""
    patch.setattr("talker.settings.OPENROUTER", server[1])
    settings = make_settings(
        openrouter_base_url=server[1],
        openrouter_api_key="sk-or-test",
        chat_models=(model,),
        router_model="test/router",
        public_url="https://talks.example.org",
    )
    async with opened(settings) as models:
        yield models


async def test_openrouter_is_told_the_app_the_conversation_and_a_pseudonym_of_the_person(
    make_settings: MakeSettings, model_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id, conversation_id = uuid4(), uuid4()
    by = caller(conversation_id=conversation_id)
    async with at_openrouter(make_settings, model_server, monkeypatch, FIRST) as models:
        await ask(models, by)
        model_server[0].decisions.append('{"kind": "deep"}')
        await models.decide(PROMPT, Choice, caller("route", user_id=user_id))
        # Nobody has that id, so that what the call cost cannot be stored, which breaks nothing.
        await models.log.settled()
    first, structured = model_server[0].chat_requests()
    headers = model_server[0].headers
    assert headers["http-referer"] == "https://talks.example.org"
    assert headers["x-openrouter-title"] == "YoutubeTalker"
    assert headers["authorization"] == "Bearer sk-or-test"
    assert first["session_id"] == str(conversation_id)
    assert "user" not in first
    assert len(structured["user"]) == 32
    assert str(user_id) not in str(structured)
    assert structured["provider"] == {"require_parameters": True}
    assert structured["response_format"]["type"] == "json_schema"


async def test_no_model_may_write_on_and_on(models: ChatModels, model_server: Server) -> None:
    await ask(models, caller())
    [request] = model_server[0].chat_requests()
    assert request["max_tokens"] == 6_000


async def test_another_server_is_told_none_of_that(
    models: ChatModels, model_server: Server
) -> None:
    await ask(models, caller(conversation_id=uuid4()))
    [request] = model_server[0].chat_requests()
    assert not {"session_id", "user", "provider"} & set(request)
    assert not [name for name in model_server[0].headers if name.startswith("x-openrouter")]
    assert request["messages"][0]["content"] == "Rules that stay."


@pytest.mark.parametrize(
    ("model", "marked"),
    [
        ("anthropic/claude-haiku-4.5", True),
        ("~anthropic/claude-sonnet-latest", True),
        ("qwen/qwen3-max", True),
        ("qwen/qwen3-max:nitro", True),
        ("qwen/qwen3.5-plus-02-15", False),
        ("google/gemini-2.5-flash", False),
    ],
)
async def test_the_rules_are_marked_for_caching_where_the_provider_needs_it(
    make_settings: MakeSettings,
    model_server: Server,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    marked: bool,
) -> None:
    prompt = [*PROMPT, AIMessage("Very deep."), HumanMessage("How deep in metres?")]
    async with at_openrouter(make_settings, model_server, monkeypatch, model) as models:
        await models.complete(prompt, caller())
    [request] = model_server[0].chat_requests()
    rules, *others = [message["content"] for message in request["messages"]]
    part = {
        "type": "text",
        "text": "Rules that stay.",
        "cache_control": {"type": "ephemeral"},
    }
    assert rules == ([part] if marked else "Rules that stay.")
    assert others == ["How deep was the dive?", "Very deep.", "How deep in metres?"]
