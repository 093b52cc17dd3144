"""How often something may be tried, counted in Postgres for all processes together."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, ip_address

from sqlalchemy import case, delete, or_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from starlette.requests import HTTPConnection

from api.accounts.errors import TooManyAttempts
from talker.database import autocommit
from talker.errors import TooManyRequests
from talker.models import Attempts, now

OLD = timedelta(days=2)
"""Longer than any window."""


SKEW = timedelta(minutes=1)
"""What clocks of processes may differ. A window that starts later than that is of a clock that was
set back, and would bind for as long."""


@dataclass(frozen=True)
class Limit:
    """At most `most` within a window, and no bound where that is 0. `words` say it, such as
    `60 questions a minute`."""

    what: str
    most: int
    within: timedelta
    words: str = ""

    def key(self, who: str) -> str:
        return hashlib.sha256(f"{self.what}:{who}".encode()).hexdigest()


async def count(sessions: async_sessionmaker[AsyncSession], limit: Limit, who: str) -> None:
    """Count one more, for good, whatever comes of it; the window starts with the first.

    Raises TooManyAttempts.
    """
    await count_all(sessions, [(limit, who)])


async def count_all(
    sessions: async_sessionmaker[AsyncSession],
    counted: Sequence[tuple[Limit, str]],
    *,
    by: int = 1,
) -> None:
    """Count under several limits, all in one statement that stands alone.

    Raises TooManyAttempts, or TooManyRequests for a limit that has words of its own.
    """
    limits = {limit.key(who): limit for limit, who in counted if limit.most}
    if not limits:
        return
    at = now()
    # Always in one order: two that count the same do not wait for each other in a ring.
    # What a window ends at comes with each row, since one statement has several of them.
    ends = {key: at - limits[key].within for key in sorted(limits)}
    more = insert(Attempts).values([{"key": key, "count": by, "since": at} for key in ends])
    over = or_(Attempts.since < case(ends, value=Attempts.key), Attempts.since > at + SKEW)
    more = more.on_conflict_do_update(
        index_elements=["key"],
        set_={
            "count": case((over, 0), else_=Attempts.count) + by,
            "since": case((over, at), else_=Attempts.since),
        },
    )
    async with autocommit(sessions) as session:
        rows = await session.execute(more.returning(Attempts.key, Attempts.count, Attempts.since))
    found = {key: (so_far, since) for key, so_far, since in rows}
    # In the order in which they were given: of two that end together the first is told.
    exceeded = [
        (limit, (found[key][1] + limit.within - at).total_seconds())
        for key, limit in limits.items()
        if found[key][0] > limit.most
    ]
    if exceeded:
        limit, wait_s = max(exceeded, key=lambda one: one[1])
        raise TooManyRequests(limit.words, wait_s) if limit.words else TooManyAttempts(wait_s)


async def take_back(session: AsyncSession, limit: Limit, who: str) -> None:
    """Do not count what was counted last: it was no failure."""
    key = Attempts.key == limit.key(who)
    await session.execute(update(Attempts).where(key).values(count=Attempts.count - 1))


async def forget(session: AsyncSession, limit: Limit, who: str) -> None:
    """Start anew."""
    await session.execute(delete(Attempts).where(Attempts.key == limit.key(who)))


async def forget_old(sessions: async_sessionmaker[AsyncSession]) -> None:
    """Drop what is too old to matter."""
    async with autocommit(sessions) as session:
        await session.execute(delete(Attempts).where(Attempts.since < now() - OLD))


def address_of(connection: HTTPConnection) -> str:
    """Where a request comes from; of IPv6 the /64, which is what one household has."""
    host = connection.client.host if connection.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return address.exploded[:19] if isinstance(address, IPv6Address) else host
