"""A running job's step and progress, written to its row for those who watch."""

import asyncio
import time
from types import TracebackType
from typing import Self
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from talker.models import IngestionJob, JobStep

WRITE_EVERY_S = 0.5
TOUCH_EVERY_S = 15.0
"""A row is written this often even when nothing changed: a job that is worked on is never older."""


class JobProgress:
    """`at` only notes; a task of its own writes, at most twice a second.

    Progress that cannot be written is lost: the steps themselves meet the outage and report it.
    """

    def __init__(self, sessions: async_sessionmaker[AsyncSession], job_id: UUID) -> None:
        self._sessions = sessions
        self._job_id = job_id
        self._noted: tuple[JobStep, float] | None = None
        self._written: tuple[JobStep, float] | None = None
        self._written_at = 0.0

    def at(self, step: JobStep, progress: float) -> None:
        self._noted = (step, progress)

    async def __aenter__(self) -> Self:
        self._writer = asyncio.create_task(self._write_forever())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.cancel()
        await asyncio.gather(self._writer, return_exceptions=True)
        await self._write()

    async def _write_forever(self) -> None:
        while True:
            await self._write()
            await asyncio.sleep(WRITE_EVERY_S)

    async def _write(self) -> None:
        noted = self._noted
        fresh = time.monotonic() - self._written_at < TOUCH_EVERY_S
        if noted is None or (noted == self._written and fresh):
            return
        step, progress = noted
        try:
            async with self._sessions.begin() as session:
                await session.execute(
                    update(IngestionJob)
                    .where(IngestionJob.id == self._job_id, IngestionJob.status == "running")
                    .values(step=step, progress=progress)
                )
        except SQLAlchemyError:
            return
        self._written, self._written_at = noted, time.monotonic()
