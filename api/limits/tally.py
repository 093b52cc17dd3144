"""What comes too often for a statement each: counted here, and told to Postgres in between."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import case
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from api.accounts.attempts import Limit
from talker.errors import TooManyRequests
from talker.models import Attempts

KEYS_AT_ONCE = 5_000


@dataclass
class _Count:
    """`told` is what all processes had come to when it was last asked; `fresh` came here since."""

    limit: Limit
    told: int = 0
    fresh: int = 0


class Windows:
    """Counts in this process, within windows that begin everywhere at the same moment, such as
    each full minute."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, float], _Count] = {}

    def add(self, limit: Limit, who: str) -> None:
        """Count one more. Raises TooManyRequests, and then it is not counted."""
        if not limit.most:
            return
        length_s = limit.within.total_seconds()
        now_s = time.time()
        began_s = now_s - now_s % length_s
        count = self._counts.setdefault((limit.key(who), began_s), _Count(limit))
        if count.told + count.fresh >= limit.most:
            raise TooManyRequests(limit.words, began_s + length_s - now_s)
        count.fresh += 1

    def forget_past(self) -> None:
        now_s = time.time()
        self._counts = {
            key: count
            for key, count in self._counts.items()
            if key[1] + count.limit.within.total_seconds() > now_s
        }


class Tally(Windows):
    """Counts of all processes together. Counting costs no statement, so it may be done for every
    request; now and then one statement tells the others, for all that were counted, and learns
    what they counted. In between each knows of its own alone."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        super().__init__()
        self._sessions = sessions

    async def tell(self) -> None:
        self.forget_past()
        news = sorted(key for key, count in self._counts.items() if count.fresh)
        for at in range(0, len(news), KEYS_AT_ONCE):
            await self._tell(news[at : at + KEYS_AT_ONCE])

    async def _tell(self, news: list[tuple[str, float]]) -> None:
        sent = {key: self._counts[key].fresh for key in news}
        more = insert(Attempts).values(
            [
                {"key": key[0], "count": fresh, "since": datetime.fromtimestamp(key[1], UTC)}
                for key, fresh in sent.items()
            ]
        )
        past = Attempts.since < more.excluded.since
        more = more.on_conflict_do_update(
            index_elements=["key"],
            set_={
                "count": case((past, 0), else_=Attempts.count) + more.excluded.count,
                "since": more.excluded.since,
            },
        )
        async with self._sessions.begin() as session:
            rows = await session.execute(more.returning(Attempts.key, Attempts.count))
            totals = {key: int(total) for key, total in rows}
        for key, fresh in sent.items():
            count = self._counts[key]
            count.told, count.fresh = totals[key[0]], count.fresh - fresh
