"""What calls of chat models used and cost: who called, and the record that is kept of each."""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import LiteralString
from uuid import UUID

import psycopg
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from talker.database import DATABASE_AWAY, statement
from talker.models import ModelCall, Purpose

log = logging.getLogger(__name__)

STORE_TRIES = 10
STORE_PAUSE_S = 1.0
COLUMNS = tuple(ModelCall.__table__.columns.keys())
KEEP: LiteralString = """
INSERT INTO model_calls (id, user_id, run_id, purpose, model, input_tokens, cached_tokens,
output_tokens, cost_usd, estimated, first_token_ms, duration_ms, error, created_at)
VALUES (%(id)s, %(user_id)s, %(run_id)s, %(purpose)s, %(model)s, %(input_tokens)s,
%(cached_tokens)s, %(output_tokens)s, %(cost_usd)s, %(estimated)s, %(first_token_ms)s,
%(duration_ms)s, %(error)s, %(created_at)s)
"""
LAST_WAIT_S = 5.0
"""How long a process that ends waits for its last records."""


@dataclass(frozen=True)
class Caller:
    """On whose behalf a chat model is called, and what for.

    `model` is the one wanted, null for the default. `calls` is added to as calls end, the
    failed ones too, so that a run can say how its answer was made.
    """

    user_id: UUID | None
    run_id: UUID | None
    conversation_id: UUID | None
    model: str | None
    purpose: Purpose
    calls: list[ModelCall] = field(default_factory=list)


class CallLog:
    """Writes calls to `model_calls`, beside the answer: a slow database does not hold it up,
    and one that is away for longer than the tries last costs the record, not the answer."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions
        self._writing: set[asyncio.Task[None]] = set()

    def keep(self, call: ModelCall) -> None:
        task = asyncio.create_task(self._write(call))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def settled(self) -> None:
        """Return when all calls so far are written, or given up on."""
        await asyncio.gather(*self._writing)

    async def aclose(self) -> None:
        if self._writing:
            _, late = await asyncio.wait(self._writing, timeout=LAST_WAIT_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _write(self, call: ModelCall) -> None:
        for _ in range(STORE_TRIES):
            try:
                given = {column: getattr(call, column) for column in COLUMNS}
                await statement(self._sessions, KEEP, {**given, "estimated": bool(call.estimated)})
                return
            except DATABASE_AWAY:
                await asyncio.sleep(STORE_PAUSE_S)
            except psycopg.Error as error:  # its account was deleted meanwhile
                log.warning("model call not stored", extra={"error": type(error).__name__})
                return
        log.warning("model call not stored", extra={"error": "database_unavailable"})
