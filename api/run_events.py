"""What runs tell their readers, as it is kept in Postgres: for an hour, several a row."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, LiteralString
from uuid import UUID

from sqlalchemy import delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from api.asked import Claim, Event
from api.notices import Notices
from talker.database import autocommit, statement
from talker.errors import RunNotFound
from talker.models import Run, RunEvents, now

_JSON = json.JSONEncoder(ensure_ascii=False)

EVENTS_KEPT = timedelta(hours=1)
RUNS_AT_ONCE = 200
"""How many runs' events one statement writes: as many ids as fit into a notice."""

APPEND: LiteralString = """
WITH said AS (
    SELECT * FROM unnest(%(run_ids)s::uuid[], %(owners)s::uuid[], %(seqs)s::int[],
    %(events)s::text[]) AS said (run_id, owner, seq, events)
), mine AS (
    SELECT runs.id FROM runs JOIN said ON runs.id = said.run_id AND runs.owner = said.owner
    FOR SHARE OF runs
), stored AS (
    INSERT INTO run_events (run_id, seq, events, created_at)
    SELECT run_id, seq, events::jsonb, now() FROM said JOIN mine ON mine.id = said.run_id
    ON CONFLICT (run_id, seq) DO UPDATE SET events = excluded.events
    WHERE jsonb_array_length(excluded.events) > jsonb_array_length(run_events.events)
), told AS (
    SELECT pg_notify(%(channel)s, 'events ' || string_agg(id::text, ' ')) FROM mine
    HAVING count(*) > 0
)
SELECT mine.id FROM mine LEFT JOIN told ON true
"""
"""One statement, whatever their number. A try that broke off and the next start at the same event:
the longer row counts. The runs are locked against a take-up, so that nothing is written for one
that is another's by now."""


@dataclass(frozen=True)
class Fresh:
    """Events of one run that are not stored yet, in order."""

    claim: Claim
    events: Sequence[Event]


class EventStore:
    def __init__(self, sessions: async_sessionmaker[AsyncSession], notices: Notices) -> None:
        self._sessions = sessions
        self._notices = notices
        self._writing = asyncio.Lock()

    async def append(self, fresh: Collection[Fresh]) -> set[UUID]:
        """Write events of any number of runs. Returns the runs that are ours to write for."""
        ours: set[UUID] = set()
        batch = [one for one in fresh if one.events]
        async with self._writing:
            for start in range(0, len(batch), RUNS_AT_ONCE):
                given = to_append(batch[start : start + RUNS_AT_ONCE])
                ours |= {id_ for (id_,) in await statement(self._sessions, APPEND, given)}
        return ours

    async def written(self) -> None:
        """Return when what is being written is. Two transactions that write for one run beside
        others would lock each other out."""
        async with self._writing:
            pass

    async def read(self, conversation_id: UUID, run_id: UUID, after: int) -> AsyncIterator[Event]:
        """A run's events past `after`, waiting for those another process still writes.

        Raises RunNotFound for a run that is not this conversation's, or too long ago.
        """
        async with autocommit(self._sessions) as session:
            run = await session.get(Run, run_id)
        if run is None or run.conversation_id != conversation_id:
            raise RunNotFound(run_id)
        if now() - run.created_at > EVENTS_KEPT and run.status != "running":
            raise RunNotFound(run_id)
        with self._notices.expecting(run_id) as more:
            while True:
                more.clear()
                over = await self._is_over(run_id)  # before the look, which then sees all
                for event in await self.past(run_id, after):
                    after = event["seq"]
                    yield event
                if over:
                    return
                await self._notices.wait(more)

    async def _is_over(self, run_id: UUID) -> bool:
        """Whether nobody writes for the run any more."""
        unfinished = select(Run.id).where(
            Run.id == run_id, or_(Run.status == "running", Run.owner.is_not(None))
        )
        async with autocommit(self._sessions) as session:
            return await session.scalar(unfinished) is None

    async def past(self, run_id: UUID, after: int = 0) -> list[Event]:
        """The stored events past `after`."""
        starts = select(func.max(RunEvents.seq)).where(
            RunEvents.run_id == run_id, RunEvents.seq <= after + 1
        )
        query = select(RunEvents.events).where(
            RunEvents.run_id == run_id,
            RunEvents.seq >= func.coalesce(starts.scalar_subquery(), 0),
        )
        async with autocommit(self._sessions) as session:
            rows = await session.scalars(query.order_by(RunEvents.seq))
            return [
                {**event, "run_id": str(run_id)}
                for events in rows
                for event in events
                if event["seq"] > after
            ]

    async def forget(self) -> None:
        """Delete what is older than an hour."""
        async with autocommit(self._sessions) as session:
            await session.execute(
                delete(RunEvents).where(RunEvents.created_at < func.now() - EVENTS_KEPT)
            )


def to_append(fresh: Sequence[Fresh]) -> dict[str, Any]:
    """What APPEND takes; it returns the runs that are ours to write for."""
    return {
        "run_ids": [one.claim.asked.run_id for one in fresh],
        "owners": [one.claim.owner for one in fresh],
        "seqs": [one.events[0]["seq"] for one in fresh],
        "events": [_JSON.encode([_stored(event) for event in one.events]) for one in fresh],
        "channel": Notices.CHANNEL,
    }


def _stored(event: Event) -> Event:
    return {key: value for key, value in event.items() if key != "run_id"}


def text_since_start(events: Sequence[Event]) -> str:
    """The text of the last attempt: what its tokens come to."""
    text = ""
    for event in events:
        if event["type"] == "started":
            text = ""
        elif event["type"] == "token":
            text += event["text"]
    return text
