"""How often something may be tried, counted in Postgres for all processes together."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, ip_address

from sqlalchemy import case, delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from starlette.requests import HTTPConnection

from api.accounts.errors import TooManyAttempts
from talker.models import Attempts, now


@dataclass(frozen=True)
class Limit:
    """At most `most` within a window that starts with the first."""

    what: str
    most: int
    within: timedelta

    def key(self, who: str) -> str:
        return hashlib.sha256(f"{self.what}:{who}".encode()).hexdigest()


async def count(sessions: async_sessionmaker[AsyncSession], limit: Limit, who: str) -> None:
    """Count one more, for good, whatever comes of it. Raises TooManyAttempts."""
    at = now()
    over = Attempts.since < at - limit.within
    one_more = insert(Attempts).values(key=limit.key(who), count=1, since=at)
    one_more = one_more.on_conflict_do_update(
        index_elements=["key"],
        set_={
            "count": case((over, 1), else_=Attempts.count + 1),
            "since": case((over, at), else_=Attempts.since),
        },
    )
    async with sessions.begin() as session:
        counted = one_more.returning(Attempts.count, Attempts.since)
        so_far, since = (await session.execute(counted)).one()
    if so_far > limit.most:
        raise TooManyAttempts((since + limit.within - at).total_seconds())


async def take_back(session: AsyncSession, limit: Limit, who: str) -> None:
    """Do not count what was counted last: it was no failure."""
    key = Attempts.key == limit.key(who)
    await session.execute(update(Attempts).where(key).values(count=Attempts.count - 1))


async def forget(session: AsyncSession, limit: Limit, who: str) -> None:
    """Start anew, and drop what is too old to matter on the way."""
    old = Attempts.since < now() - timedelta(days=1)
    await session.execute(delete(Attempts).where((Attempts.key == limit.key(who)) | old))


def address_of(connection: HTTPConnection) -> str:
    """Where a request comes from; of IPv6 the /64, which is what one household has."""
    host = connection.client.host if connection.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return address.exploded[:19] if isinstance(address, IPv6Address) else host
