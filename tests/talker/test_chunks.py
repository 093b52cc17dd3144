import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr
from qdrant_client import AsyncQdrantClient
from sqlalchemy import select

from talker.chunks import ChunkIndex
from talker.embeddings import LOCAL_MODEL
from talker.errors import IndexIncomplete, IndexMismatch, IndexUnavailable, ReindexRunning
from talker.models import SearchIndex
from talker.points import Candidate, IndexedChunk
from talker.resources import Resources, open_resources
from talker.search_indexes import hold_switch
from talker.settings import Settings
from tests.make import BREAD, OCEAN
from tests.model_server import DIMENSIONS, Failure, ModelServer
from tests.relay import relay_to


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


async def collections(settings: Settings) -> set[str]:
    """The names of Qdrant's."""
    key = settings.qdrant_api_key
    client = AsyncQdrantClient(
        settings.qdrant_url,
        metadata={"api-key": key.get_secret_value()} if key else {},
        check_compatibility=False,
    )
    found = await client.get_collections()
    await client.close()
    return {collection.name for collection in found.collections}


async def test_a_chunk_is_found_by_meaning_and_by_its_words(resources: Resources) -> None:
    ocean = chunks_of(uuid4(), OCEAN)
    await resources.chunks.write(ocean)
    found = await resources.chunks.candidates("why does the anglerfish glow", {ocean[0].video_id})
    assert best(found, "dense") == ocean[1]
    assert best(found, "sparse") == ocean[1]
    assert all(candidate.dense is not None for candidate in found)
    by_words = [candidate for candidate in found if candidate.sparse is not None]
    assert [candidate.chunk for candidate in by_words] == [ocean[1]]


async def test_a_person_waits_for_no_batch_that_is_written(resources: Resources) -> None:
    await resources.chunks.write(chunks_of(uuid4(), OCEAN[:1]))  # makes the index
    batch = [
        asyncio.create_task(resources.chunks.write(chunks_of(uuid4(), ["Light."] * 16)))
        for _ in range(40)
    ]
    await asyncio.sleep(1)
    await resources.chunks.write(chunks_of(uuid4(), OCEAN[:1]), urgent=True)
    assert sum(one.done() for one in batch) < len(batch) / 2
    await asyncio.gather(*batch)


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


class Stored:
    """What a database holds, in memory; `on_read` is called before a video's chunks are read."""

    def __init__(self, *videos: Sequence[IndexedChunk]) -> None:
        self.videos = {chunks[0].video_id: chunks for chunks in videos}
        self.on_read: Callable[[], Awaitable[None]] | None = None

    async def marks(self) -> dict[UUID, str]:
        return {
            video_id: " ".join(str(chunk.id) for chunk in chunks)
            for video_id, chunks in self.videos.items()
        }

    async def chunks(self, video_id: UUID) -> Sequence[IndexedChunk]:
        if self.on_read is not None:
            await self.on_read()
        return self.videos.get(video_id, [])


async def test_a_rebuilt_index_is_met_by_every_process_at_once(
    resources: Resources, settings: Settings
) -> None:
    ocean = chunks_of(uuid4(), OCEAN)
    await resources.chunks.write(ocean)
    other = opened(settings, resources, model="another")
    progress: list[tuple[int, int]] = []
    assert await other.rebuild(Stored(ocean), lambda *done: progress.append(done)) == 1
    assert progress == [(1, 1)]
    assert await other.count(ocean[0].video_id) == len(ocean)
    with pytest.raises(IndexMismatch):
        await resources.chunks.count(ocean[0].video_id)
    async with resources.sessions() as session:
        [row] = (await session.scalars(select(SearchIndex))).all()
    assert (row.embedding_model, row.dimensions) == ("another", 384)
    assert row.name in await collections(settings)
    await other.aclose()


async def test_a_rebuild_follows_what_is_loaded_changed_and_removed_meanwhile(
    resources: Resources,
) -> None:
    kept, changed, removed, late = (chunks_of(uuid4(), OCEAN) for _ in range(4))
    stored = Stored(kept, changed, removed)
    again = [*changed[:3], *chunks_of(changed[0].video_id, BREAD)]

    async def meanwhile() -> None:
        stored.on_read = None
        stored.videos[late[0].video_id] = late
        stored.videos[changed[0].video_id] = again

    def remove_when_written(done: int, of: int) -> None:
        if done == of == 3:
            stored.videos.pop(removed[0].video_id, None)

    stored.on_read = meanwhile
    assert await resources.chunks.rebuild(stored, remove_when_written) == 3
    for chunks, held in ((kept, 8), (changed, 9), (late, 8), (removed, 0)):
        assert await resources.chunks.count(chunks[0].video_id) == held
    found = await resources.chunks.candidates("how hot is the oven", {changed[0].video_id})
    assert {candidate.chunk.id for candidate in found} == {chunk.id for chunk in again}


async def test_searches_go_on_while_the_index_is_rebuilt(
    resources: Resources, settings: Settings
) -> None:
    ocean = chunks_of(uuid4(), OCEAN)
    await resources.chunks.write(ocean)
    elsewhere = opened(settings, resources)
    over = asyncio.Event()

    async def search() -> int:
        searches = 0
        while not over.is_set():
            found = await elsewhere.candidates("why does it glow", {ocean[0].video_id})
            assert len(found) == len(ocean)
            assert await elsewhere.count(ocean[0].video_id) == len(ocean)
            searches += 1
        return searches

    searching = [asyncio.create_task(search()) for _ in range(2)]
    for _ in range(3):
        assert await resources.chunks.rebuild(Stored(ocean)) == 1
    over.set()
    assert all(count > 2 for count in await asyncio.gather(*searching))
    await elsewhere.aclose()


async def test_a_search_whose_index_is_dropped_under_it_goes_to_the_new_one(
    resources: Resources, settings: Settings
) -> None:
    ocean = chunks_of(uuid4(), OCEAN)
    await resources.chunks.write(ocean)
    async with relay_to(int(settings.qdrant_url.rpartition(":")[2])) as relay:
        far = opened(settings, resources, url=f"http://127.0.0.1:{relay.port}")
        await far.ready()
        relay.flowing.clear()
        searching = asyncio.create_task(far.candidates("a lamp", {ocean[0].video_id}))
        async with asyncio.timeout(30):
            while not relay.waiting:
                await asyncio.sleep(0.01)
        assert await resources.chunks.rebuild(Stored(ocean)) == 1
        relay.flowing.set()
        assert len(await searching) == len(ocean)
        await far.aclose()


async def test_one_index_is_built_at_a_time(resources: Resources, settings: Settings) -> None:
    ocean = chunks_of(uuid4(), OCEAN)
    other = opened(settings, resources)
    stored = Stored(ocean)

    async def another() -> None:
        with pytest.raises(ReindexRunning, match="Another reindex is under way"):
            await other.rebuild(Stored(ocean))

    stored.on_read = another
    assert await resources.chunks.rebuild(stored) == 1
    assert await other.rebuild(Stored(ocean)) == 1
    await other.aclose()


async def test_an_index_that_does_not_hold_all_is_not_switched_to(resources: Resources) -> None:
    ocean = chunks_of(uuid4(), OCEAN)
    await resources.chunks.write(ocean)
    twice = [*chunks_of(uuid4(), BREAD), *ocean[:1]]
    twice = [replace(chunk, id=twice[0].id, video_id=twice[0].video_id) for chunk in twice]
    with pytest.raises(IndexIncomplete, match="holds 1 of the 7 chunks"):
        await resources.chunks.rebuild(Stored(twice))
    assert await resources.chunks.count(ocean[0].video_id) == len(ocean)


async def test_what_a_failed_rebuild_leaves_is_cleared_by_the_next(
    resources: Resources, settings: Settings
) -> None:
    ocean = chunks_of(uuid4(), OCEAN)
    stored = Stored(ocean)
    before = await collections(settings)

    async def fail() -> None:
        raise IndexUnavailable

    stored.on_read = fail
    for _ in range(2):
        with pytest.raises(IndexUnavailable):
            await resources.chunks.rebuild(stored)
    assert len(await collections(settings) - before) == 1
    stored.on_read = None
    assert await resources.chunks.rebuild(stored) == 1
    async with resources.sessions() as session:
        [row] = (await session.scalars(select(SearchIndex))).all()
    assert await collections(settings) - before == {row.name}


async def test_no_switch_comes_between_a_count_and_what_follows_from_it(
    resources: Resources,
) -> None:
    ocean, late = chunks_of(uuid4(), OCEAN), chunks_of(uuid4(), BREAD)
    stored = Stored(ocean)
    await resources.chunks.write([*ocean, *late])
    async with resources.sessions.begin() as session:
        await hold_switch(session)
        rebuilding = asyncio.create_task(resources.chunks.rebuild(stored))
        await asyncio.sleep(1)
        assert not rebuilding.done()
        assert await resources.chunks.count(late[0].video_id) == len(late)
        stored.videos[late[0].video_id] = late
    assert await rebuilding == 2
    assert await resources.chunks.count(late[0].video_id) == len(late)


async def test_another_model_s_index_is_built_beside_the_one_in_use(
    make_settings: Callable[..., Settings],
    resources: Resources,
    model_server: tuple[ModelServer, str],
) -> None:
    ocean = chunks_of(uuid4(), OCEAN)
    await resources.chunks.write(ocean)
    stored = Stored(ocean)
    remote = make_settings(
        openrouter_base_url=model_server[1], embedding_model="test/embedding-small"
    )

    async def still_searched() -> None:
        found = await resources.chunks.candidates("why does it glow", {ocean[0].video_id})
        assert len(found) == len(ocean)

    stored.on_read = still_searched
    async with open_resources(remote) as with_remote:
        assert await with_remote.chunks.rebuild(stored) == 1
        found = await with_remote.chunks.candidates("why does it glow", {ocean[0].video_id})
        assert len(found) == len(ocean)
    async with resources.sessions() as session:
        [row] = (await session.scalars(select(SearchIndex))).all()
    assert row.dimensions == DIMENSIONS


async def test_a_question_that_could_not_be_embedded_ahead_is_embedded_when_it_is_asked(
    make_settings: Callable[..., Settings], model_server: tuple[ModelServer, str]
) -> None:
    server, url = model_server
    remote = make_settings(openrouter_base_url=url, embedding_model="test/embedding-small")
    async with open_resources(remote) as resources:
        ocean = chunks_of(uuid4(), OCEAN)
        await resources.chunks.write(ocean)
        server.script.append(Failure(401))
        asked = len(server.requests)
        resources.chunks.expect("why does it glow")
        async with asyncio.timeout(10):
            while len(server.requests) == asked:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        server.script.clear()
        found = await resources.chunks.candidates("why does it glow", {ocean[0].video_id})
        assert len(found) == len(ocean)


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
