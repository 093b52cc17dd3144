"""What calls of chat models used and cost, as it is kept and as a budget counts it."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from agent import model_calls
from agent.budget import check_budget, spent_today, today
from agent.model_calls import Caller
from agent.models import ChatModels, Reply
from talker.database import open_engine
from talker.errors import BudgetUsedUp, ModelError
from talker.models import ModelCall, Purpose, User
from talker.settings import Settings
from tests.agent.test_models import FIRST, PROMPT, Choice, opened
from tests.model_server import COST_PER_TOKEN_USD, Breaks, Ends, Failure, ModelServer

MakeSettings = Callable[..., Settings]
Server = tuple[ModelServer, str]
Sessions = async_sessionmaker[AsyncSession]


@pytest.fixture
async def models(make_settings: MakeSettings, model_server: Server) -> AsyncIterator[ChatModels]:
    settings = make_settings(
        openrouter_base_url=model_server[1], chat_models=(FIRST,), router_model="test/router"
    )
    async with opened(settings) as made:
        yield made


@pytest.fixture
async def sessions(settings: Settings) -> AsyncIterator[Sessions]:
    engine = open_engine(settings.database_url)
    yield async_sessionmaker(engine, expire_on_commit=False)
    await engine.dispose()


@pytest.fixture
async def user_id(sessions: Sessions) -> UUID:
    async with sessions.begin() as session:
        user = User(email="reader@example.org")
        session.add(user)
    return user.id


def reader(user_id: UUID | None, purpose: Purpose = "answer") -> Caller:
    return Caller(user_id, uuid4(), uuid4(), None, purpose)


async def stored(models: ChatModels, sessions: Sessions) -> list[ModelCall]:
    await models.log.settled()
    async with sessions() as session:
        return list(await session.scalars(select(ModelCall).order_by(ModelCall.created_at)))


async def test_what_a_streamed_answer_used_and_cost_is_kept(
    models: ChatModels, model_server: Server, sessions: Sessions, user_id: UUID
) -> None:
    server = model_server[0]
    server.cached_tokens, server.first_token_s, server.token_s = 5, 0.1, 0.05
    server.script.append("Ten kilometres it was.")
    by, reply = reader(user_id), Reply()
    async for _ in models.stream(PROMPT, by, reply):
        pass
    [call] = await stored(models, sessions)
    assert (call.user_id, call.run_id, call.purpose) == (user_id, by.run_id, "answer")
    assert (call.model, call.error, call.estimated) == (FIRST, None, False)
    assert (call.input_tokens, call.cached_tokens, call.output_tokens) == (8, 5, 4)
    assert call.cost_usd == pytest.approx(12 * COST_PER_TOKEN_USD)
    assert call.first_token_ms is not None
    assert 100 <= call.first_token_ms < call.duration_ms - 100
    assert [kept.as_json() for kept in by.calls] == [call.as_json()]
    assert call.as_json()["cached_tokens"] == 5
    assert reply.usage == {"input_tokens": 8, "output_tokens": 4, "cost_usd": call.cost_usd}


async def test_the_router_s_calls_are_kept_too(
    models: ChatModels, model_server: Server, sessions: Sessions, user_id: UUID
) -> None:
    model_server[0].decisions.append('{"kind": "deep"}')
    await models.decide(PROMPT, Choice, reader(user_id, "route"))
    [call] = await stored(models, sessions)
    assert (call.purpose, call.model) == ("route", "test/router")
    assert call.cost_usd is not None
    assert call.cost_usd > 0


async def test_a_call_that_failed_before_its_first_word_is_kept_without_a_guess(
    models: ChatModels, model_server: Server, sessions: Sessions, user_id: UUID
) -> None:
    model_server[0].script.append(Failure(401))
    with pytest.raises(ModelError):
        await models.complete(PROMPT, reader(user_id))
    [call] = await stored(models, sessions)
    assert (call.error, call.estimated) == ("model_unauthorised", False)
    assert (call.input_tokens, call.output_tokens, call.cost_usd) == (None, None, None)
    assert call.first_token_ms is None


async def test_a_call_that_broke_off_is_estimated_by_what_its_model_cost_before(
    models: ChatModels, model_server: Server, sessions: Sessions, user_id: UUID
) -> None:
    model_server[0].script.extend(["Ten kilometres.", Breaks("The dive went " * 40, 401)])
    await models.complete(PROMPT, reader(user_id))
    with pytest.raises(ModelError):
        await models.complete(PROMPT, reader(user_id))
    _, broken = await stored(models, sessions)
    assert (broken.error, broken.estimated) == ("model_unauthorised", True)
    assert broken.input_tokens is not None
    assert broken.output_tokens == 14 * 40 // 4
    tokens = broken.input_tokens + broken.output_tokens
    assert broken.cost_usd == pytest.approx(tokens * COST_PER_TOKEN_USD)


async def test_an_answer_that_is_stopped_is_kept_with_what_was_written(
    models: ChatModels, model_server: Server, sessions: Sessions, user_id: UUID
) -> None:
    model_server[0].token_s = 0.05
    model_server[0].script.append("Ten kilometres it was, and not a metre more.")
    reply = Reply()
    async with aclosing(models.stream(PROMPT, reader(user_id), reply)) as texts:
        async for _ in texts:
            if len(reply.text) > 10:
                break
    [call] = await stored(models, sessions)
    assert (call.error, call.estimated) == ("stopped", True)
    assert call.output_tokens == len(reply.text) // 4
    assert call.cost_usd is None  # the model has not told a price yet
    assert call.first_token_ms is not None


async def test_an_answer_that_was_cut_at_its_limit_keeps_the_service_s_own_count(
    models: ChatModels, model_server: Server, sessions: Sessions, user_id: UUID
) -> None:
    model_server[0].script.append(Ends("The dive went", "length"))
    with pytest.raises(ModelError):
        async for _ in models.stream(PROMPT, reader(user_id), Reply()):
            pass
    [call] = await stored(models, sessions)
    assert (call.error, call.estimated, call.output_tokens) == ("answer_cut_short", False, 3)


async def test_a_database_that_is_away_costs_the_record_and_not_the_answer(
    make_settings: MakeSettings, model_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_calls, "LAST_WAIT_S", 0.2)
    settings = make_settings(
        openrouter_base_url=model_server[1],
        chat_models=(FIRST,),
        database_url="postgresql://nobody@127.0.0.1:9/nothing",
    )
    async with opened(settings) as models:
        started = time.monotonic()
        reply = await models.complete(PROMPT, reader(None))
        assert time.monotonic() - started < 2
        assert reply.text == "Hello! Ask me about your videos."


async def test_costs_go_with_the_account_and_not_before(
    models: ChatModels, sessions: Sessions, user_id: UUID
) -> None:
    await models.complete(PROMPT, reader(user_id))
    assert len(await stored(models, sessions)) == 1  # its run has no row, and needs none
    async with sessions.begin() as session:
        await session.execute(delete(User).where(User.id == user_id))
    assert await stored(models, sessions) == []
    await models.complete(PROMPT, reader(user_id))
    assert await stored(models, sessions) == []  # and what comes after it breaks nothing


async def spend(sessions: Sessions, user_id: UUID, *calls: tuple[float | None, timedelta]) -> None:
    """Calls of these costs, so long after the day's beginning."""
    async with sessions.begin() as session:
        for cost_usd, after in calls:
            call = ModelCall(user_id=user_id, purpose="answer", model=FIRST, duration_ms=1)
            call.cost_usd, call.created_at = cost_usd, today() + after
            session.add(call)


async def test_a_day_s_budget_counts_from_midnight_utc_for_each_person(
    sessions: Sessions, user_id: UUID
) -> None:
    second = timedelta(seconds=1)
    await spend(sessions, user_id, (5.0, -second), (0.2, 0 * second), (0.3, second), (None, second))
    async with sessions() as session:
        assert await spent_today(session, user_id) == pytest.approx(0.5)
        assert await spent_today(session, uuid4()) == 0
        await check_budget(session, user_id, 0.51)
        await check_budget(session, user_id, 0)
        with pytest.raises(
            BudgetUsedUp, match=r"\$0\.50 .* starts anew at midnight UTC"
        ) as used_up:
            await check_budget(session, user_id, 0.5)
    assert used_up.value.name() == "budget_used_up"
