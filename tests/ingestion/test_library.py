"""Taking videos out of a library, and building the index anew."""

import asyncio

import pytest
from pydantic import SecretStr

from ingestion import library
from ingestion.job import load
from talker.chunks import ChunkIndex
from talker.embeddings import embedding_model_name
from talker.errors import IndexUnavailable, VideoNotFound
from talker.models import Chunk, IngestionJob, LibraryEntry, Segment, User, Video
from talker.resources import Resources
from tests.ingestion.conftest import (
    AtSupadata,
    count,
    file,
    links,
    somebody_else,
    stored_video,
    until_step,
)
from tests.make import OCEAN, captions
from tests.supadata_server import SupadataVideo

ID = "dQw4w9WgXcQ"
TALK = SupadataVideo({"en": [(0, 5000, line) for line in OCEAN]})


async def test_ones_own_file_is_forgotten_altogether(resources: Resources, user: User) -> None:
    added = await file(resources, user, captions(OCEAN))
    assert added.job_id is not None
    assert added.video_id is not None
    await load(added.job_id, resources=resources, providers=[])
    async with resources.sessions.begin() as session:
        await library.remove(session, resources.chunks, user, added.video_id)
    for table in (Video, Chunk, Segment, IngestionJob, LibraryEntry):
        assert await count(resources, table) == 0
    assert await resources.chunks.count(added.video_id) == 0


async def test_a_shared_video_stays_for_the_others(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    supadata.server.videos[ID] = TALK
    [added] = await links(resources, user, ID)
    await links(resources, await somebody_else(resources), ID)
    assert added.job_id is not None
    assert added.video_id is not None
    await load(added.job_id, resources=resources, providers=[supadata.provider])
    async with resources.sessions.begin() as session:
        await library.remove(session, resources.chunks, user, added.video_id)
    assert (await stored_video(resources, added)).status == "ready"
    assert await count(resources, LibraryEntry) == 1
    assert await resources.chunks.count(added.video_id) > 0
    async with resources.sessions() as session:
        with pytest.raises(VideoNotFound):
            await library.find(session, user, added.video_id)


async def test_nobody_removes_a_video_of_somebody_else(resources: Resources, user: User) -> None:
    added = await file(resources, user, captions(OCEAN))
    assert added.video_id is not None
    other = await somebody_else(resources)
    async with resources.sessions() as session:
        with pytest.raises(VideoNotFound):
            await library.remove(session, resources.chunks, other, added.video_id)


async def test_nothing_is_removed_while_the_index_is_away(resources: Resources, user: User) -> None:
    added = await file(resources, user, captions(OCEAN))
    assert added.video_id is not None
    away = ChunkIndex(
        url="http://127.0.0.1:9",
        api_key=SecretStr("k"),
        embeddings=resources.embeddings,
        embedding_model=embedding_model_name(resources.settings),
        sessions=resources.sessions,
    )
    async with resources.sessions() as session:
        with pytest.raises(IndexUnavailable):
            await library.remove(session, away, user, added.video_id)
    assert (await stored_video(resources, added)).status == "queued"
    await away.aclose()


async def test_a_video_removed_while_it_is_loaded_leaves_no_points(
    resources: Resources, user: User
) -> None:
    added = await file(resources, user, captions(OCEAN * 100))
    assert added.job_id is not None
    assert added.video_id is not None
    loading = asyncio.create_task(load(added.job_id, resources=resources, providers=[]))
    await until_step(resources, added, "embed")
    async with resources.sessions.begin() as session:
        await library.remove(session, resources.chunks, user, added.video_id)
    await loading
    assert await resources.chunks.count(added.video_id) == 0
    assert await count(resources, Video) == 0


async def test_the_index_is_built_anew_from_the_database(resources: Resources, user: User) -> None:
    added = await file(resources, user, captions(OCEAN))
    assert added.job_id is not None
    assert added.video_id is not None
    await load(added.job_id, resources=resources, providers=[])
    before = await resources.chunks.count(added.video_id)
    await resources.chunks.delete(added.video_id)
    assert await library.reindex(resources) == 1
    assert await resources.chunks.count(added.video_id) == before
