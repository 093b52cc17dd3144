from uuid import UUID, uuid4

from sqlalchemy import delete

from agent.search import Passage, Search
from ingestion.add import add_file
from ingestion.job import load
from talker.models import Chunk, User
from talker.resources import Resources
from tests.make import BREAD, OCEAN, captions


async def loaded(resources: Resources, user: User, content: bytes) -> UUID:
    async with resources.sessions.begin() as session:
        added = await add_file(session, user, "talk.json", content, max_hours=12)
    assert added.job_id is not None
    assert added.video_id is not None
    await load(added.job_id, resources=resources, providers=[])
    return added.video_id


def search(resources: Resources) -> Search:
    return Search(resources.chunks, resources.sessions)


def words(passage: Passage) -> str:
    return " ".join(sentence.text for sentence in passage.sentences)


async def test_the_passage_that_answers_is_first_and_plays_its_words(
    resources: Resources, user: User
) -> None:
    ocean = await loaded(resources, user, captions(OCEAN))
    bread = await loaded(resources, user, captions(BREAD))
    found = await search(resources).passages("how hot must the iron pot be?", {ocean, bread})
    assert found[0].video_id == bread
    assert "two hundred and fifty degrees" in found[0].text
    assert words(found[0]) == found[0].text
    baked = next(one for one in found[0].sentences if one.text == BREAD[4])
    assert (baked.start_ms, baked.end_ms) == (24_000, 30_000)
    assert found[0].start_ms <= found[0].shown.start_ms < found[0].shown.end_ms <= found[0].end_ms


async def test_nothing_is_found_outside_the_videos_that_may_be_read(
    resources: Resources, user: User
) -> None:
    ocean = await loaded(resources, user, captions(OCEAN))
    await loaded(resources, user, captions(BREAD))
    found = await search(resources).passages("how hot is the oven for the loaf?", {ocean})
    assert {passage.video_id for passage in found} == {ocean}
    assert await search(resources).passages("how hot is the oven?", set()) == []
    assert await search(resources).passages("how hot is the oven?", {uuid4()}) == []


async def test_a_follow_up_is_found_by_the_turn_before_it(resources: Resources, user: User) -> None:
    videos = {
        await loaded(resources, user, captions([line])) for line in (OCEAN[1], BREAD[2], OCEAN[4])
    }
    [first, *_] = await search(resources).passages(
        "and how often?", videos, before="how do I feed a sourdough starter?"
    )
    assert first.text == BREAD[2]


async def test_a_sentence_over_two_lines_is_one_with_both_times(
    resources: Resources, user: User
) -> None:
    video = await loaded(
        resources,
        user,
        captions(["It was dark. Whale falls", "feed crabs for years. Then", "I left."]),
    )
    [passage] = await search(resources).passages("what feeds crabs", {video})
    assert [(one.text, one.start_ms, one.end_ms) for one in passage.sentences] == [
        ("It was dark.", 0, 6_000),
        ("Whale falls feed crabs for years.", 0, 12_000),
        ("Then I left.", 6_000, 18_000),
    ]


async def test_a_passage_whose_chunk_was_deleted_meanwhile_is_left_out(
    resources: Resources, user: User
) -> None:
    video = await loaded(resources, user, captions(OCEAN[:2]))
    async with resources.sessions.begin() as session:
        await session.execute(delete(Chunk).where(Chunk.video_id == video))
    assert await search(resources).passages("anglerfish", {video}) == []
