"""The queue as an administrator sees and steers it: everybody's jobs."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Literal
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.accounts import audit
from ingestion import jobs
from talker.errors import Conflict, JobNotFound
from talker.models import IngestionJob, JobStatus, User, Video

Steer = Literal["retry", "cancel"]
Change = Callable[[AsyncSession, Collection[IngestionJob]], Awaitable[list[IngestionJob]]]
Found = tuple[IngestionJob, Video, str]
"""A job, its video, and the email of who asked for it."""

TO_LOOK_AT: Sequence[JobStatus] = ("failed", "running", "queued", "paused")
DONE: dict[Steer, audit.Action] = {"retry": "retry_job", "cancel": "cancel_job"}
CHANGES: dict[Steer, Change] = {"retry": jobs.retry, "cancel": jobs.cancel}


class CannotSteer(Conflict):
    def __init__(self, status: str, steer: Steer) -> None:
        wanted = "failed or cancelled, and no later job has taken its place"
        super().__init__(
            f"This job is {status}. One can be tried again that has {wanted}."
            if steer == "retry"
            else f"This job is {status}, so there is nothing to cancel."
        )


async def read_jobs(
    session: AsyncSession, statuses: Sequence[JobStatus], *, limit: int, offset: int
) -> tuple[list[Found], int]:
    """The latest changed first, and how many there are in all."""
    which = IngestionJob.status.in_(statuses)
    total = await session.scalar(select(func.count()).select_from(IngestionJob).where(which))
    rows = await session.execute(
        select(IngestionJob, Video, User.email)
        .join(Video, Video.id == IngestionJob.video_id)
        .join(User, User.id == IngestionJob.user_id)
        .where(which)
        .order_by(IngestionJob.updated_at.desc(), IngestionJob.id)
        .limit(limit)
        .offset(offset)
    )
    return [(job, video, email) for job, video, email in rows], total or 0


async def steer_job(session: AsyncSession, actor: str, job_id: UUID, steer: Steer) -> Found:
    """Try a job again or end it, whoever waits for it. Raises JobNotFound or CannotSteer."""
    found = await session.execute(
        select(IngestionJob, Video, User.email)
        .join(Video, Video.id == IngestionJob.video_id)
        .join(User, User.id == IngestionJob.user_id)
        .where(IngestionJob.id == job_id)
    )
    row = found.one_or_none()
    if row is None:
        raise JobNotFound(job_id)
    job, video, email = row
    if not await CHANGES[steer](session, [job]):
        raise CannotSteer(job.status, steer)
    audit.record(session, actor, DONE[steer], email, job=str(job_id))
    return job, video, email
