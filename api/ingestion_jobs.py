"""Ingestion jobs: the loading of the videos in a person's library, and how far it is."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.dependencies import AppResources, CurrentUser, Limit, Offset, Session
from api.videos import FailureOut
from ingestion.add import ACTIVE, retry
from ingestion.sources import watch_url
from talker.errors import Conflict, JobNotFound
from talker.models import IngestionJob, JobStatus, JobStep, LibraryEntry, Video, now
from talker.resources import Resources

router = APIRouter(prefix="/jobs", tags=["jobs"])

POLL_S = 0.5
OVERLAP = timedelta(seconds=10)
"""How far apart the clocks of processes may be without a change being missed."""


class JobOut(BaseModel):
    """`progress` goes from 0 to 1; `failure` of a queued job is why it is tried again."""

    id: UUID
    video_id: UUID
    source: str
    status: JobStatus
    step: JobStep | None
    progress: float
    attempt: int
    failure: FailureOut | None
    created_at: datetime
    updated_at: datetime


class JobList(BaseModel):
    items: list[JobOut]
    total: int


@router.get("")
async def list_jobs(
    session: Session, user: CurrentUser, limit: Limit = 100, offset: Offset = 0
) -> JobList:
    """The jobs of the library's videos, the newest first."""
    total = await session.scalar(select(func.count()).select_from(_visible(user.id).subquery()))
    rows = await session.execute(
        _visible(user.id)
        .order_by(IngestionJob.created_at.desc(), IngestionJob.id)
        .limit(limit)
        .offset(offset)
    )
    return JobList(items=[_out(user.id, job, video) for job, video in rows], total=total or 0)


@router.get("/stream", response_class=EventSourceResponse)
async def stream_jobs(user: CurrentUser, resources: AppResources) -> EventSourceResponse:
    """Server-sent events: a job as JSON in each `data:` line, first every one that is not over,
    then each that changes."""
    return EventSourceResponse(_changes(resources, user.id), ping=15)


@router.post("/{job_id}/retry", status_code=202)
async def retry_job(job_id: UUID, session: Session, user: CurrentUser) -> JobOut:
    """Load a video again whose loading failed."""
    job, video = await _find(session, user.id, job_id)
    if job.status in ACTIVE:
        raise Conflict("This job is not over yet; there is nothing to retry.")
    if job.status == "done":
        raise Conflict("This job is done; its video is ready.")
    await retry(session, job)
    return _out(user.id, job, video)


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


async def _changes(resources: Resources, user_id: UUID) -> AsyncIterator[ServerSentEvent]:
    """Jobs as they change, from the table: any process may be the one that works on them."""
    told: dict[UUID, JobOut] = {}
    since = now()
    while True:
        at = now()
        recent = or_(IngestionJob.status.in_(ACTIVE), IngestionJob.updated_at > since - OVERLAP)
        async with resources.sessions() as session:
            rows = (await session.execute(_visible(user_id).where(recent))).all()
        since = at
        for row in rows:
            job = _out(user_id, row[0], row[1])
            if told.get(job.id) != job:
                told[job.id] = job
                yield ServerSentEvent(data=job.model_dump_json())
        await asyncio.sleep(POLL_S)


def _out(user_id: UUID, job: IngestionJob, video: Video) -> JobOut:
    """What somebody else typed is theirs; the others see the video's own address."""
    source = job.source
    if job.user_id != user_id and video.youtube_id:
        source = watch_url(video.youtube_id)
    fields: dict[str, Any] = {
        name: getattr(job, name) for name in JobOut.model_fields if name != "source"
    }
    return JobOut(source=source, **fields)
