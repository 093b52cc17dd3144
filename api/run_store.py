"""What is kept of runs: who makes them, what was asked of them meanwhile, and how they ended."""

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, LiteralString
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb
from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from agent.checkpoints import prune
from api.asked import ANSWER_COLUMNS, ASKED, Asked, Claim, Event, message_event
from api.notices import Notices, tell
from api.run_events import APPEND, EventStore, Fresh, to_append
from talker.database import DATABASE_AWAY, autocommit, statement, within
from talker.models import Message, Run, RunEvents

log = logging.getLogger(__name__)

LOST_AFTER = timedelta(seconds=6)
"""A run whose attempt showed no life for so long is taken up: three heartbeats and a pause."""
CONFIRM_WITHIN = timedelta(hours=24)
SEQ_AHEAD = 1_000
"""How far readers may be ahead of what is stored. An attempt that follows one which was killed
numbers its events from beyond that, so that none has a number that somebody has seen."""
TAKEN_UP_AT_ONCE = 5
SETTLE_TRIES = 20
SETTLE_PAUSE_S = 0.5

SETTLE: LiteralString = """
WITH conversation AS (
    UPDATE conversations SET updated_at = now() WHERE id = %(conversation_id)s RETURNING id
), run AS (
    UPDATE runs SET status = %(status)s, checkpoint_id = %(checkpoint_id)s, confirm = NULL,
    accepted = NULL
    FROM conversation
    WHERE runs.id = %(run_id)s AND owner = %(owner)s AND conversation_id = conversation.id
    RETURNING runs.id
), given AS (
    SELECT * FROM jsonb_to_record(%(values)s) AS given (content text, citations jsonb,
    intent text, model text, input_tokens int, output_tokens int, cost_usd float, error jsonb,
    metadata jsonb)
)
UPDATE messages SET status = %(status)s, content = given.content,
citations = coalesce(given.citations, messages.citations), intent = given.intent,
model = given.model, input_tokens = given.input_tokens, output_tokens = given.output_tokens,
cost_usd = given.cost_usd, error = given.error, metadata = given.metadata
FROM run, given WHERE messages.id = %(answer_id)s RETURNING messages.id
"""
"""The run waits for the conversation's row, as everywhere: who locks both does it in this order."""
SUGGEST: LiteralString = "UPDATE messages SET suggestions = %(questions)s WHERE id = %(answer_id)s"
LET_GO: LiteralString = """
UPDATE runs SET owner = NULL, checkpoint_id = coalesce(%(checkpoint_id)s, checkpoint_id)
WHERE id = %(run_id)s AND owner = %(owner)s
"""
BEAT: LiteralString = """
UPDATE runs SET heartbeat_at = now()
FROM unnest(%(run_ids)s::uuid[], %(owners)s::uuid[]) AS ours (id, by)
WHERE runs.id = ours.id AND owner = by
RETURNING runs.id, stop_requested, accepted
"""
LOCK: LiteralString = """
SELECT id FROM conversations WHERE id = ANY(%(conversation_ids)s) ORDER BY id
FOR UPDATE SKIP LOCKED
"""


@dataclass(frozen=True)
class Told:
    """What was asked of a run, by whichever process."""

    run_id: UUID
    stop_requested: bool
    accepted: bool | None


class RunStore:
    def __init__(self, sessions: async_sessionmaker[AsyncSession], notices: Notices) -> None:
        self._sessions = sessions
        self.notices = notices
        self.events = EventStore(sessions, notices)

    async def settle(
        self, claim: Claim, status: str, *, checkpoint_id: str | None = None, **values: Any
    ) -> bool:
        """Store how a run ended; a database that is restarting is waited for.

        False where the run is not this attempt's any more, or gone.
        """
        for _ in range(SETTLE_TRIES):
            try:
                return await self._settle(claim, status, checkpoint_id, values)
            except DATABASE_AWAY:
                await asyncio.sleep(SETTLE_PAUSE_S)
        return await self._settle(claim, status, checkpoint_id, values)

    async def _settle(
        self, claim: Claim, status: str, checkpoint_id: str | None, values: dict[str, Any]
    ) -> bool:
        asked = claim.asked
        given = {
            "conversation_id": asked.conversation_id,
            "run_id": asked.run_id,
            "owner": claim.owner,
            "answer_id": asked.answer_id,
            "status": status,
            "checkpoint_id": checkpoint_id,
            "values": Jsonb({key.rstrip("_"): value for key, value in values.items()}),
        }
        return bool(await statement(self._sessions, SETTLE, given))

    async def suggest(self, claim: Claim, questions: list[str]) -> None:
        given = {"answer_id": claim.asked.answer_id, "questions": Jsonb(questions)}
        await statement(self._sessions, SUGGEST, given)

    async def finish(self, fresh: Fresh, checkpoint_id: str | None) -> None:
        """Write a run's last events and let go of it. `checkpoint_id` is its turn's very end."""
        given = to_append([fresh]) if fresh.events else None
        async with self._sessions.begin() as session:
            if given:
                await within(session, APPEND, given)
            await within(session, LET_GO, {**_owned(fresh.claim), "checkpoint_id": checkpoint_id})

    async def release(self, fresh: Fresh) -> None:
        """Hand a run that is not at its end to whoever takes it up."""
        async with self._sessions.begin() as session:
            if fresh.events:
                await within(session, APPEND, to_append([fresh]))
            await within(session, LET_GO, {**_owned(fresh.claim), "checkpoint_id": None})
            await tell(session, "runs")

    async def running(self, conversation_id: UUID) -> UUID | None:
        """The conversation's run that is not settled yet."""
        query = select(Run.id).where(Run.conversation_id == conversation_id)
        async with autocommit(self._sessions) as session:
            return await session.scalar(query.where(Run.status == "running"))

    async def how_it_ended(self, asked: Asked) -> list[Event]:
        """The events that say what a settled run came to."""
        async with autocommit(self._sessions) as session:
            message = await session.get_one(Message, asked.answer_id)
        if message.status == "failed":
            return [{"type": "error", **(message.error or {}), "retryable": True}]
        said = [message_event({name: getattr(message, name) for name in ANSWER_COLUMNS})]
        if asked.new_title is not None:
            said.append({"type": "title", "title": asked.new_title})
        return said

    async def beat(self, claims: Collection[Claim]) -> list[Told]:
        """Show that these runs are alive. Returns those that are still ours, and what was asked
        of them."""
        if not claims:
            return []
        given = {
            "run_ids": [claim.asked.run_id for claim in claims],
            "owners": [claim.owner for claim in claims],
        }
        return [Told(*row) for row in await statement(self._sessions, BEAT, given)]

    async def wait_for_word(self, claim: Claim, confirm: Event) -> bool:
        """Let the person's word be given: from now on, and to any process. False where the run
        is not this attempt's any more."""
        async with self._sessions.begin() as session:
            run = update(Run).where(Run.id == claim.asked.run_id, Run.owner == claim.owner)
            found = await session.scalar(
                run.values(confirm=confirm, accepted=None).returning(Run.id)
            )
        return found is not None

    async def decline_forgotten(self) -> None:
        """Say no for who has not said anything for a day."""
        async with self._sessions.begin() as session:
            run = update(Run).where(Run.status == "running", Run.accepted.is_(None))
            run = run.where(Run.confirm.is_not(None), Run.created_at < func.now() - CONFIRM_WITHIN)
            await session.execute(run.values(accepted=False))

    async def take_up(self, live: Collection[UUID]) -> list[Claim]:
        """Claim runs that nobody works on: handed over, or their process showed no life for a
        while. Those that are settled want no more than an end."""
        # One from the future is from before Postgres's clock was set back.
        lost = ~Run.heartbeat_at.between(func.now() - LOST_AFTER, func.now() + LOST_AFTER)
        query = (
            select(Run)
            .where(or_(Run.status == "running", Run.owner.is_not(None)))
            .where(or_(and_(Run.status == "running", Run.owner.is_(None)), lost))
            .where(Run.id.not_in(live), Run.asked.is_not(None))
            .order_by(Run.created_at)
            .limit(TAKEN_UP_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        async with self._sessions.begin() as session:
            return [await _claim(session, run) for run in await session.scalars(query)]

    async def prune(self, conversation_ids: Collection[UUID]) -> None:
        """Drop what the conversations' memories do not need once their last runs are over.

        They are locked, so that no run starts from what is being dropped; one that is locked
        already, as a question is stored, is pruned after its next turn.
        """
        async with self._sessions.begin() as session:
            given = {"conversation_ids": list(conversation_ids)}
            if found := [id_ for (id_,) in await within(session, LOCK, given)]:
                await prune(session, found)


def _owned(claim: Claim) -> dict[str, Any]:
    return {"run_id": claim.asked.run_id, "owner": claim.owner}


async def _claim(session: AsyncSession, run: Run) -> Claim:
    newest = select(RunEvents.events).where(RunEvents.run_id == run.id)
    said = await session.scalar(newest.order_by(RunEvents.seq.desc()).limit(1))
    last: int = said[-1]["seq"] if said else 0
    killed = run.owner is not None
    run.owner = uuid4()
    run.heartbeat_at = func.now()
    if run.status == "running":
        run.attempt += 1
    log.warning("run taken up", extra={"run_id": str(run.id), "attempt": run.attempt})
    return Claim(
        asked=ASKED.validate_python(run.asked),
        owner=run.owner,
        attempt=run.attempt,
        after=last + (SEQ_AHEAD if killed else 0),
        stop_requested=run.stop_requested,
        accepted=run.accepted,
        settled=run.status != "running",
    )


async def ask_to_stop(session: AsyncSession, conversation_id: UUID) -> bool:
    """Press the stop button of a conversation's running answer; false where none runs."""
    stopped = (
        await session.scalars(
            update(Run)
            .where(Run.conversation_id == conversation_id, Run.status == "running")
            .values(stop_requested=True)
            .returning(Run.id)
        )
    ).all()
    if stopped:
        await tell(session, "runs", *stopped)
    return bool(stopped)


async def give_word(
    session: AsyncSession, conversation_id: UUID, *, accepted: bool
) -> tuple[UUID, int] | None:
    """Answer the question that a conversation's run waits with.

    Returns the run and the number of its `confirm` event; null where nothing waits.
    """
    found = (
        await session.execute(
            update(Run)
            .where(Run.conversation_id == conversation_id, Run.status == "running")
            .where(Run.confirm.is_not(None), Run.accepted.is_(None))
            .values(accepted=accepted)
            .returning(Run.id, Run.confirm)
        )
    ).first()
    if found is None:
        return None
    await tell(session, "runs", found.id)
    return found.id, found.confirm["seq"]
