"""The queue of loading: procrastinate, in the same Postgres as the rows it works on.

A job is put there in the transaction that makes its rows, so neither is ever there alone. One
video's jobs take turns (`lock`); that a video has one active job at a time is the tables' rule.
"""

from collections.abc import Collection, Sequence

from procrastinate import App, PsycopgConnector
from procrastinate.jobs import Job
from sqlalchemy.ext.asyncio import AsyncSession

from talker.models import IngestionJob

LOAD_VIDEO, FETCH_MANY = "load_video", "fetch_many"
PERSONAL_QUEUE, BATCH_QUEUE, HOUSEKEEPING_QUEUE = "personal", "batch", "housekeeping"
"""A worker keeps some of its hands free of batches."""

FEWEST_TOGETHER, MOST_TOGETHER = 20, 100
"""Below, a batch's own credit and the wait for it are not worth it; above, its answer is too
large."""


async def put_on_queue(session: AsyncSession, jobs: Collection[IngestionJob]) -> None:
    """Let workers do the jobs once the session's transaction is committed."""
    await _put(
        session,
        [
            Job(
                queue=PERSONAL_QUEUE if job.priority > 0 else BATCH_QUEUE,
                priority=job.priority,
                lock=f"video:{job.video_id}",
                queueing_lock=None,
                task_name=LOAD_VIDEO,
                task_kwargs={"job_id": str(job.id)},
            )
            for job in jobs
        ],
    )


async def put_together(session: AsyncSession, jobs: Sequence[IngestionJob]) -> None:
    """Let workers fetch the jobs' transcripts many at once, and then put each on the queue."""
    await _put(
        session,
        [
            Job(
                queue=BATCH_QUEUE,
                lock=None,
                queueing_lock=None,
                task_name=FETCH_MANY,
                task_kwargs={"job_ids": [str(job.id) for job in jobs[at : at + MOST_TOGETHER]]},
            )
            for at in range(0, len(jobs), MOST_TOGETHER)
        ],
    )


async def _put(session: AsyncSession, entries: list[Job]) -> None:
    if entries:
        connection = await (await session.connection()).get_raw_connection()
        manager = App(connector=PsycopgConnector()).job_manager
        await manager.batch_defer_jobs_async(entries, connection=connection.driver_connection)
