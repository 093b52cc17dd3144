"""Jobs that are paused, resumed, cancelled and tried again, one by one or all together."""

import asyncio
from collections.abc import Awaitable, Callable, Collection

from sqlalchemy import select, text, update

from ingestion import jobs
from ingestion.wishes import Added
from talker.models import IngestionJob, Segment, User
from talker.resources import Resources
from tests.ingestion.conftest import (
    AtSupadata,
    at_work,
    count,
    links,
    stored_job,
    stored_video,
    until_over,
)
from tests.make import OCEAN
from tests.supadata_server import SupadataVideo

ID, OTHER = "dQw4w9WgXcQ", "aircAruvnKk"
WORDS = {"en": [(number * 6000, 6000, line) for number, line in enumerate(OCEAN)]}

SOMEBODY_WAITS = text(
    "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
    " WHERE NOT granted AND datname = current_database()"
)

Change = Callable[..., Awaitable[list[IngestionJob]]]


async def steer(resources: Resources, change: Change, added: Collection[Added]) -> int:
    """How many of the jobs a change took hold of."""
    ids = [one.job_id for one in added]
    async with resources.sessions.begin() as session:
        found = await session.scalars(select(IngestionJob).where(IngestionJob.id.in_(ids)))
        return len(await change(session, found.all()))


async def running(resources: Resources, added: Added) -> None:
    async with asyncio.timeout(30):
        while (await stored_job(resources, added)).service_job is None:
            await asyncio.sleep(0.02)


async def test_a_paused_job_is_not_begun_until_it_is_resumed(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    for name in (ID, OTHER):
        supadata.server.videos[name] = SupadataVideo(WORDS)
    [paused] = await links(resources, user, ID)
    assert await steer(resources, jobs.pause, [paused]) == 1
    [other] = await links(resources, user, OTHER)
    async with at_work(resources):
        await until_over(resources, other)
        assert (await stored_job(resources, paused)).status == "paused"
        assert supadata.server.asked[ID] == 0
        assert await steer(resources, jobs.resume, [paused]) == 1
        assert (await until_over(resources, paused)).status == "done"


async def test_a_running_job_is_let_go_of_at_once_and_nothing_is_paid_twice(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    supadata.server.videos[ID] = SupadataVideo(WORDS, polls=10_000)
    [added] = await links(resources, user, ID)
    async with at_work(resources):
        await running(resources, added)
        assert await steer(resources, jobs.pause, [added]) == 1
        polled = len(supadata.server.requests)
        await asyncio.sleep(3)
        assert len(supadata.server.requests) <= polled + 2
        assert (await stored_video(resources, added)).status == "queued"
        supadata.server.finish_jobs()
        assert await steer(resources, jobs.resume, [added]) == 1
        assert (await until_over(resources, added)).status == "done"
    assert supadata.server.asked[ID] == 1
    assert await count(resources, Segment) == len(OCEAN)


async def test_a_cancelled_job_says_so_and_can_be_taken_up_again(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    supadata.server.videos[ID] = SupadataVideo(WORDS, polls=10_000)
    [added] = await links(resources, user, ID)
    async with at_work(resources):
        await running(resources, added)
        assert await steer(resources, jobs.cancel, [added]) == 1
        video = await stored_video(resources, added)
        assert video.failure is not None
        assert (video.status, video.failure["reason"]) == ("failed", "cancelled")
        await asyncio.sleep(2)
        assert (await stored_job(resources, added)).status == "cancelled"
        supadata.server.finish_jobs()
        assert await steer(resources, jobs.retry, [added]) == 1
        assert (await until_over(resources, added)).status == "done"
    assert (await stored_video(resources, added)).failure is None


async def test_a_change_is_later_than_whatever_a_worker_writes_before_it(
    resources: Resources, user: User
) -> None:
    [added] = await links(resources, user, ID)
    async with resources.sessions.begin() as session:
        await session.get(IngestionJob, added.job_id, with_for_update=True)
        cancelling = asyncio.create_task(steer(resources, jobs.cancel, [added]))
        async with asyncio.timeout(30):
            while not await session.scalar(SOMEBODY_WAITS):
                await asyncio.sleep(0.02)
        job = IngestionJob.id == added.job_id
        written = update(IngestionJob).where(job).values(progress=0.1)
        written_at = await session.scalar(written.returning(IngestionJob.updated_at))
    assert await cancelling == 1
    cancelled = await stored_job(resources, added)
    assert written_at is not None
    assert (cancelled.status, cancelled.updated_at > written_at) == ("cancelled", True)


async def test_adding_a_cancelled_or_paused_video_takes_it_up_again(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    for name in (ID, OTHER):
        supadata.server.videos[name] = SupadataVideo(WORDS)
    added = await links(resources, user, ID, OTHER)
    await steer(resources, jobs.cancel, added[:1])
    await steer(resources, jobs.pause, added[1:])
    again = await links(resources, user, ID, OTHER)
    assert [one.status for one in again] == ["queued", "queued"]
    assert [one.job_id for one in again] == [one.job_id for one in added]


async def test_what_is_over_is_neither_paused_nor_cancelled_nor_tried_again(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    supadata.server.videos[ID] = SupadataVideo(WORDS)
    [added] = await links(resources, user, ID)
    async with at_work(resources):
        await until_over(resources, added)
    for change in (jobs.pause, jobs.resume, jobs.cancel, jobs.retry):
        assert await steer(resources, change, [added]) == 0
    assert (await stored_video(resources, added)).status == "ready"


async def test_a_video_that_a_person_waits_for_goes_before_a_batch(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    batch = [f"batch{number:06}" for number in range(12)]
    for name in (*batch, ID):
        supadata.server.videos[name] = SupadataVideo(WORDS)
    await links(resources, user, *batch)
    [mine] = await links(resources, user, ID)
    [hurried] = await links(resources, user, batch[-1])
    assert (await stored_job(resources, hurried)).priority == jobs.PERSONAL
    async with at_work(resources):
        await until_over(resources, mine)
        await until_over(resources, hurried)
    order = [
        query["url"].rpartition("=")[2]
        for path, query in supadata.server.requests
        if path == "/v1/transcript"
    ]
    # Hands that were free at the start may have taken one of the batch each.
    assert order.index(ID) < 10
    assert order.index(batch[-1]) < 10
