"""Workers that are killed, stopped or cut off: every job is finished, once."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import text

from ingestion.failures import TryAgain
from ingestion.job import load
from ingestion.wishes import Added
from talker.chunks import ChunkIndex
from talker.embeddings import embedding_model_name
from talker.models import Chunk, Segment, Transcript, User
from talker.resources import Resources
from tests.forks import Program, start
from tests.ingestion.conftest import (
    AtSupadata,
    at_work,
    count,
    environment,
    file,
    links,
    stored_job,
    stored_video,
    until_over,
)
from tests.make import BREAD, OCEAN, captions
from tests.supadata_server import SupadataVideo

ID = "dQw4w9WgXcQ"
CAPTIONS = {"en": [(number * 6000, 6000, line) for number, line in enumerate(OCEAN)]}


@asynccontextmanager
async def worker_process(resources: Resources) -> AsyncIterator[Program]:
    """The `worker` command, on the test's database and servers."""
    process = await start("worker", env=environment(resources))
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def until_asked(resources: Resources, added: Added) -> None:
    """Until the job has a job at the service."""
    async with asyncio.timeout(30):
        while (await stored_job(resources, added)).service_job is None:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("after_s", [0.0, 0.01, 0.05])
async def test_a_worker_that_is_stopped_while_it_starts_ends(
    resources: Resources, after_s: float
) -> None:
    async with asyncio.timeout(30), at_work(resources):
        await asyncio.sleep(after_s)


async def test_what_a_killed_worker_left_is_finished_by_another(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    supadata.server.videos[ID] = SupadataVideo(CAPTIONS, polls=1000)
    [added] = await links(resources, user, ID)
    async with worker_process(resources) as process:
        await until_asked(resources, added)
        process.kill()
    assert (await stored_job(resources, added)).status == "running"
    supadata.server.finish_jobs()
    async with at_work(resources):
        job = await until_over(resources, added)
    assert (job.status, job.attempt) == ("done", 2)
    assert supadata.server.asked[ID] == 1, "a transcript is paid for once"
    assert (await stored_video(resources, added)).status == "ready"
    assert await count(resources, Transcript) == 1
    assert await count(resources, Segment) == len(OCEAN)
    assert added.video_id is not None
    assert await resources.chunks.count(added.video_id) == await count(resources, Chunk)


async def test_a_worker_that_is_told_to_stop_puts_its_jobs_back(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    supadata.server.videos[ID] = SupadataVideo(CAPTIONS, polls=1000)
    [added] = await links(resources, user, ID)
    async with worker_process(resources) as process:
        await until_asked(resources, added)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            assert await process.wait() == 0
    assert (await stored_job(resources, added)).status == "queued"
    assert (await stored_video(resources, added)).status == "queued"
    supadata.server.finish_jobs()
    async with at_work(resources), asyncio.timeout(12):
        await until_over(resources, added)


async def test_a_worker_outlives_its_connections(resources: Resources, user: User) -> None:
    cut = text(
        "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    first = await file(resources, user, captions(OCEAN))
    async with at_work(resources):
        await until_over(resources, first)
        with psycopg.connect(resources.database_url, autocommit=True) as connection:
            connection.execute(str(cut))
        second = await file(resources, user, captions(BREAD))
        assert (await until_over(resources, second)).status == "done"


async def test_while_the_index_is_away_a_job_waits_and_says_so(
    resources: Resources, user: User
) -> None:
    away = ChunkIndex(
        url="http://127.0.0.1:9",
        api_key=None,
        embeddings=resources.embeddings,
        embedding_model=embedding_model_name(resources.settings),
        sessions=resources.sessions,
    )
    added = await file(resources, user, captions(OCEAN))
    assert added.job_id is not None
    with pytest.raises(TryAgain):
        await load(added.job_id, resources=replace(resources, chunks=away), providers=[])
    job = await stored_job(resources, added)
    assert job.failure is not None
    assert (job.status, job.failure["reason"]) == ("queued", "provider_down")
    assert "Qdrant" in job.failure["detail"]
    await load(added.job_id, resources=resources, providers=[])
    assert (await stored_video(resources, added)).status == "ready"
    await away.aclose()


async def test_two_workers_share_the_work_and_do_none_of_it_twice(
    resources: Resources, user: User
) -> None:
    added = [await file(resources, user, captions([f"Talk number {n}.", *OCEAN])) for n in range(6)]
    async with at_work(resources), at_work(resources):
        jobs = [await until_over(resources, one) for one in added]
    assert [(job.status, job.attempt) for job in jobs] == [("done", 1)] * 6
