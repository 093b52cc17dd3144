"""On whose behalf services are asked: credits and the services' own jobs, as rows."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from talker.models import IngestionJob, ServiceCharge


class PersonsErrand:
    """What a person asks for beside any job, such as what a channel holds."""

    service_job: Mapping[str, Any] | None = None

    def __init__(self, sessions: async_sessionmaker[AsyncSession], user_id: UUID) -> None:
        self._sessions = sessions
        self._user_id = user_id

    async def charge(self, service: str, request: str, amount: int) -> None:
        if amount:
            async with self._sessions.begin() as session:
                session.add(
                    ServiceCharge(
                        user_id=self._user_id, service=service, request=request, credits=amount
                    )
                )

    async def remember(self, service_job: Mapping[str, Any] | None) -> None:
        """Nothing: what was asked for ends with the asking."""


class JobErrand:
    """What a job asks for; `service_job` is what its row had when it was taken up."""

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        user_id: UUID,
        job_id: UUID,
        service_job: Mapping[str, Any] | None,
    ) -> None:
        self._sessions = sessions
        self._user_id = user_id
        self._job_id = job_id
        self.service_job = service_job

    async def charge(self, service: str, request: str, amount: int) -> None:
        if not amount:
            return
        async with self._sessions.begin() as session:
            session.add(
                ServiceCharge(
                    user_id=self._user_id,
                    job_id=self._job_id,
                    service=service,
                    request=request,
                    credits=amount,
                )
            )
            await session.execute(
                update(IngestionJob)
                .where(IngestionJob.id == self._job_id)
                .values(credits=IngestionJob.credits + amount)
            )

    async def remember(self, service_job: Mapping[str, Any] | None) -> None:
        self.service_job = service_job
        async with self._sessions.begin() as session:
            await session.execute(
                update(IngestionJob)
                .where(IngestionJob.id == self._job_id)
                .values(service_job=None if service_job is None else dict(service_job))
            )
