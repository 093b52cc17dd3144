"""The index built anew while others search and load, and by processes that are killed."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from sqlalchemy import select, text

from ingestion import library
from ingestion.failures import TryAgain
from ingestion.job import load
from ingestion.wishes import Added
from talker.models import Chunk, SearchIndex, User, Video
from talker.points import IndexedChunk
from talker.resources import Resources
from talker.search_indexes import hold_switch
from tests.forks import Program, start
from tests.ingestion.conftest import count, environment, file, stored_video
from tests.ingestion.test_command_line import ingest
from tests.make import BREAD, OCEAN, captions
from tests.talker.test_chunks import collections


async def loaded(resources: Resources, user: User, lines: list[str]) -> UUID:
    added = await file(resources, user, captions(lines))
    assert added.job_id is not None
    assert added.video_id is not None
    await load(added.job_id, resources=resources, providers=[])
    return added.video_id


async def run(resources: Resources, added: Added) -> None:
    assert added.job_id is not None
    await load(added.job_id, resources=resources, providers=[])


async def indexes(resources: Resources) -> set[str]:
    async with resources.sessions() as session:
        return set(await session.scalars(select(SearchIndex.name)))


async def until_another_index(resources: Resources, known: set[str]) -> None:
    async with asyncio.timeout(60):
        while await indexes(resources) <= known:
            await asyncio.sleep(0.01)


async def until_one_waits_for_a_lock(resources: Resources) -> None:
    query = text(
        "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database"
        " WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()"
    )
    async with asyncio.timeout(30):
        while True:
            async with resources.sessions() as session:
                if await session.scalar(query):
                    return
            await asyncio.sleep(0.02)


@asynccontextmanager
async def reindexing(resources: Resources) -> AsyncIterator[Program]:
    """`ingest reindex`, once it has begun to build."""
    known = await indexes(resources)
    process = await start(
        "ingest",
        "reindex",
        "--json",
        env=environment(resources),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        await until_another_index(resources, known)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_searches_and_loading_go_on_while_another_process_reindexes(
    resources: Resources, user: User
) -> None:
    ocean = await loaded(resources, user, OCEAN)
    removed = await loaded(resources, user, BREAD * 2)
    for number in range(6):
        await loaded(resources, user, [f"Part {number}.", *OCEAN * 4])
    expected = await resources.chunks.count(ocean)
    searches = 0
    async with reindexing(resources) as process:
        late = await file(resources, user, captions(BREAD))
        await run(resources, late)
        async with resources.sessions.begin() as session:
            await library.remove(session, resources.chunks, user, removed)
        while process.returncode is None:
            found = await resources.chunks.candidates("why does it glow", [ocean])
            assert len(found) == expected
            searches += 1
        assert process.stdout is not None
        out = (await process.stdout.read()).decode()
    assert process.returncode == 0
    assert json.loads(out.splitlines()[-1]) == {"event": "totals", "videos": 8}
    assert searches > 3
    assert late.video_id is not None
    assert await resources.chunks.count(removed) == 0
    assert await resources.chunks.count(late.video_id) > 0
    total = 0
    async with resources.sessions() as session:
        for video_id in await session.scalars(select(Video.id)):
            total += await resources.chunks.count(video_id)
    assert total == await count(resources, Chunk)


async def test_a_killed_reindex_leaves_the_old_index_and_the_next_clears_up(
    resources: Resources, user: User
) -> None:
    videos = [await loaded(resources, user, [f"Part {n}.", *OCEAN * 2]) for n in range(6)]
    before = await collections(resources.settings) - await indexes(resources)
    for _ in range(2):
        async with reindexing(resources) as process:
            async with asyncio.timeout(60):
                while len(await collections(resources.settings) - before) < 2:
                    await asyncio.sleep(0.01)
            process.kill()
            await process.wait()
        assert len(await indexes(resources)) == 2
        found = await resources.chunks.candidates("why does it glow", videos)
        assert found
    code, out, err = await ingest(resources, "reindex")
    assert (code, err) == (0, "")
    assert out.splitlines()[-2:] == ["indexed 6 of 6 videos", "6 videos indexed"]
    [current] = await indexes(resources)
    added = await collections(resources.settings) - before
    assert added == {current}
    for video_id in videos:
        assert await resources.chunks.count(video_id) > 0


async def test_a_second_reindex_says_that_there_is_one(resources: Resources, user: User) -> None:
    await loaded(resources, user, OCEAN)
    async with resources.sessions.begin() as session:
        await hold_switch(session)
        async with reindexing(resources) as process:
            code, _, err = await ingest(resources, "reindex")
            assert (code, err.count("Another reindex is under way")) == (1, 1)
            process.kill()


class NothingYet:
    """The database as it was before a video was loaded.

    At the second look, for which nothing becomes ready, it waits until somebody waits for that.
    """

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._looks = 0
        self.last_look = asyncio.Event()

    async def marks(self) -> dict[UUID, str]:
        self._looks += 1
        if self._looks == 2:
            self.last_look.set()
            await until_one_waits_for_a_lock(self._resources)
        return {}

    async def chunks(self, video_id: UUID) -> list[IndexedChunk]:
        raise LookupError(video_id)


async def test_a_video_is_only_ready_when_the_index_in_use_has_it(
    resources: Resources, user: User
) -> None:
    await resources.chunks.ready()
    added = await file(resources, user, captions(OCEAN))
    assert added.video_id is not None
    nothing = NothingYet(resources)
    rebuilding = asyncio.create_task(resources.chunks.rebuild(nothing))
    async with asyncio.timeout(30):
        await nothing.last_look.wait()
    with pytest.raises(TryAgain):
        await run(resources, added)
    assert await rebuilding == 0
    assert (await stored_video(resources, added)).status == "queued"
    await run(resources, added)
    assert (await stored_video(resources, added)).status == "ready"
    assert await resources.chunks.count(added.video_id) == await count(resources, Chunk) > 0
