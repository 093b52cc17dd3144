"""What workers do: the tasks of the queue, and what is done again and again."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.exceptions import JobAborted
from procrastinate.jobs import Job
from sqlalchemy import select, text

from ingestion.failures import TryAgain
from ingestion.job import load
from ingestion.prefetch import fetch_many
from ingestion.provider import TranscriptProvider
from ingestion.queue import FETCH_MANY, HOUSEKEEPING_QUEUE, LOAD_VIDEO, put_on_queue
from ingestion.sync import subscribed, sync
from talker.database import DATABASE_AWAY, autocommit
from talker.errors import CollectionNotFound
from talker.models import IngestionJob, now
from talker.resources import Resources

DATABASE_DELAY_S = 5
HEARTBEAT_S = 3.0
STALLED_S = 15.0
"""A worker silent for so long was killed; its jobs are given to others."""
LOST_S = 90.0


@dataclass(frozen=True)
class WorkerTools:
    """What a worker's jobs work with."""

    resources: Resources
    providers: Sequence[TranscriptProvider]


class _WhenItMayPass(BaseRetryStrategy):
    """Again when the job asks for it, and at once when a worker that stops lets go of it."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:  # noqa: ARG002 - procrastinate's signature
        if isinstance(exception, TryAgain):
            return RetryDecision(retry_in={"seconds": round(exception.delay_s)})
        if isinstance(exception, DATABASE_AWAY):
            return RetryDecision(retry_in={"seconds": DATABASE_DELAY_S})
        if isinstance(exception, JobAborted | asyncio.CancelledError):
            return RetryDecision(retry_in={"seconds": 0})
        return None


def open_queue(connector: PsycopgConnector, tools: WorkerTools) -> App:
    """The queue as a worker knows it: its tasks, and what they work with."""
    queue = App(connector=connector)

    @queue.task(name=LOAD_VIDEO, retry=_WhenItMayPass())
    async def load_video(job_id: str) -> None:
        await load(
            UUID(job_id),
            resources=tools.resources,
            providers=tools.providers,
        )

    @queue.task(name=FETCH_MANY, retry=_WhenItMayPass())
    async def fetch_together(job_ids: list[str]) -> None:
        await fetch_many(
            [UUID(job_id) for job_id in job_ids],
            resources=tools.resources,
            providers=tools.providers,
        )

    @queue.periodic(cron="* * * * * */10")
    @queue.task(
        name="recover_stalled",
        queue=HOUSEKEEPING_QUEUE,
        queueing_lock="recover_stalled",
        pass_context=True,
    )
    async def recover_stalled(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - procrastinate gives it
        """Put back what killed workers left unfinished; procrastinate does not by itself."""
        jobs = context.app.job_manager
        stalled = await jobs.get_stalled_jobs(seconds_since_heartbeat=STALLED_S)
        for queue_id in {job.id for job in stalled if job.id} | await _lost(tools.resources):
            await jobs.retry_job_by_id_async(queue_id, retry_at=now())
        await _put_orphans_back(tools.resources)

    @queue.periodic(cron="*/10 * * * *")
    @queue.task(name="sync_collections", queue=HOUSEKEEPING_QUEUE, queueing_lock="sync_collections")
    async def sync_collections(timestamp: int) -> None:  # noqa: ARG001 - procrastinate gives it
        """Bring in what is new of subscribed playlists and channels, once a day each."""
        for collection_id, user_id in await subscribed(tools.resources, due=True):
            with suppress(CollectionNotFound):
                await sync(tools.resources, tools.providers, collection_id, user_id)

    return queue


async def _lost(resources: Resources) -> set[int]:
    """Jobs that the queue thinks under way, but whose rows nobody has touched for a while.

    So it is when Postgres went away just as a living worker wanted to say what became of them.
    """
    untouched = text(
        "SELECT queued.id FROM procrastinate_jobs AS queued JOIN ingestion_jobs AS job"
        " ON job.id = (queued.args ->> 'job_id')::uuid"
        " WHERE queued.task_name = :task AND queued.status = 'doing' AND"
        " job.updated_at NOT BETWEEN :before AND :after"
    )
    async with autocommit(resources.sessions) as session:
        rows = await session.scalars(untouched, {"task": LOAD_VIDEO, **_lately()})
        return set(rows)


def _lately() -> dict[str, datetime]:
    """Between which moments a row was touched by who still works on it: one from the future is
    from before the clock was set back."""
    lost = timedelta(seconds=LOST_S)
    return {"before": now() - lost, "after": now() + lost}


async def _put_orphans_back(resources: Resources) -> None:
    """Queue jobs that wait for a place in the queue which they do not have.

    So it is when a worker was killed between two entries, or a task broke off over a fault.
    """
    orphans = text(
        "SELECT id FROM ingestion_jobs WHERE status = 'queued'"
        " AND updated_at NOT BETWEEN :before AND :after"
        " AND id::text NOT IN ("
        "  SELECT args ->> 'job_id' FROM procrastinate_jobs"
        "   WHERE task_name = :load AND status IN ('todo', 'doing')"
        "  UNION ALL SELECT jsonb_array_elements_text(args -> 'job_ids') FROM procrastinate_jobs"
        "   WHERE task_name = :fetch AND status IN ('todo', 'doing'))"
    )
    async with resources.sessions.begin() as session:
        ids = await session.scalars(orphans, {"load": LOAD_VIDEO, "fetch": FETCH_MANY, **_lately()})
        jobs = await session.scalars(
            select(IngestionJob).where(IngestionJob.id.in_(ids.all())).with_for_update()
        )
        await put_on_queue(session, jobs.all())
