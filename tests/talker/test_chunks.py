import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from talker.chunks import ChunkIndex
from talker.embeddings import LOCAL_MODEL
from talker.errors import IndexMismatch, IndexUnavailable
from talker.models import SearchIndex
from talker.points import Candidate, IndexedChunk
from talker.resources import Resources
from talker.settings import Settings
from tests.make import BREAD, OCEAN


def chunks_of(video_id: UUID, lines: Sequence[str], language: str = "en") -> list[IndexedChunk]:
    return [
        IndexedChunk(uuid4(), video_id, n, language, n * 6000, (n + 1) * 6000, line)
        for n, line in enumerate(lines)
    ]


def best(found: Sequence[Candidate], key: str) -> IndexedChunk:
    return max(found, key=lambda candidate: getattr(candidate, key) or 0).chunk


def opened(
    settings: Settings, resources: Resources, *, model: str = LOCAL_MODEL, url: str | None = None
) -> ChunkIndex:
    """The index as another process would open it."""
    return ChunkIndex(
        url=url or settings.qdrant_url,
        api_key=settings.qdrant_api_key,
        embeddings=resources.embeddings,
        embedding_model=model,
        sessions=resources.sessions,
    )


async def test_a_chunk_is_found_by_meaning_and_by_its_words(resources: Resources) -> None:
    ocean = chunks_of(uuid4(), OCEAN)
    await resources.chunks.write(ocean)
    found = await resources.chunks.candidates("why does the anglerfish glow", {ocean[0].video_id})
    assert best(found, "dense") == ocean[1]
    assert best(found, "sparse") == ocean[1]
    assert all(candidate.dense is not None for candidate in found)
    by_words = [candidate for candidate in found if candidate.sparse is not None]
    assert [candidate.chunk for candidate in by_words] == [ocean[1]]


async def test_a_chunk_found_by_its_words_alone_has_its_cosine_too(resources: Resources) -> None:
    ocean = chunks_of(uuid4(), OCEAN)
    await resources.chunks.write(ocean)
    found = await resources.chunks.candidates(
        "what do whales eat, and titanium?", {ocean[0].video_id}, dense=1
    )
    titanium = next(one for one in found if one.chunk == ocean[6])
    assert titanium.sparse is not None
    assert titanium.dense is not None


async def test_videos_that_were_not_named_are_never_looked_at(resources: Resources) -> None:
    ocean, bread = chunks_of(uuid4(), OCEAN), chunks_of(uuid4(), BREAD)
    await resources.chunks.write([*ocean, *bread])
    found = await resources.chunks.candidates("how hot is the oven", {ocean[0].video_id})
    assert {candidate.chunk.video_id for candidate in found} == {ocean[0].video_id}
    assert await resources.chunks.candidates("how hot is the oven", set()) == []
    assert await resources.chunks.candidates("how hot is the oven", {uuid4()}) == []


async def test_writing_again_changes_nothing(resources: Resources) -> None:
    ocean = chunks_of(uuid4(), OCEAN)
    progress: list[int] = []
    await resources.chunks.write(ocean, progress.append)
    await resources.chunks.write(ocean)
    assert await resources.chunks.count(ocean[0].video_id) == len(ocean)
    assert progress[-1] == len(ocean)


async def test_a_video_s_chunks_go_except_those_kept(resources: Resources) -> None:
    ocean, bread = chunks_of(uuid4(), OCEAN), chunks_of(uuid4(), BREAD)
    await resources.chunks.write([*ocean, *bread])
    await resources.chunks.delete(ocean[0].video_id, keep={ocean[0].id, ocean[1].id})
    assert await resources.chunks.count(ocean[0].video_id) == 2
    await resources.chunks.delete(ocean[0].video_id)
    assert await resources.chunks.count(ocean[0].video_id) == 0
    assert await resources.chunks.count(bread[0].video_id) == len(bread)


async def test_processes_that_start_at_once_make_one_index(
    resources: Resources, settings: Settings
) -> None:
    indexes = [opened(settings, resources) for _ in range(4)]
    ocean = [chunks_of(uuid4(), OCEAN[:2]) for _ in indexes]
    await asyncio.gather(*(i.write(some) for i, some in zip(indexes, ocean, strict=True)))
    for some in ocean:
        assert await resources.chunks.count(some[0].video_id) == 2
    async with resources.sessions() as session:
        assert len((await session.scalars(select(SearchIndex))).all()) == 1
    for index in indexes:
        await index.aclose()


async def test_two_models_never_share_an_index(resources: Resources, settings: Settings) -> None:
    await resources.chunks.ready()
    other = opened(settings, resources, model="another")
    with pytest.raises(IndexMismatch, match=r"ingest reindex"):
        await other.count(uuid4())
    await other.aclose()


async def test_a_rebuilt_index_is_met_by_every_process_at_once(
    resources: Resources, settings: Settings
) -> None:
    ocean, late = chunks_of(uuid4(), OCEAN), chunks_of(uuid4(), BREAD)
    await resources.chunks.write(ocean)
    other = opened(settings, resources, model="another")
    passes = 0

    async def videos() -> AsyncIterator[list[IndexedChunk]]:
        nonlocal passes
        passes += 1
        yield ocean
        if passes == 2:  # loaded while the first pass ran
            yield late

    await other.rebuild(videos)
    assert await other.count(ocean[0].video_id) == len(ocean)
    assert await other.count(late[0].video_id) == len(late)
    with pytest.raises(IndexMismatch):
        await resources.chunks.count(ocean[0].video_id)
    async with resources.sessions() as session:
        [row] = (await session.scalars(select(SearchIndex))).all()
    assert (row.embedding_model, row.dimensions) == ("another", 384)
    await other.aclose()


@pytest.mark.parametrize("secret", [None, SecretStr("wrong")])
async def test_an_index_that_does_not_let_us_in_is_unavailable(
    resources: Resources, settings: Settings, secret: SecretStr | None
) -> None:
    index = ChunkIndex(
        url=settings.qdrant_url,
        api_key=secret,
        embeddings=resources.embeddings,
        embedding_model=LOCAL_MODEL,
        sessions=resources.sessions,
    )
    with pytest.raises(IndexUnavailable):
        await index.ready()
    await index.aclose()


async def test_an_index_that_is_away_is_unavailable_and_opens_all_the_same(
    resources: Resources, settings: Settings
) -> None:
    index = opened(settings, resources, url="http://127.0.0.1:9")
    with pytest.raises(IndexUnavailable):
        await index.ready()
    with pytest.raises(IndexUnavailable):
        await index.candidates("a question", {uuid4()})
    await index.aclose()
