"""A job's progress ends its work when somebody stops it, and never otherwise."""

import asyncio
from uuid import UUID

from sqlalchemy import update

from ingestion.progress import JobProgress
from talker.models import IngestionJob, User
from talker.resources import Resources
from tests import make
from tests.ingestion.conftest import file


async def running_job(resources: Resources, user: User) -> UUID:
    added = await file(resources, user, make.captions(make.OCEAN))
    assert added.job_id is not None
    await put(resources, added.job_id, "running")
    return added.job_id


async def put(resources: Resources, job_id: UUID, status: str) -> None:
    async with resources.sessions.begin() as session:
        job = update(IngestionJob).where(IngestionJob.id == job_id)
        await session.execute(job.values(status=status))


async def test_work_ends_within_a_second_of_its_pause(resources: Resources, user: User) -> None:
    job_id = await running_job(resources, user)
    async with asyncio.timeout(30), JobProgress(resources.sessions, job_id) as progress:
        await put(resources, job_id, "paused")
        await asyncio.sleep(60)
    assert progress.stopped


async def test_work_goes_on_past_the_commit_that_says_done(
    resources: Resources, user: User
) -> None:
    job_id = await running_job(resources, user)
    went_on = False
    async with JobProgress(resources.sessions, job_id) as progress:
        await put(resources, job_id, "done")
        await asyncio.sleep(1)
        went_on = True
    assert went_on
    assert not progress.stopped


async def test_work_that_ends_in_the_instant_it_is_stopped_just_ends(
    resources: Resources, user: User
) -> None:
    """Leaving waits for the writer, which must not cancel what no longer works."""
    for _ in range(10):
        job_id = await running_job(resources, user)
        async with JobProgress(resources.sessions, job_id):
            await put(resources, job_id, "paused")
