"""Which of Qdrant's collections is the current index, and how another one takes its place."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import LiteralString
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from talker.database import ALONE, DATABASE_AWAY, statement
from talker.errors import DatabaseUnavailable, IndexMismatch, ReindexRunning
from talker.index_store import IndexStore
from talker.models import SearchIndex

# Our keys among Postgres's advisory locks.
_INDEX_LOCK = 7_201_146_024
"""One process makes the first index, or another one current; the others wait."""
_SWITCH_LOCK = 7_201_146_025
"""Shared by those whose transaction counts on the current index, alone for the switch."""
_REINDEX_LOCK = 7_201_146_026
"""Held as long as an index is built: one at a time."""
CURRENT: LiteralString = "SELECT name, embedding_model FROM search_indexes WHERE is_current"


async def hold_switch(session: AsyncSession) -> None:
    """Keep the current index current until the session's transaction ends.

    For a transaction whose rows must be true of the index: a switch that comes later sees its
    rows, one that came earlier has changed the index that it looks at. It is to be the
    transaction's first lock, so that none waits in a circle.
    """
    await session.execute(select(func.pg_advisory_xact_lock_shared(_SWITCH_LOCK)))


class SearchIndexes:
    """The rows of `search_indexes` and the collections that they name.

    A row is there before its collection and goes after it, so that what a killed process leaves
    behind is always found.
    """

    def __init__(
        self, store: IndexStore, embedding_model: str, sessions: async_sessionmaker[AsyncSession]
    ) -> None:
        self._store = store
        self._embedding_model = embedding_model
        self._sessions = sessions
        self._ensured: set[str] = set()

    async def current(self) -> str:
        """The current collection's name; the first caller ever makes it.

        Raises IndexMismatch when it was built with another embedding model.
        """
        found = await statement(self._sessions, CURRENT, {})
        if not found or found[0][0] not in self._ensured:
            return (await self._ensure()).name
        [(name, embedding_model)] = found
        self._check(name, embedding_model)
        return str(name)

    def _check(self, name: str, embedding_model: str) -> None:
        if embedding_model != self._embedding_model:
            raise IndexMismatch(name, embedding_model, self._embedding_model)

    async def _ensure(self) -> SearchIndex:
        """The current row and its collection, made where missing, by one process at a time."""
        async with self._sessions.begin() as session:
            await session.execute(select(func.pg_advisory_xact_lock(_INDEX_LOCK)))
            row = await session.scalar(select(SearchIndex).where(SearchIndex.is_current))
            if row is None:
                row = await self._new_row()
                row.is_current = True
                session.add(row)
            self._check(row.name, row.embedding_model)
            await self._store.ensure(row.name)
        self._ensured.add(row.name)
        return row

    async def make(self) -> str:
        """A new, empty index beside the current one; its name."""
        row = await self._new_row()
        async with self._sessions.begin() as session:
            session.add(row)
        await self._store.ensure(row.name)
        return row.name

    async def _new_row(self) -> SearchIndex:
        return SearchIndex(
            name=f"chunks-{uuid4().hex[:12]}",
            embedding_model=self._embedding_model,
            dimensions=await self._store.dimensions(),
        )

    @asynccontextmanager
    async def building(self) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Nobody else builds an index meanwhile. Raises ReindexRunning when somebody does.

        What is yielded raises DatabaseUnavailable when the connection that holds the lock, one of
        its own, was lost.
        """
        async with self._sessions() as session:
            connection = await session.connection(execution_options={ALONE: True})
            if not await connection.scalar(select(func.pg_try_advisory_lock(_REINDEX_LOCK))):
                raise ReindexRunning

            async def check() -> None:
                try:
                    await connection.execute(select(1))
                except DATABASE_AWAY as error:
                    raise DatabaseUnavailable from error

            try:
                yield check
            finally:
                with suppress(*DATABASE_AWAY):
                    await connection.execute(select(func.pg_advisory_unlock(_REINDEX_LOCK)))
                # Closed, not given back to the pool: the lock goes with it, whatever happened.
                await connection.invalidate()

    async def drop_others(self) -> None:
        """Drop every index that is not current: replaced ones, and those never finished."""
        async with self._sessions() as session:
            others = await session.scalars(select(SearchIndex).where(~SearchIndex.is_current))
            rows = others.all()
        for row in rows:
            await self._store.drop(row.name)
            async with self._sessions.begin() as session:
                await session.delete(row)

    @asynccontextmanager
    async def switching_to(self, name: str) -> AsyncIterator[None]:
        """Make `name` current when what is done inside has succeeded.

        Inside, no video becomes ready and none is removed.
        """
        async with self._sessions.begin() as session:
            await session.execute(select(func.pg_advisory_xact_lock(_SWITCH_LOCK)))
            yield
            await session.execute(select(func.pg_advisory_xact_lock(_INDEX_LOCK)))
            old = await session.scalar(select(SearchIndex).where(SearchIndex.is_current))
            if old is not None:
                old.is_current = False
                await session.flush()
            new = await session.get_one(SearchIndex, name)
            new.is_current = True
        self._ensured.add(name)
