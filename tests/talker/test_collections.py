import asyncio
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from ingestion import library
from talker import collections
from talker.errors import CollectionNameTaken, CollectionNotFound
from talker.models import Collection, CollectionVideo, Conversation, ListKind, User
from talker.resources import Resources
from tests import make
from tests.ingestion.conftest import somebody_else


async def of_source(
    resources: Resources,
    user: User,
    name: str | None,
    source_id: str | None = "PL1",
    kind: ListKind | None = "playlist",
    language: str | None = None,
) -> Collection:
    async with resources.sessions.begin() as session:
        return await collections.collection_for(
            session, user, name=name, kind=kind, source_id=source_id, language=language
        )


async def by_name(resources: Resources, user: User, name: str) -> Collection:
    return await of_source(resources, user, name, None, None)


async def put(resources: Resources, collection: Collection, *video_ids: UUID) -> None:
    async with resources.sessions.begin() as session:
        await collections.put_videos(session, collection, video_ids)


async def videos_in(resources: Resources, user: User, collection: Collection) -> list[UUID]:
    async with resources.sessions() as session:
        return await collections.videos_in(session, user, collection.id)


async def test_a_playlist_has_one_collection_whatever_it_is_called(
    resources: Resources, user: User
) -> None:
    first = await of_source(resources, user, "Physics", language="pl")
    async with resources.sessions.begin() as session:
        mine = await collections.find(session, user, first.id)
        await collections.rename(session, mine, "Mine")
    again = await of_source(resources, user, "Physics")
    assert (again.id, again.name, again.language) == (first.id, "Mine", "pl")
    assert (again.source_kind, again.source_id) == ("playlist", "PL1")
    assert (await of_source(resources, user, "Physics", language="de")).language == "de"


async def test_a_name_that_is_taken_gets_a_number(resources: Resources, user: User) -> None:
    made = [await of_source(resources, user, "Talks", f"PL{n}") for n in range(3)]
    assert [one.name for one in made] == ["Talks", "Talks (2)", "Talks (3)"]
    channel = await of_source(resources, user, None, "@somebody", "channel")
    assert channel.name == "@somebody"


async def test_without_a_source_the_name_finds_the_collection(
    resources: Resources, user: User
) -> None:
    playlist = await of_source(resources, user, "Talks")
    assert (await by_name(resources, user, " Talks ")).id == playlist.id
    long = await by_name(resources, user, "x" * 300)
    assert (await by_name(resources, user, "x" * 300)).id == long.id


async def test_people_have_collections_of_their_own(resources: Resources, user: User) -> None:
    other = await somebody_else(resources)
    theirs, mine = (
        await of_source(resources, other, "Talks"),
        await of_source(resources, user, "Talks"),
    )
    assert theirs.id != mine.id
    assert theirs.name == mine.name
    async with resources.sessions() as session:
        for of in (collections.find, collections.videos_in, collections.remove):
            with pytest.raises(CollectionNotFound):
                await of(session, user, theirs.id)


async def test_two_that_make_the_same_collection_make_one(resources: Resources, user: User) -> None:
    same = await asyncio.gather(*(of_source(resources, user, "Talks") for _ in range(8)))
    assert len({one.id for one in same}) == 1
    named = await asyncio.gather(*(of_source(resources, user, "A", f"PL{n}") for n in range(2, 8)))
    assert {one.name for one in named} == {"A", *(f"A ({n})" for n in range(2, 7))}


async def test_a_name_is_given_once(resources: Resources, user: User) -> None:
    async with resources.sessions.begin() as session:
        await collections.create(session, user, "A")
        second = await collections.create(session, user, "B")
        with pytest.raises(CollectionNameTaken):
            await collections.create(session, user, "A")
        with pytest.raises(CollectionNameTaken):
            await collections.rename(session, second, "A")


async def test_videos_are_appended_in_order_and_once(resources: Resources, user: User) -> None:
    a, b, c, d = [await make.video(resources, user) for _ in range(4)]
    collection = await by_name(resources, user, "Talks")
    await put(resources, collection, c, a, c)
    await put(resources, collection, d, a, b)
    assert await videos_in(resources, user, collection) == [c, a, d, b]


async def test_two_that_put_videos_in_at_once_put_each_in_once(
    resources: Resources, user: User
) -> None:
    videos = [await make.video(resources, user) for _ in range(12)]
    collection = await by_name(resources, user, "Talks")
    await asyncio.gather(*(put(resources, collection, *videos[n : n + 6]) for n in range(7)))
    assert sorted(await videos_in(resources, user, collection)) == sorted(videos)
    async with resources.sessions() as session:
        positions = list(await session.scalars(select(CollectionVideo.position)))
    assert sorted(positions) == list(range(12))


async def test_only_videos_of_the_persons_library_are_in_it(
    resources: Resources, user: User
) -> None:
    mine = await make.video(resources, user)
    theirs = await make.video(resources, await somebody_else(resources))
    collection = await by_name(resources, user, "Talks")
    await put(resources, collection, theirs, uuid4(), mine)
    assert await videos_in(resources, user, collection) == [mine]


async def test_a_collection_deleted_meanwhile_takes_nothing(
    resources: Resources, user: User
) -> None:
    collection = await by_name(resources, user, "Talks")
    async with resources.sessions.begin() as session:
        await collections.remove(session, user, collection.id)
    with pytest.raises(CollectionNotFound):
        await put(resources, collection, await make.video(resources, user))


async def test_a_video_that_leaves_the_library_leaves_the_persons_collections(
    resources: Resources, user: User
) -> None:
    other = await somebody_else(resources)
    video = await make.video(resources, user)
    async with resources.sessions.begin() as session:
        await collections.take_out_of_all(session, other, video)
    mine, theirs = await by_name(resources, user, "A"), await by_name(resources, other, "A")
    await put(resources, mine, video)
    await make.entry(resources, other, video)
    await put(resources, theirs, video)
    async with resources.sessions.begin() as session:
        await library.remove(session, resources.chunks, user, video)
    assert await videos_in(resources, other, theirs) == [video]
    async with resources.sessions() as session:
        assert list(await session.scalars(select(CollectionVideo.collection_id))) == [theirs.id]


async def test_conversations_outlive_their_collection(resources: Resources, user: User) -> None:
    a, b = [await make.video(resources, user) for _ in range(2)]
    full, empty = await by_name(resources, user, "Full"), await by_name(resources, user, "Empty")
    await put(resources, full, b, a)
    async with resources.sessions.begin() as session:
        talks = [
            Conversation(user_id=user.id, title=one.name, collection_id=one.id)
            for one in (full, empty)
        ]
        session.add_all(talks)
    for one in (full, empty):
        async with resources.sessions.begin() as session:
            await collections.remove(session, user, one.id)
    async with resources.sessions() as session:
        stored = [await session.get_one(Conversation, talk.id) for talk in talks]
    assert [talk.collection_id for talk in stored] == [None, None]
    assert [talk.video_ids for talk in stored] == [[b, a], []]
