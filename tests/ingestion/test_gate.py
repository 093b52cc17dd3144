"""A service's rate limit and circuit breaker, shared by every worker."""

import asyncio
import time
from datetime import timedelta

import pytest
from sqlalchemy import update

from ingestion.gate import ServiceGate, forget_refusals
from ingestion.provider import Busy, Resting, no_captions, provider_down
from talker.errors import LoadingFailed
from talker.models import ServiceState, now
from talker.resources import Resources, open_resources

NO_CREDIT = LoadingFailed("quota", "The plan is used up.", "Add credits.")
BLOCKED = LoadingFailed("blocked", "YouTube blocks this address.", "Set a proxy.")


def gate(resources: Resources, rate: float = 1000) -> ServiceGate:
    return ServiceGate(resources.sessions, "supadata", rate)


async def state(resources: Resources) -> ServiceState:
    async with resources.sessions() as session:
        return await session.get_one(ServiceState, "supadata")


async def fail(one: ServiceGate, failure: LoadingFailed, times: int) -> None:
    for _ in range(times):
        await one.enter()
        await one.report(failure)


async def end_rest(resources: Resources) -> None:
    """As if the rest had been waited out."""
    async with resources.sessions.begin() as session:
        over = update(ServiceState).values(resting_until=now() - timedelta(seconds=1))
        await session.execute(over)


async def test_calls_of_two_processes_share_one_rate(resources: Resources) -> None:
    async with open_resources(resources.settings) as others:
        gates = [gate(resources, rate=20), gate(others, rate=20)]
        await gates[0].enter()
        began = time.monotonic()
        await asyncio.gather(*(gates[number % 2].enter() for number in range(10)))
        assert 0.45 <= time.monotonic() - began < 10


async def test_a_busy_service_is_left_alone_for_as_long_as_it_asks(resources: Resources) -> None:
    first, second = gate(resources), gate(resources)
    await first.enter()
    await first.report(Busy("Supadata", retry_after_s=1.5))
    began = time.monotonic()
    await asyncio.gather(_enter_and_answer(second), _enter_and_answer(first))
    assert time.monotonic() - began >= 1.5


async def _enter_and_answer(one: ServiceGate) -> None:
    await one.enter()
    await one.report(None)


async def test_after_a_rest_one_call_is_made_and_the_others_wait_for_it(
    resources: Resources,
) -> None:
    one, others = gate(resources), [gate(resources) for _ in range(4)]
    await fail(one, Busy("Supadata", retry_after_s=60), 1)
    await end_rest(resources)
    await one.enter()
    waiting = [asyncio.create_task(other.enter()) for other in others]
    done, _ = await asyncio.wait(waiting, timeout=0.8)
    assert not done
    await one.report(None)
    async with asyncio.timeout(30):
        await asyncio.gather(*waiting)


async def test_when_the_call_that_looks_is_given_up_another_one_looks(
    resources: Resources,
) -> None:
    one, other = gate(resources), gate(resources)
    await fail(one, Busy("Supadata", retry_after_s=60), 1)
    await end_rest(resources)
    await one.enter()
    await one.leave()
    async with asyncio.timeout(5):
        await other.enter()
    assert (await state(resources)).probing


async def test_a_service_that_is_down_rests_longer_each_time(resources: Resources) -> None:
    one = gate(resources)
    await fail(one, provider_down("It is down."), 5)
    rests = []
    for _ in range(3):
        with pytest.raises(Resting) as caught:
            await _patient(resources, one)
        rests.append(caught.value.retry_after_s or 0)
        assert caught.value.reason == "provider_down"
        await end_rest(resources)
        await fail(one, provider_down("It is down."), 1)
    assert rests == sorted(rests)
    assert rests[2] > 3 * rests[0]
    await end_rest(resources)
    await one.enter()
    await one.report(None)
    well = await state(resources)
    assert (well.failures, well.rests, well.failure, well.resting_until) == (0, 0, None, None)


async def _patient(resources: Resources, one: ServiceGate) -> None:
    """Enter as if the rest were long enough not to be waited out."""
    async with resources.sessions.begin() as session:
        later = ServiceState.resting_until + timedelta(seconds=1)
        await session.execute(update(ServiceState).values(resting_until=later))
    await one.enter()


async def test_what_is_said_of_a_video_is_an_answer_like_any_other(resources: Resources) -> None:
    one = gate(resources)
    await fail(one, provider_down("It stumbled."), 4)
    await fail(one, no_captions("There are none."), 1)
    await fail(one, provider_down("It stumbled."), 4)
    async with asyncio.timeout(30):
        await one.enter()


async def test_a_block_closes_the_gate_for_everybody_at_once(resources: Resources) -> None:
    await fail(gate(resources), BLOCKED, 1)
    with pytest.raises(Resting) as caught:
        await gate(resources).enter()
    assert caught.value.reason == "blocked"
    assert caught.value.next_step == BLOCKED.next_step
    assert (caught.value.retry_after_s or 0) > 500


async def test_one_refused_video_among_many_does_not_look_like_a_used_up_plan(
    resources: Resources,
) -> None:
    one = gate(resources)
    for _ in range(4):
        await fail(one, NO_CREDIT, 5)
        await fail(one, no_captions("There are none."), 1)
    async with asyncio.timeout(30):
        await one.enter()


async def test_a_person_who_put_credit_or_key_right_is_believed(resources: Resources) -> None:
    one = gate(resources)
    await fail(one, NO_CREDIT, 10)
    with pytest.raises(Resting):
        await one.enter()
    async with resources.sessions.begin() as session:
        await forget_refusals(session, ("quota", "unauthorised"))
    async with asyncio.timeout(30):
        await one.enter()


async def test_an_answer_from_before_the_rest_does_not_end_it(resources: Resources) -> None:
    early, late = gate(resources), gate(resources)
    await early.enter()
    await fail(late, BLOCKED, 1)
    await early.report(None)
    with pytest.raises(Resting):
        await late.enter()
