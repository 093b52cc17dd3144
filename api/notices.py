"""What the app's processes tell one another at once, through Postgres: LISTEN and NOTIFY.

A notice only says where to look; whoever misses one, while Postgres is away or a connection was
lost, looks a little later by itself.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import ClassVar
from uuid import UUID

import psycopg
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from talker.database import CONNECTION

log = logging.getLogger(__name__)

LOOK_S = 0.25
"""How often to look where no notices come."""
LOOK_ANYWAY_S = 2.0
"""How often to look all the same where they come."""
CHECK_S = 5.0
RECONNECT_S = 0.5


class Notices:
    """One connection that listens, and who waits for news of which run.

    Kinds: `events` (a run said more), `runs` (something was asked of a run, or it is free).
    """

    CHANNEL: ClassVar[str] = "talker_runs"

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._waiting: dict[UUID, set[asyncio.Event]] = defaultdict(set)
        self.listening = False
        self.on_runs: Callable[[], None] = lambda: None

    @contextmanager
    def expecting(self, run_id: UUID) -> Iterator[asyncio.Event]:
        """An event that is set when the run has news."""
        news = asyncio.Event()
        self._waiting[run_id].add(news)
        try:
            yield news
        finally:
            self._waiting[run_id].discard(news)
            if not self._waiting[run_id]:
                del self._waiting[run_id]

    async def wait(self, news: asyncio.Event) -> None:
        """Wait for news, or until it is time to look anyway."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_ANYWAY_S if self.listening else LOOK_S):
                await news.wait()

    async def listen(self) -> None:
        """For ever: hear what is told, on a connection that is made anew when it is lost."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._url, autocommit=True, **CONNECTION
                ) as connection:
                    await self._hear(connection)
            except psycopg.Error:
                log.warning("notices wait for the database")
            finally:
                self.listening = False
            await asyncio.sleep(RECONNECT_S)

    async def _hear(self, connection: psycopg.AsyncConnection) -> None:
        await connection.execute(f"LISTEN {self.CHANNEL}".encode())
        self.listening = True
        self.on_runs()
        while True:
            async for notice in connection.notifies(timeout=CHECK_S):
                self._take(notice.payload)
            await connection.execute("SELECT 1")  # finds out about a connection that is gone

    def _take(self, payload: str) -> None:
        kind, *ids = payload.split()
        if kind == "runs":
            self.on_runs()
        for id_ in ids:
            for news in self._waiting.get(UUID(id_), ()):
                news.set()


async def tell(session: AsyncSession, kind: str, *run_ids: UUID) -> None:
    """Tell all processes, when the transaction commits."""
    payload = " ".join([kind, *map(str, run_ids)])
    await session.execute(select(func.pg_notify(Notices.CHANNEL, payload)))
