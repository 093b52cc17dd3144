"""A running job's step and progress, written to its row for those who watch, and its end when
somebody stops it."""

import asyncio
import time
from contextlib import suppress
from types import TracebackType
from typing import Self
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from talker.models import IngestionJob, JobStep

WRITE_EVERY_S = 0.5
LAST_WRITE_S = 5.0
TOUCH_EVERY_S = 15.0
"""A row is written this often even when nothing changed: a job that is worked on is never older."""


class JobProgress:
    """`at` only notes; a task of its own writes, at most twice a second.

    It sees there when the job was paused or cancelled, or its video removed, and then ends what
    is done inside, quietly, and is `stopped`. Progress that cannot be written is lost: the steps
    themselves meet the outage and report it.
    """

    def __init__(self, sessions: async_sessionmaker[AsyncSession], job_id: UUID) -> None:
        self._sessions = sessions
        self._job_id = job_id
        self._noted: tuple[JobStep, float] | None = None
        self._written: tuple[JobStep, float] | None = None
        self._written_at = 0.0
        self._ended = asyncio.Event()
        self.stopped = False

    def at(self, step: JobStep, progress: float) -> None:
        self._noted = (step, progress)

    async def __aenter__(self) -> Self:
        work = asyncio.current_task()
        assert work is not None
        self._work = work
        self._writer = asyncio.create_task(self._write_forever())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        # Cancelled in the middle of a query, psycopg takes seconds to let go of its connection.
        self._ended.set()
        await asyncio.wait({self._writer}, timeout=LAST_WRITE_S)
        self._writer.cancel()
        await asyncio.gather(self._writer, return_exceptions=True)
        if self.stopped:
            # Nobody else's cancellation may be swallowed with ours; what else a cancelled step
            # ends with, as psycopg's own assertions, is nobody's business any more.
            return self._work.uncancel() == 0 and isinstance(
                error, asyncio.CancelledError | Exception
            )
        with suppress(SQLAlchemyError):
            await self._write()
        return False

    async def _write_forever(self) -> None:
        while not self._ended.is_set():
            try:
                running = await self._write()
            except SQLAlchemyError:
                running = True
            # Work that has just ended by itself is not ended a second time: nothing would catch it.
            if not running and not self._ended.is_set():
                self.stopped = True
                self._work.cancel()
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), WRITE_EVERY_S)

    async def _write(self) -> bool:
        """Write what is new; False once somebody else has stopped the job."""
        noted = self._noted
        fresh = time.monotonic() - self._written_at < TOUCH_EVERY_S
        async with self._sessions.begin() as session:
            job = IngestionJob.id == self._job_id
            status = await session.scalar(select(IngestionJob.status).where(job))
            if status != "running":
                return status == "done"
            if noted is None or (noted == self._written and fresh):
                return True
            await session.execute(
                update(IngestionJob)
                .where(job, IngestionJob.status == "running")
                .values(step=noted[0], progress=noted[1])
            )
        self._written, self._written_at = noted, time.monotonic()
        return True
