"""What is kept of runs: their events for an hour, how they ended, and that they are alive."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from talker.database import DATABASE_AWAY
from talker.errors import RunNotFound
from talker.models import Conversation, Message, Run, RunEvent, now

log = logging.getLogger(__name__)

Event = dict[str, Any]

LOST_AFTER = timedelta(seconds=10)
EVENTS_KEPT = timedelta(hours=1)
POLL_S = 0.25
SETTLE_TRIES = 20
SETTLE_PAUSE_S = 0.5

APPEND_EVENTS = text(
    "INSERT INTO run_events (run_id, seq, event, created_at)"
    " SELECT run_id, seq, event::jsonb, now()"
    " FROM unnest(CAST(:run_ids AS uuid[]), CAST(:seqs AS int[]), CAST(:events AS text[]))"
    " AS said (run_id, seq, event)"
    " WHERE EXISTS (SELECT FROM runs WHERE runs.id = said.run_id)"
    " ON CONFLICT DO NOTHING"
)
"""In one statement, whatever their number; none for a run whose conversation was deleted, and
none twice after an attempt that broke off."""

LOST = {
    "error": "run_lost",
    "detail": "The server stopped while it was writing this answer. Ask again.",
}


@dataclass
class Asked:
    """What one run is to answer; the rows are committed before it starts."""

    run_id: UUID
    conversation_id: UUID
    user_id: UUID
    question_id: UUID
    answer_id: UUID
    content: str
    video_ids: list[UUID] | None
    model: str | None
    new_title: str | None = None


class RunStore:
    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions

    async def append(self, events: Sequence[Event]) -> None:
        """Write events, of any number of runs."""
        if not events:
            return
        async with self._sessions.begin() as session:
            await session.execute(
                APPEND_EVENTS,
                {
                    "run_ids": [event["run_id"] for event in events],
                    "seqs": [event["seq"] for event in events],
                    "events": [json.dumps(event) for event in events],
                },
            )

    async def read(self, conversation_id: UUID, run_id: UUID, after: int) -> AsyncIterator[Event]:
        """A run's events past `after`, waiting for those another process still writes.

        Raises RunNotFound for a run that is not this conversation's, or too long ago.
        """
        async with self._sessions() as session:
            run = await session.get(Run, run_id)
        if run is None or run.conversation_id != conversation_id:
            raise RunNotFound(run_id)
        if now() - run.created_at > EVENTS_KEPT and run.status != "running":
            raise RunNotFound(run_id)
        while True:
            for row in await self._past(run_id, after):
                after = row.seq
                yield row.event
                if row.event["type"] == "done":
                    return
            await asyncio.sleep(POLL_S)

    async def _past(self, run_id: UUID, after: int) -> Sequence[RunEvent]:
        query = select(RunEvent).where(RunEvent.run_id == run_id, RunEvent.seq > after)
        async with self._sessions() as session:
            return (await session.scalars(query.order_by(RunEvent.seq))).all()

    async def settle(self, asked: Asked, status: str, **values: Any) -> None:
        """Store how a run ended; a database that is restarting is waited for."""
        for _ in range(SETTLE_TRIES):
            try:
                return await self._settle(asked, status, **values)
            except DATABASE_AWAY:
                await asyncio.sleep(SETTLE_PAUSE_S)
        return await self._settle(asked, status, **values)

    async def _settle(self, asked: Asked, status: str, **values: Any) -> None:
        async with self._sessions.begin() as session:
            message = update(Message).where(Message.id == asked.answer_id)
            await session.execute(message.values(status=status, **values))
            run = update(Run).where(Run.id == asked.run_id)
            await session.execute(run.values(status=status))
            conversation = update(Conversation).where(Conversation.id == asked.conversation_id)
            await session.execute(conversation.values(updated_at=now()))

    async def beat(self, run_ids: Collection[UUID]) -> None:
        """Show that these runs are alive."""
        if not run_ids:
            return
        async with self._sessions.begin() as session:
            await session.execute(update(Run).where(Run.id.in_(run_ids)).values(heartbeat_at=now()))

    async def keep_house(self, live: Collection[UUID]) -> None:
        """Settle runs whose process died, forget events after an hour."""
        async with self._sessions.begin() as session:
            lost = await session.scalars(
                select(Run)
                .where(Run.status == "running", Run.heartbeat_at < now() - LOST_AFTER)
                .where(Run.id.not_in(live))
                .with_for_update(skip_locked=True)
            )
            for run in lost:
                await settle_lost(session, run)
            await session.execute(delete(RunEvent).where(RunEvent.created_at < now() - EVENTS_KEPT))


async def settle_lost(session: AsyncSession, run: Run) -> None:
    """Say of a run whose process died that it failed, to its message and to who waits for it."""
    run.status = "failed"
    await session.execute(
        update(Message)
        .where(Message.run_id == run.id, Message.status == "running")
        .values(status="failed", error=LOST)
    )
    last = await session.scalar(
        select(RunEvent.seq).where(RunEvent.run_id == run.id).order_by(RunEvent.seq.desc()).limit(1)
    )
    seq = (last or 0) + 1
    events: list[Event] = [{"type": "error", **LOST, "retryable": True}, {"type": "done"}]
    for offset, event in enumerate(events):
        numbered = {**event, "run_id": str(run.id), "seq": seq + offset}
        session.add(RunEvent(run_id=run.id, seq=seq + offset, event=numbered))
    log.warning("run lost", extra={"run_id": str(run.id)})
