"""A service's rate limit and circuit breaker, kept in Postgres: every worker obeys the same one.

A service that fails call after call, or says that it has enough, is left alone for a while. Then
one call is made to see whether it works again, while the others wait; each time that it does not,
the rest is twice as long.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from ingestion.provider import Busy, Resting
from talker.database import autocommit
from talker.errors import LoadingFailed, Reason
from talker.models import ServiceState

PATIENCE_S = 15.0
"""A rest so short is waited out; for a longer one the job goes back to the queue."""
POLL_S = 0.2
LONGEST_LINE = timedelta(minutes=2)
"""No turn is further away: a longer wait comes of a clock that was set back."""
PROBE_S = 120.0
"""A call that takes longer died with its worker, and another one may look."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """After so many failures in a row the service rests for `first_s`, at last for `longest_s`."""

    after: int
    first_s: float
    longest_s: float


_BUSY = _Rule(after=1, first_s=1, longest_s=60)
_RESTS: dict[Reason, _Rule] = {
    "provider_down": _Rule(after=5, first_s=15, longest_s=300),
    "quota": _Rule(after=10, first_s=60, longest_s=600),
    "unauthorised": _Rule(after=10, first_s=60, longest_s=600),
    "blocked": _Rule(after=1, first_s=600, longest_s=7200),
}
"""By the reasons that are the service's own. A block is never asked about twice; quota and key
are, since a service may refuse one video with the same words."""


class ServiceGate:
    """`rate` is calls a second, of all processes together."""

    def __init__(
        self, sessions: async_sessionmaker[AsyncSession], service: str, rate: float
    ) -> None:
        self._sessions = sessions
        self._service = service
        self._interval = timedelta(seconds=1 / rate)

    async def enter(self) -> None:
        """Return when the call may be made. Raises Resting."""
        while True:
            wait_s = await self._take_turn()
            if wait_s is not None:
                await asyncio.sleep(max(0.0, wait_s))
                if wait_s <= 0 or await self._rest() is None:
                    return
            elif (rest := await self._rest()) and rest.retry_after_s > PATIENCE_S:
                raise Resting(rest.failure, rest.retry_after_s)
            else:
                await asyncio.sleep(POLL_S * random.uniform(0.5, 1.5))  # noqa: S311 - no secret

    async def leave(self) -> None:
        async with self._sessions.begin() as session:
            await session.execute(
                update(ServiceState)
                .where(ServiceState.service == self._service, ServiceState.probing)
                .values(probing=False, resting_until=func.clock_timestamp())
            )

    async def report(self, failure: LoadingFailed | None) -> None:
        rule = _rule(failure)
        if failure is None or rule is None:
            await self._answered()
            return
        async with self._sessions.begin() as session:
            state = await session.get(ServiceState, self._service, with_for_update=True)
            at = await session.scalar(select(func.clock_timestamp()))
            if state is not None and at is not None:
                _note(state, failure, rule, at)

    async def _take_turn(self) -> float | None:
        """Seconds until the turn that was taken; None while the service rests."""
        taken = (
            update(ServiceState)
            .where(
                ServiceState.service == self._service,
                or_(
                    ServiceState.resting_until.is_(None),
                    ServiceState.resting_until <= func.clock_timestamp(),
                ),
            )
            .values(
                free_at=func.least(
                    func.greatest(ServiceState.free_at, func.clock_timestamp()),
                    func.clock_timestamp() + LONGEST_LINE,
                )
                + self._interval,
                probing=ServiceState.failure.is_not(None),
                resting_until=text(
                    "CASE WHEN failure IS NULL THEN NULL"
                    f" ELSE clock_timestamp() + interval '{PROBE_S} seconds' END"
                ),
            )
            .returning(
                func.extract("epoch", ServiceState.free_at - self._interval)
                - func.extract("epoch", func.clock_timestamp())
            )
        )
        async with self._sessions.begin() as session:
            wait_s = await session.scalar(taken)
            if wait_s is None:
                await session.execute(
                    insert(ServiceState).values(service=self._service).on_conflict_do_nothing()
                )
        return None if wait_s is None else float(wait_s)

    async def _answered(self) -> None:
        """Forget earlier failures. An answer that comes late ends no rest that began meanwhile."""
        over = or_(
            ServiceState.probing,
            ServiceState.resting_until.is_(None),
            ServiceState.resting_until <= func.clock_timestamp(),
        )
        failed = or_(ServiceState.failures > 0, ServiceState.failure.is_not(None))
        async with self._sessions.begin() as session:
            await session.execute(
                update(ServiceState)
                .where(ServiceState.service == self._service, over, failed)
                .values(_WELL)
            )

    async def _rest(self) -> "_Resting | None":
        """How long the service still rests; None while it may be asked, or is being probed."""
        async with autocommit(self._sessions) as session:
            found = await session.execute(
                select(ServiceState, func.clock_timestamp()).where(
                    ServiceState.service == self._service
                )
            )
            row = found.one_or_none()
        if row is None or row[0].probing or row[0].resting_until is None:
            return None
        left_s = (row[0].resting_until - row[1]).total_seconds()
        return _Resting(row[0].failure, left_s) if left_s > 0 and row[0].failure else None


@dataclass(frozen=True, slots=True)
class _Resting:
    failure: Mapping[str, str]
    retry_after_s: float


def _note(state: ServiceState, failure: LoadingFailed, rule: _Rule, at: datetime) -> None:
    """Count a failure that is the service's own, and let it rest after enough of them."""
    state.failures += 1
    asked_s = failure.retry_after_s or 0.0
    resting = state.resting_until is not None and state.resting_until > at
    if resting and not state.probing:
        # One of the calls that were under way when the rest began.
        until = at + timedelta(seconds=asked_s)
        state.resting_until = max(state.resting_until or until, until)
    elif state.probing or state.failures >= rule.after:
        grown_s = min(rule.first_s * 2.0**state.rests, rule.longest_s)
        rest_s = asked_s if asked_s and rule is _BUSY else max(asked_s, grown_s)
        state.resting_until = at + timedelta(seconds=rest_s)
        state.rests += 1
        state.failure = failure.as_json()
        state.probing = False


_WELL = {"failures": 0, "rests": 0, "failure": None, "resting_until": None, "probing": False}


async def forget_refusals(session: AsyncSession, reasons: Sequence[Reason]) -> None:
    """Let services be asked again that rest for one of these reasons: a person put it right."""
    await session.execute(
        update(ServiceState).where(ServiceState.failure["reason"].astext.in_(reasons)).values(_WELL)
    )


def _rule(failure: LoadingFailed | None) -> _Rule | None:
    """How the service rests after a failure; None when the failure is a video's."""
    if failure is None:
        return None
    return _BUSY if isinstance(failure, Busy) else _RESTS.get(failure.reason)
