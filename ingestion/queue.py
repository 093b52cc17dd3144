"""The queue of loading: procrastinate, in the same Postgres as the rows it works on.

A job is put there in the transaction that makes its rows, so neither is ever there alone. One
video's jobs take turns (`lock`); that a video has one active job at a time is the tables' rule.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.exceptions import JobAborted
from procrastinate.jobs import Job
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from ingestion.failures import TryAgain
from ingestion.job import load
from ingestion.provider import TranscriptProvider
from talker.database import DATABASE_AWAY
from talker.models import now
from talker.resources import Resources

LOAD_VIDEO = "load_video"
DATABASE_DELAY_S = 5
HEARTBEAT_S = 3.0
STALLED_S = 15.0
"""A worker silent for so long was killed; its jobs are given to others."""
LOST_S = 90.0


@dataclass(frozen=True)
class WorkerTools:
    """What a worker's jobs work with."""

    resources: Resources
    providers: list[TranscriptProvider]


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


async def put_on_queue(session: AsyncSession, job_id: UUID, video_id: UUID) -> None:
    """Let a worker load the video once the session's transaction is committed."""
    connection = await (await session.connection()).get_raw_connection()
    await (
        App(connector=PsycopgConnector())
        .configure_task(
            LOAD_VIDEO, lock=f"video:{video_id}", connection=connection.driver_connection
        )
        .defer_async(job_id=str(job_id))
    )


def open_queue(connector: PsycopgConnector, tools: WorkerTools) -> App:
    """The queue as a worker knows it: its tasks, and what they work with."""
    queue = App(connector=connector)

    @queue.task(name=LOAD_VIDEO, retry=_WhenItMayPass(), pass_context=True)
    async def load_video(context: JobContext, job_id: str) -> None:
        await load(
            UUID(job_id),
            resources=tools.resources,
            providers=tools.providers,
            earlier_tries=context.job.attempts,
        )

    @queue.periodic(cron="* * * * * */10")
    @queue.task(name="recover_stalled", queueing_lock="recover_stalled", pass_context=True)
    async def recover_stalled(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - procrastinate gives it
        """Put back what killed workers left unfinished; procrastinate does not by itself."""
        jobs = context.app.job_manager
        stalled = await jobs.get_stalled_jobs(seconds_since_heartbeat=STALLED_S)
        for queue_id in {job.id for job in stalled if job.id} | await _lost(tools.resources):
            await jobs.retry_job_by_id_async(queue_id, retry_at=now())

    return queue


async def _lost(resources: Resources) -> set[int]:
    """Jobs that the queue thinks under way, but whose rows nobody has touched for a while.

    So it is when Postgres went away just as a living worker wanted to say what became of them.
    """
    untouched = text(
        "SELECT queued.id FROM procrastinate_jobs AS queued JOIN ingestion_jobs AS job"
        " ON job.id = (queued.args ->> 'job_id')::uuid"
        " WHERE queued.task_name = :task AND queued.status = 'doing' AND job.updated_at < :before"
    )
    async with resources.sessions() as session:
        before = now() - timedelta(seconds=LOST_S)
        rows = await session.scalars(untouched, {"task": LOAD_VIDEO, "before": before})
        return set(rows)
