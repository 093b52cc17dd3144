"""How much one person, and one address, may do in a time: asking, adding, uploading, talking.

Generous, since they are for who would take a server from the others, not for who uses it. With
AUTH=local there is nobody to be protected from, and nothing is limited.
"""

import asyncio
import itertools
import logging
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from api.accounts.attempts import Limit, count_all, forget_old
from api.limits.sockets import SocketPlaces
from api.limits.tally import Tally, Windows
from talker.database import DATABASE_AWAY
from talker.settings import Settings

log = logging.getLogger(__name__)

KEEP_EVERY_S = 1.0
"""What several processes together let through beyond a limit is what comes in this time."""
ALIVE_EVERY, CLEAN_EVERY = 10, 3_600

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Who:
    """Somebody, and where they ask from."""

    user_id: UUID
    address: str


@dataclass(frozen=True)
class Both:
    """A limit of each person, and the wider one of each address."""

    person: Limit
    address: Limit

    def of(self, who: Who) -> list[tuple[Limit, str]]:
        return [(self.person, str(who.user_id)), (self.address, who.address)]


class Limits:
    """What counts over minutes and hours is counted in Postgres, one statement each time.

    Requests and messages are too many for that; see Tally. The messages of one second are
    counted in this process alone: a socket's messages all come here, and it is this process's
    one processor that they would take.
    """

    def __init__(self, settings: Settings, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions
        self._tally = Tally(sessions)
        self._here = Windows()
        self._places = SocketPlaces(sessions)
        local = settings.auth == "local"

        def both(what: str, most: int, within: timedelta, words: str) -> Both:
            most = 0 if local else most
            wider = most * settings.limits_per_address
            return Both(
                Limit(what, most, within, f"{most:,} {words}"),
                Limit(f"{what} from", wider, within, f"{wider:,} {words} from one address"),
            )

        self._asking = (
            both("ask minute", settings.max_questions_per_minute, MINUTE, "questions a minute"),
            both("ask day", settings.max_questions_per_day, DAY, "questions a day"),
        )
        self._adding = both("add", settings.max_sources_per_hour, HOUR, "sources an hour")
        self._uploading = both("upload", settings.max_uploads_per_hour, HOUR, "files an hour")
        self._requests = both(
            "request", settings.max_requests_per_minute, MINUTE, "requests a minute"
        )
        self._messages = both(
            "message", settings.max_messages_per_minute, MINUTE, "messages a minute"
        )
        self._messages_at_once = both(
            "message second", settings.max_messages_per_second, SECOND, "messages a second"
        )
        self._sockets = both("socket", settings.max_sockets, DAY, "sockets open at once")

    async def asking(self, who: Who) -> None:
        """Each raises TooManyRequests when it is enough."""
        await count_all(self._sessions, [one for both in self._asking for one in both.of(who)])

    async def adding(self, who: Who, sources: int) -> None:
        await count_all(self._sessions, self._adding.of(who), by=sources)

    async def uploading(self, who: Who) -> None:
        await count_all(self._sessions, self._uploading.of(who))

    def request_from(self, address: str) -> None:
        """Anybody's request, before it is known whose."""
        self._tally.add(self._requests.address, address)

    def request_of(self, user_id: UUID) -> None:
        self._tally.add(self._requests.person, str(user_id))

    def message(self, who: Who) -> None:
        for limit, key in self._messages_at_once.of(who):
            self._here.add(limit, key)
        for limit, key in self._messages.of(who):
            self._tally.add(limit, key)

    def socket(self, who: Who) -> AbstractAsyncContextManager[None]:
        """A place for one more open socket."""
        return self._places.place(*self._sockets.of(who))

    async def keep(self) -> None:
        """Tell the other processes and hear from them, for ever; while the database is away each
        counts alone."""
        for times in itertools.count(1):
            await asyncio.sleep(KEEP_EVERY_S)
            self._here.forget_past()
            try:
                await self._tally.tell()
                await self._places.say()
                if times % ALIVE_EVERY == 0:
                    await self._places.say_alive()
                if times % CLEAN_EVERY == 0:
                    await forget_old(self._sessions)
            except DATABASE_AWAY:
                log.debug("the counts were not told")

    async def aclose(self) -> None:
        await self._places.aclose()
