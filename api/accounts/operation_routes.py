"""How the server is, for administrators: its parts, its queue, its costs.

In AUTH=local the one person may see it too.
"""

import asyncio
import shutil
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from api.accounts.costs import MOST_DAYS, read_costs, span_of_days
from api.accounts.everybodys_jobs import TO_LOOK_AT, Found, read_jobs, steer_job
from api.dependencies import AppResources, CurrentUser, Limit, Offset, Session
from api.health import Readiness, look
from api.problems import problems
from api.state_of_things import read_things
from api.videos import FailureOut
from talker.database import autocommit
from talker.errors import BadRequest
from talker.models import JobStatus, JobStep
from talker.resources import Resources

router = APIRouter(prefix="/admin", tags=["admin"])


class QueueState(BaseModel):
    """`oldest_s` is for how long the oldest job of each status that is not over has been there;
    `failures` the failed jobs by reason."""

    jobs: dict[str, int]
    oldest_s: dict[str, float]
    failures: dict[str, int]
    workers: int


class Storage(BaseModel):
    """Bytes; the disk is the one under DATA_DIR."""

    database: int
    disk_used: int
    disk_free: int


class Overview(BaseModel):
    """`videos` by status, `users` by role."""

    health: Readiness
    queue: QueueState
    videos: dict[str, int]
    users: dict[str, int]
    storage: Storage


class CostOut(BaseModel):
    """`user_id` and `email` are null where nobody in particular asked."""

    day: date
    user_id: UUID | None
    email: str | None
    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: float


class CostList(BaseModel):
    """From `start` to `end`, both included, in UTC."""

    start: date
    end: date
    total_usd: float
    items: list[CostOut]
    total: int


class QueueJob(BaseModel):
    """`email` is who asked for it first; `failure` of a queued job is why it is tried again."""

    id: UUID
    video_id: UUID
    title: str
    email: str
    status: JobStatus
    step: JobStep | None
    progress: float
    attempt: int
    failure: FailureOut | None
    created_at: datetime
    updated_at: datetime


class QueueJobs(BaseModel):
    items: list[QueueJob]
    total: int


class BadDays(BadRequest):
    def __init__(self) -> None:
        super().__init__(
            f"`start` must not be after `end`, and at most {MOST_DAYS} days are read at once."
        )


@router.get("/overview")
async def read_overview(resources: AppResources) -> Overview:
    """How each part is, and how much there is of what."""
    return await overview_of(resources)


async def overview_of(resources: Resources) -> Overview:
    health = await look(resources)
    async with autocommit(resources.sessions) as session:
        things = await read_things(session)
    disk = await asyncio.to_thread(shutil.disk_usage, resources.settings.data_dir)
    return Overview(
        health=health,
        queue=QueueState(
            jobs=things.jobs,
            oldest_s=things.oldest_s,
            failures=things.failures,
            workers=things.workers,
        ),
        videos=things.videos,
        users=things.users,
        storage=Storage(database=things.database_bytes, disk_used=disk.used, disk_free=disk.free),
    )


@router.get("/costs", responses=problems(400))
async def list_costs(
    session: Session, start: date | None = None, end: date | None = None
) -> CostList:
    """What models cost, by person, model and day; the last 30 days without a range."""
    first, last = span_of_days(start, end)
    if not 0 <= (last - first).days < MOST_DAYS:
        raise BadDays
    rows = await read_costs(session, first, last)
    return CostList(
        start=first,
        end=last,
        total_usd=sum(row.cost_usd for row in rows),
        items=[CostOut(**asdict(row)) for row in rows],
        total=len(rows),
    )


@router.get("/queue")
async def list_queue(
    session: Session,
    status: Annotated[list[JobStatus] | None, Query()] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> QueueJobs:
    """Everybody's jobs that wait, run, rest or failed, the latest changed first."""
    found, total = await read_jobs(session, status or TO_LOOK_AT, limit=limit, offset=offset)
    return QueueJobs(items=[queue_job(one) for one in found], total=total)


@router.post("/queue/{job_id}/retry", status_code=202, responses=problems(409))
async def retry_job(job_id: UUID, session: Session, admin: CurrentUser) -> QueueJob:
    """Try somebody's job again that failed or was cancelled."""
    return queue_job(await steer_job(session, admin.email, job_id, "retry"))


@router.post("/queue/{job_id}/cancel", status_code=202, responses=problems(409))
async def cancel_job(job_id: UUID, session: Session, admin: CurrentUser) -> QueueJob:
    """End a job that is not over, whoever waits for it."""
    return queue_job(await steer_job(session, admin.email, job_id, "cancel"))


def queue_job(found: Found) -> QueueJob:
    job, video, email = found
    own = {name: getattr(job, name) for name in QueueJob.model_fields if hasattr(job, name)}
    return QueueJob(**own, title=video.title, email=email)
