"""Ingestion jobs: the loading of the videos in a person's library, and how far it is."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.accounts.identity import Person, still_holds
from api.dependencies import AppResources, CurrentPerson, CurrentUser, Limit, Offset, Session
from api.problems import problems
from api.streams import EventStream
from api.videos import FailureOut
from ingestion import jobs
from ingestion.failures import TIME_HEALS
from talker.errors import Conflict, JobNotFound
from talker.models import IngestionJob, JobStatus, JobStep, LibraryEntry, Video, now
from talker.resources import Resources
from talker.sources import watch_url

router = APIRouter(prefix="/jobs", tags=["jobs"])

POLL_S = 0.5
OVERLAP = timedelta(seconds=10)
"""How far apart the clocks of processes may be without a change being missed."""

Change = Callable[[AsyncSession, Collection[IngestionJob]], Awaitable[list[IngestionJob]]]


class JobOut(BaseModel):
    """`progress` goes from 0 to 1; `failure` of a queued job is why it is tried again. `credits`
    are what the transcript service took, `batch_id` names what was added at the same time."""

    id: UUID
    video_id: UUID
    title: str
    source: str
    language: str | None
    batch_id: UUID | None
    status: JobStatus
    step: JobStep | None
    progress: float
    attempt: int
    credits: int
    failure: FailureOut | None
    created_at: datetime
    updated_at: datetime


class JobList(BaseModel):
    """`counts` are all the library's jobs by status, whatever the list was narrowed to."""

    items: list[JobOut]
    total: int
    counts: dict[JobStatus, int]


class ManyJobs(BaseModel):
    """Which jobs: those of one batch, or all there are."""

    model_config = ConfigDict(extra="forbid")

    batch_id: UUID | None = None


class Changed(BaseModel):
    changed: int


@router.get("")
async def list_jobs(
    session: Session,
    user: CurrentUser,
    status: Annotated[list[JobStatus] | None, Query()] = None,
    batch_id: UUID | None = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> JobList:
    """The jobs of the library's videos, the newest first; `status`, once or more, narrows them."""
    query = _visible(user.id)
    by_status = query.with_only_columns(IngestionJob.status, func.count())
    counts = (await session.execute(by_status.group_by(IngestionJob.status))).all()
    if status:
        query = query.where(IngestionJob.status.in_(status))
    if batch_id:
        query = query.where(IngestionJob.batch_id == batch_id)
    total = await session.scalar(query.with_only_columns(func.count()))
    rows = await session.execute(
        query.order_by(IngestionJob.created_at.desc(), IngestionJob.id).limit(limit).offset(offset)
    )
    return JobList(
        items=[_out(user.id, job, video) for job, video in rows],
        total=total or 0,
        counts={row[0]: row[1] for row in counts},
    )


@router.get("/stream", response_class=EventSourceResponse)
async def stream_jobs(person: CurrentPerson, resources: AppResources) -> EventSourceResponse:
    """Server-sent events: a job as JSON in each `data:` line, first every one that is not over,
    then each that changes, for as long as one is logged in."""
    return EventStream(_changes(resources, person), ping=15)


@router.post("/{job_id}/retry", status_code=202, responses=problems(409))
async def retry_job(job_id: UUID, session: Session, user: CurrentUser) -> JobOut:
    """Load a video again whose loading failed or was cancelled."""
    job, video = await _find(session, user.id, job_id)
    if job.status in jobs.ACTIVE:
        raise Conflict("This job is not over yet; there is nothing to retry.")
    if job.status == "done":
        raise Conflict("This job is done; its video is ready.")
    if not await jobs.retry(session, [job]):
        raise Conflict("A later job of this video took this one's place.")
    return _out(user.id, job, video)


@router.post("/{job_id}/pause", status_code=202, responses=problems(409))
async def pause_job(job_id: UUID, session: Session, user: CurrentUser) -> JobOut:
    """Let a job rest; a running one is let go of within a second, and keeps what it fetched."""
    return await _steer(session, user.id, job_id, jobs.pause, "be paused")


@router.post("/{job_id}/resume", status_code=202, responses=problems(409))
async def resume_job(job_id: UUID, session: Session, user: CurrentUser) -> JobOut:
    """Put a paused job back on the queue."""
    return await _steer(session, user.id, job_id, jobs.resume, "go on")


@router.post("/{job_id}/cancel", status_code=202, responses=problems(409))
async def cancel_job(job_id: UUID, session: Session, user: CurrentUser) -> JobOut:
    """End a job that is not over."""
    return await _steer(session, user.id, job_id, jobs.cancel, "be cancelled")


@router.post("/retry", status_code=202)
async def retry_jobs(which: ManyJobs, session: Session, user: CurrentUser) -> Changed:
    """Load again what failed for a reason that may be gone by now."""
    failed = await _many(session, user.id, which, ("failed",))
    may_pass = [job for job in failed if (job.failure or {}).get("reason") in TIME_HEALS]
    return Changed(changed=len(await jobs.retry(session, may_pass)))


@router.post("/pause", status_code=202)
async def pause_jobs(which: ManyJobs, session: Session, user: CurrentUser) -> Changed:
    return await _steer_many(session, user.id, which, jobs.pause)


@router.post("/resume", status_code=202)
async def resume_jobs(which: ManyJobs, session: Session, user: CurrentUser) -> Changed:
    return await _steer_many(session, user.id, which, jobs.resume)


@router.post("/cancel", status_code=202)
async def cancel_jobs(which: ManyJobs, session: Session, user: CurrentUser) -> Changed:
    return await _steer_many(session, user.id, which, jobs.cancel)


async def _steer(
    session: AsyncSession, user_id: UUID, job_id: UUID, change: Change, word: str
) -> JobOut:
    job, video = await _find(session, user_id, job_id)
    if await _others_wait(session, user_id, [job]):
        # Who else has a video is nobody's business: the sentence does not say that somebody has.
        raise Conflict(
            f"This job cannot {word} just now. Take the video out of your library if you do not "
            "want it."
        )
    if not await change(session, [job]):
        raise Conflict(f"This job is {job.status} and cannot {word}.")
    return _out(user_id, job, video)


async def _steer_many(
    session: AsyncSession, user_id: UUID, which: ManyJobs, change: Change
) -> Changed:
    """All but those that others wait for too."""
    found = await _many(session, user_id, which, jobs.ACTIVE)
    others = await _others_wait(session, user_id, found)
    mine = [job for job in found if job.video_id not in others]
    return Changed(changed=len(await change(session, mine)))


async def _many(
    session: AsyncSession, user_id: UUID, which: ManyJobs, statuses: Collection[str]
) -> list[IngestionJob]:
    query = _visible(user_id).where(IngestionJob.status.in_(statuses))
    if which.batch_id:
        query = query.where(IngestionJob.batch_id == which.batch_id)
    return [job for job, _ in await session.execute(query)]


async def _others_wait(
    session: AsyncSession, user_id: UUID, found: Collection[IngestionJob]
) -> set[UUID]:
    """Of the jobs' videos, those that are in other people's libraries too."""
    ids = {job.video_id for job in found}
    others = await session.scalars(
        select(LibraryEntry.video_id)
        .where(LibraryEntry.video_id.in_(ids), LibraryEntry.user_id != user_id)
        .distinct()
    )
    return set(others)


def _visible(user_id: UUID) -> Select[IngestionJob, Video]:
    """Jobs of the videos in the library, whoever asked for them first."""
    return (
        select(IngestionJob, Video)
        .join(Video, Video.id == IngestionJob.video_id)
        .join(LibraryEntry, LibraryEntry.video_id == Video.id)
        .where(LibraryEntry.user_id == user_id)
    )


async def _find(session: AsyncSession, user_id: UUID, job_id: UUID) -> tuple[IngestionJob, Video]:
    found = await session.execute(_visible(user_id).where(IngestionJob.id == job_id))
    row = found.one_or_none()
    if row is None:
        raise JobNotFound(job_id)
    return row[0], row[1]


async def _changes(resources: Resources, person: Person) -> AsyncIterator[ServerSentEvent]:
    """Jobs as they change, from the table: any process may be the one that works on them."""
    told: dict[UUID, JobOut] = {}
    user_id = person.user.id
    query = _visible(user_id).where(IngestionJob.status.in_(jobs.ACTIVE))
    while True:
        at = now()
        async with resources.sessions() as session:
            if await still_holds(session, person) is None:
                return
            rows = (await session.execute(query)).all()
        for row in rows:
            job = _out(user_id, row[0], row[1])
            if told.get(job.id) != job:
                told[job.id] = job
                yield ServerSentEvent(data=job.model_dump_json())
        query = _visible(user_id).where(IngestionJob.updated_at > at - OVERLAP)
        await asyncio.sleep(POLL_S)


def _out(user_id: UUID, job: IngestionJob, video: Video) -> JobOut:
    """What somebody else typed, and what they added with it, is theirs; the others see the
    video's own address."""
    fields: dict[str, Any] = {
        name: getattr(job, name) for name in JobOut.model_fields if name != "title"
    }
    if job.user_id != user_id and video.youtube_id:
        fields |= {"source": watch_url(video.youtube_id), "batch_id": None}
    return JobOut(title=video.title, **fields)
