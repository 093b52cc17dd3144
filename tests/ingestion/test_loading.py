"""From a source to a video that can be asked: rows, chunks and points, each once."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text

from ingestion.add import add_found
from ingestion.failures import MAX_FETCHES, TryAgain
from ingestion.job import load
from ingestion.listing import Found
from ingestion.provider import ListedVideo, Resting, provider_down
from ingestion.wishes import Wishes
from talker.errors import LoadingFailed
from talker.models import Chunk, IngestionJob, LibraryEntry, Segment, Transcript, User, Video, now
from talker.resources import Resources
from tests.ingestion.conftest import (
    AtSupadata,
    at_work,
    count,
    file,
    links,
    somebody_else,
    stored_job,
    stored_video,
    until_over,
)
from tests.make import BREAD, OCEAN, captions
from tests.supadata_server import Answer, SupadataVideo, refused

ID = "dQw4w9WgXcQ"
LINK = f"https://youtu.be/{ID}?t=10"
TALK = SupadataVideo(
    {"en": [(number * 6000, 6000, line) for number, line in enumerate(OCEAN)]},
    title="The deep ocean",
    channel="Ada",
    duration_s=50,
)


async def run(resources: Resources, at: AtSupadata, job_id: UUID | None) -> None:
    """One try of a job, without the queue."""
    assert job_id is not None
    await load(job_id, resources=resources, providers=[at.provider])


async def test_a_link_becomes_a_video_that_can_be_searched(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    supadata.server.videos[ID] = TALK
    [added] = await links(resources, user, LINK)
    assert (added.source, added.status, added.failure) == (LINK, "queued", None)
    async with at_work(resources):
        job = await until_over(resources, added)
    assert (job.status, job.step, job.progress, job.attempt) == ("done", "index", 1.0, 1)
    assert job.credits == 2
    video = await stored_video(resources, added)
    assert (video.status, video.youtube_id, video.owner_id) == ("ready", ID, None)
    assert (video.title, video.channel, video.language) == ("The deep ocean", "Ada", "en")
    assert video.duration_ms == 50_000
    assert await count(resources, Segment) == len(OCEAN)
    assert await resources.chunks.count(video.id) == await count(resources, Chunk) > 0
    [best, *_] = await resources.chunks.candidates("Why does the anglerfish glow?", [video.id])
    assert best.chunk.video_id == video.id


async def test_a_file_becomes_a_video_without_any_call(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    added = await file(resources, user, captions(BREAD, title="Bread", youtube_id=ID))
    async with at_work(resources):
        await until_over(resources, added)
    video = await stored_video(resources, added)
    assert (video.status, video.title, video.youtube_id) == ("ready", "Bread", ID)
    assert video.owner_id == user.id
    assert supadata.server.requests == []


async def test_a_known_video_is_ready_at_once_and_free(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    supadata.server.videos[ID] = TALK
    [added] = await links(resources, user, ID)
    await run(resources, supadata, added.job_id)
    asked = len(supadata.server.requests)
    other = await somebody_else(resources)
    [known] = await links(resources, other, f"https://www.youtube.com/watch?v={ID}&list=PLx")
    assert (known.video_id, known.job_id, known.status) == (added.video_id, None, "ready")
    assert len(supadata.server.requests) == asked
    assert await count(resources, Video) == 1
    assert await count(resources, LibraryEntry) == 2


async def test_a_video_that_somebody_is_loading_is_joined(resources: Resources, user: User) -> None:
    [first, same] = await links(resources, user, ID, LINK)
    [joined] = await links(resources, await somebody_else(resources), ID)
    assert first.job_id == same.job_id == joined.job_id
    assert joined.status == "queued"
    assert await count(resources, IngestionJob) == 1


async def test_bad_sources_fail_beside_the_good_ones(resources: Resources, user: User) -> None:
    added = await links(resources, user, "https://vimeo.com/1", ID, "nonsense")
    assert [a.status for a in added] == ["failed", "queued", "failed"]
    assert added[0].failure is not None
    assert added[0].failure["reason"] == "not_a_video"
    assert (added[0].video_id, added[0].job_id) == (None, None)


async def test_a_video_that_failed_lately_is_not_tried_again_for_being_added_again(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    [added] = await links(resources, user, ID)
    await run(resources, supadata, added.job_id)
    job = await stored_job(resources, added)
    assert job.failure is not None
    assert (job.status, job.failure["reason"]) == ("failed", "removed")
    assert (await stored_video(resources, added)).failure == job.failure
    asked = len(supadata.server.requests)
    [again] = await links(resources, await somebody_else(resources), ID)
    assert (again.job_id, again.status, again.failure) == (added.job_id, "failed", job.failure)
    assert len(supadata.server.requests) == asked


async def test_a_day_later_a_failed_video_that_is_added_again_is_tried_again(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    [added] = await links(resources, user, ID)
    await run(resources, supadata, added.job_id)
    async with resources.sessions.begin() as session:
        job = await session.get_one(IngestionJob, added.job_id)
        job.updated_at = now() - timedelta(days=1, minutes=1)
    supadata.server.videos[ID] = TALK
    [again] = await links(resources, await somebody_else(resources), ID)
    assert (again.job_id, again.status, again.failure) == (added.job_id, "queued", None)
    await run(resources, supadata, added.job_id)
    assert (await stored_video(resources, added)).status == "ready"


async def test_a_file_is_its_uploaders_own_and_answers_no_other_link(
    resources: Resources, user: User
) -> None:
    mine = await file(resources, user, captions(OCEAN, youtube_id=ID))
    [own] = await links(resources, user, ID)
    assert own.video_id == mine.video_id
    [other] = await links(resources, await somebody_else(resources), ID)
    assert other.video_id != mine.video_id


async def test_the_same_captions_again_are_the_same_video(resources: Resources, user: User) -> None:
    first = await file(resources, user, captions(OCEAN), "one.json")
    again = await file(resources, user, captions(OCEAN, title="Other"), "two.json")
    assert (again.video_id, again.job_id) == (first.video_id, first.job_id)
    others = await file(resources, await somebody_else(resources), captions(OCEAN))
    assert others.video_id != first.video_id


async def test_a_broken_file_leaves_nothing_behind(resources: Resources, user: User) -> None:
    with pytest.raises(LoadingFailed):
        await file(resources, user, b"{", "broken.json")
    assert await count(resources, Video) == 0
    assert await count(resources, IngestionJob) == 0


async def test_a_job_is_on_the_queue_exactly_when_its_rows_are_there(
    resources: Resources, user: User
) -> None:
    from_queue = text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'load_video'")
    async with resources.sessions() as session:
        await add_found(session, user, [Found(ID, [ListedVideo(ID)])], Wishes())
        assert await session.scalar(from_queue) == 1
        await session.rollback()
    async with resources.sessions() as session:
        assert await session.scalar(from_queue) == 0
    assert await count(resources, Video) == 0


async def test_every_step_done_twice_changes_nothing(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    supadata.server.videos[ID] = TALK
    [added] = await links(resources, user, ID)
    await run(resources, supadata, added.job_id)
    asked = len(supadata.server.requests)
    ids = await chunk_ids(resources)
    async with resources.sessions.begin() as session:
        job = await session.get_one(IngestionJob, added.job_id)
        job.status = "running"
    await run(resources, supadata, added.job_id)
    assert await chunk_ids(resources) == ids
    assert await count(resources, Segment) == len(OCEAN)
    assert await count(resources, Transcript) == 1
    assert added.video_id is not None
    assert await resources.chunks.count(added.video_id) == len(ids)
    assert len(supadata.server.requests) == asked


async def chunk_ids(resources: Resources) -> list[UUID]:
    async with resources.sessions() as session:
        return list(await session.scalars(select(Chunk.id).order_by(Chunk.position)))


async def test_a_service_that_is_down_is_tried_again_later(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    supadata.server.videos[ID] = TALK
    [added] = await links(resources, user, ID)
    supadata.server.next_answers = [Answer(500)] * 3
    with pytest.raises(TryAgain) as caught:
        await run(resources, supadata, added.job_id)
    assert caught.value.delay_s == 5
    job = await stored_job(resources, added)
    assert job.failure is not None
    assert (job.status, job.failure["reason"]) == ("queued", "provider_down")
    await run(resources, supadata, added.job_id)
    job = await stored_job(resources, added)
    assert (job.status, job.failure) == ("done", None)


async def test_after_enough_tries_a_person_has_to_look(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    [added] = await links(resources, user, ID)
    supadata.server.videos[ID] = SupadataVideo(fault=refused(500))
    for _ in range(MAX_FETCHES - 1):
        with pytest.raises(TryAgain):
            await run(resources, supadata, added.job_id)
    await run(resources, supadata, added.job_id)
    job = await stored_job(resources, added)
    assert (job.status, job.attempt) == ("failed", MAX_FETCHES)


async def test_while_a_service_is_left_alone_no_try_is_counted(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    supadata.server.videos[ID] = TALK
    [added] = await links(resources, user, ID)
    down = provider_down("Supadata cannot be reached.")
    supadata.gate.closed = Resting(down.as_json(), retry_after_s=40)
    for _ in range(2 * MAX_FETCHES):
        with pytest.raises(TryAgain) as caught:
            await run(resources, supadata, added.job_id)
        assert 40 <= caught.value.delay_s <= 48
    job = await stored_job(resources, added)
    assert (job.status, job.attempt) == ("queued", 0)
    assert job.failure == down.as_json()
    supadata.gate.closed = None
    await run(resources, supadata, added.job_id)
    assert (await stored_job(resources, added)).status == "done"


async def test_a_video_that_is_too_long_says_the_limit(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    long = {"en": [(13 * 3_600_000, 1000, "Still here.")]}
    supadata.server.videos[ID] = SupadataVideo(long)
    [added] = await links(resources, user, ID)
    await run(resources, supadata, added.job_id)
    failure = (await stored_job(resources, added)).failure
    assert failure is not None
    assert failure["reason"] == "too_long"
    assert "12" in failure["detail"]
    assert await count(resources, Transcript) == 0


async def test_captions_in_the_wanted_language_are_loaded(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    polish = [(0, 4000, "Rośliny są zielone, bo pochłaniają czerwone światło.")]
    supadata.server.videos[ID] = SupadataVideo({"en": [(0, 1, "Hi.")], "pl": polish})
    [added] = await links(resources, user, ID, language="pl, en")
    await run(resources, supadata, added.job_id)
    assert (await stored_video(resources, added)).language == "pl"


async def test_a_language_that_nobody_named_is_recognised(resources: Resources, user: User) -> None:
    srt = "1\n00:00:01,000 --> 00:00:05,000\nIch weiß nicht, ob das die Antwort ist.\n"
    added = await file(resources, user, srt.encode(), "antwort.srt")
    assert (await stored_video(resources, added)).language == "de"
