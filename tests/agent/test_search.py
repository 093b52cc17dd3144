from itertools import pairwise
from uuid import UUID, uuid4

from sqlalchemy import delete

from agent.search import Passage, Search
from ingestion.add import add_file
from ingestion.job import load
from ingestion.rows import indexed_chunks
from talker.models import Chunk, User
from talker.resources import Resources
from tests import make
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


async def test_a_passage_of_automatic_captions_has_all_its_sentences(
    resources: Resources, user: User
) -> None:
    said = " ".join(OCEAN + BREAD).lower().replace(".", "").replace(",", "").split()
    shown = [" ".join(said[at : at + 7]) for at in range(0, len(said), 7)]
    video = await loaded(resources, user, captions(shown, line_s=2.5))
    found = await search(resources).passages("how hot must the iron pot be?", {video}, limit=20)
    assert "two hundred and fifty degrees" in found[0].text
    assert all(words(passage) == passage.text for passage in found)
    assert max(len(passage.sentences) for passage in found) > 1
    assert all(one.text in " ".join(said) for passage in found for one in passage.sentences)


async def test_a_passage_whose_chunk_was_deleted_meanwhile_is_left_out(
    resources: Resources, user: User
) -> None:
    video = await loaded(resources, user, captions(OCEAN[:2]))
    async with resources.sessions.begin() as session:
        await session.execute(delete(Chunk).where(Chunk.video_id == video))
    assert await search(resources).passages("anglerfish", {video}) == []


async def test_a_moment_in_two_languages_is_found_once(resources: Resources, user: User) -> None:
    lines = {
        "en": ["Bake the loaf in a hot iron pot.", "Feed the starter twice a day."],
        "de": ["Backe das Brot in einem heißen Topf.", "Füttere den Sauerteig zweimal am Tag."],
    }
    video = await make.video(resources, user, texts=lines)
    async with resources.sessions() as session:
        chunks = await indexed_chunks(session, video)
    assert [chunk.text for chunk in chunks] == [*lines["en"], *lines["de"]]
    await resources.chunks.write(chunks)
    assert await resources.chunks.count(video) == 4
    for question, language in (
        ("how often do I feed the starter?", "en"),
        ("wie oft füttere ich den Sauerteig?", "de"),
    ):
        found = await search(resources).passages(question, {video})
        assert found[0].language == language
        assert lines[language][1] in found[0].text
        assert words(found[0]) == found[0].text
        spans = sorted((passage.start_ms, passage.end_ms) for passage in found)
        assert all(end <= start for (_, end), (start, _) in pairwise(spans))
