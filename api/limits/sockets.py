"""How many sockets a person, and an address, may hold open at once, over all processes."""

import logging
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from api.accounts.attempts import Limit
from talker.database import DATABASE_AWAY, autocommit
from talker.errors import TooManyRequests
from talker.models import OpenSockets

log = logging.getLogger(__name__)

DEAD_AFTER = timedelta(seconds=45)
"""A process that said nothing for so long is gone, and its sockets with it."""

RETRY_AFTER_S = 30.0
"""A guess: a place is free when another socket closes."""


class SocketPlaces:
    """Each process has one row for each key with its own count, so that none writes another's.

    Who opens a socket writes the new count first and then adds up everybody's: of two that open
    the last one at once, both may be refused, and never are both let in.
    """

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions
        self._process = uuid4()
        self._open: Counter[str] = Counter()
        self._changed: set[str] = set()

    @asynccontextmanager
    async def place(self, *limits: tuple[Limit, str]) -> AsyncIterator[None]:
        """Hold a place while a socket is open. Raises TooManyRequests."""
        bounds = {limit.key(who): limit for limit, who in limits if limit.most}
        self._open.update(list(bounds))
        try:
            if bounds:
                await self._check(bounds)
            yield
        finally:
            self._open.subtract(list(bounds))
            self._changed.update(bounds)

    async def say(self) -> None:
        """Write what was closed since the last time."""
        changed, self._changed = sorted(self._changed), set()
        if not changed:
            return
        try:
            async with autocommit(self._sessions) as session:
                await self._write(session, changed)
        except DATABASE_AWAY:
            self._changed.update(changed)
            raise
        self._open = +self._open

    async def say_alive(self) -> None:
        """Keep this process's counts alive, and drop what is nobody's any more."""
        of_this = OpenSockets.process == self._process
        async with autocommit(self._sessions) as session:
            await session.execute(
                delete(OpenSockets).where(
                    (OpenSockets.seen_at < func.now() - DEAD_AFTER) & ~of_this
                    | (of_this & (OpenSockets.count == 0))
                )
            )
            await session.execute(update(OpenSockets).where(of_this).values(seen_at=func.now()))
            rows = await session.scalars(select(OpenSockets.key).where(of_this))
        # A database that lost its unlogged tables is told anew.
        self._changed |= set(self._open) - set(rows)

    async def aclose(self) -> None:
        try:
            async with autocommit(self._sessions) as session:
                of_this = OpenSockets.process == self._process
                await session.execute(delete(OpenSockets).where(of_this))
        except DATABASE_AWAY:
            log.debug("the sockets' counts were left behind")

    async def _check(self, bounds: dict[str, Limit]) -> None:
        async with autocommit(self._sessions) as session:
            await self._write(session, sorted(bounds))
            alive = OpenSockets.seen_at >= func.now() - DEAD_AFTER
            rows = await session.execute(
                select(OpenSockets.key, func.sum(OpenSockets.count))
                .where(OpenSockets.key.in_(bounds), alive)
                .group_by(OpenSockets.key)
            )
        for key, total in rows:
            if total > bounds[key].most:
                raise TooManyRequests(bounds[key].words, RETRY_AFTER_S)

    async def _write(self, session: AsyncSession, keys: Sequence[str]) -> None:
        counts = insert(OpenSockets).values(
            [
                {
                    "key": key,
                    "process": self._process,
                    "count": self._open[key],
                    "seen_at": func.now(),
                }
                for key in keys
            ]
        )
        await session.execute(
            counts.on_conflict_do_update(
                index_elements=["key", "process"],
                set_={"count": counts.excluded.count, "seen_at": counts.excluded.seen_at},
            )
        )
