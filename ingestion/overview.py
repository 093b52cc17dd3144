"""The library and the queue at a glance: what `ingest status` says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from ingestion.jobs import ACTIVE
from talker.models import IngestionJob, LibraryEntry, ServiceCharge, ServiceState, User, Video, now

STATUSES = ("ready", "loading", "queued", "failed")


@dataclass(frozen=True, slots=True)
class Unready:
    """A video that is not ready, or one more language of a ready one that is not."""

    video: Video
    job: IngestionJob | None

    @property
    def status(self) -> str:
        if self.job is not None and self.job.status == "paused":
            return "paused"
        return self.video.status if self.video.status != "ready" else self.job_status

    @property
    def job_status(self) -> str:
        return self.job.status if self.job is not None else self.video.status

    @property
    def failure(self) -> dict[str, Any] | None:
        return self.video.failure or (self.job.failure if self.job is not None else None)


@dataclass(frozen=True, slots=True)
class Overview:
    """`counts` are videos by status, `paused` how many of the queued ones are; `resting` are the
    services that are left alone just now; `credits` what the person's videos cost so far."""

    counts: dict[str, int]
    paused: int
    unready: Sequence[Unready]
    resting: Sequence[ServiceState]
    credits: int


async def overview(session: AsyncSession, user: User) -> Overview:
    rows = await session.execute(
        select(Video.status, func.count())
        .join(LibraryEntry, LibraryEntry.video_id == Video.id)
        .where(LibraryEntry.user_id == user.id)
        .group_by(Video.status)
    )
    found = {row.status: row[1] for row in rows}
    unready = await _unready(session, user)
    spent = select(func.coalesce(func.sum(ServiceCharge.credits), 0))
    return Overview(
        counts={status: found.get(status, 0) for status in STATUSES},
        paused=sum(one.status == "paused" for one in unready),
        unready=unready,
        resting=await resting_services(session),
        credits=await session.scalar(spent.where(ServiceCharge.user_id == user.id)) or 0,
    )


async def _unready(session: AsyncSession, user: User) -> list[Unready]:
    """In the order in which they were added."""
    latest = (
        select(IngestionJob)
        .ext(distinct_on(IngestionJob.video_id))
        .order_by(IngestionJob.video_id, IngestionJob.created_at.desc(), IngestionJob.id)
        .subquery()
    )
    rows = await session.execute(
        select(Video, IngestionJob)
        .join(LibraryEntry, LibraryEntry.video_id == Video.id)
        .outerjoin(latest, latest.c.video_id == Video.id)
        .outerjoin(IngestionJob, IngestionJob.id == latest.c.id)
        .where(
            LibraryEntry.user_id == user.id,
            (Video.status != "ready") | IngestionJob.status.in_((*ACTIVE, "failed")),
        )
        .order_by(LibraryEntry.added_at, Video.id)
    )
    return [Unready(video, job) for video, job in rows]


async def resting_services(session: AsyncSession) -> Sequence[ServiceState]:
    """Transcript services that are left alone just now."""
    states = await session.scalars(
        select(ServiceState)
        .where(ServiceState.resting_until > now(), ~ServiceState.probing)
        .order_by(ServiceState.service)
    )
    return states.all()
