"""Many transcripts fetched at once, where Supadata's plan has batches."""

import pytest
from sqlalchemy import func, select

from ingestion.add import add_found
from ingestion.listing import find_videos
from ingestion.prefetch import batching
from ingestion.services import open_services
from ingestion.wishes import Added, Wishes
from talker.models import IngestionJob, ServiceCharge, ServiceState, User, Video, now
from talker.resources import Resources
from tests.ingestion.conftest import AtSupadata, at_work, stored_job, until_over
from tests.make import OCEAN
from tests.supadata_server import SupadataList, SupadataVideo, refused

CHANNEL = "https://www.youtube.com/@ada"
WORDS = [(number * 6000, 6000, line) for number, line in enumerate(OCEAN[:2])]


def youtube_id(number: int) -> str:
    return f"video{number:06}"


@pytest.fixture
def channel(supadata: AtSupadata) -> list[str]:
    """A channel of 24 videos, one of them without captions and one for members only."""
    ids = [youtube_id(number) for number in range(24)]
    for number, name in enumerate(ids):
        supadata.server.videos[name] = SupadataVideo({"en": WORDS}, title=f"Talk {number}")
    supadata.server.videos[ids[3]] = SupadataVideo()
    supadata.server.videos[ids[4]].fault = refused(403, "This video is for members only.")
    supadata.server.lists["@ada"] = SupadataList("Ada", videos=ids)
    return ids


async def add(resources: Resources, user: User, *sources: str, **wishes: object) -> list[Added]:
    async with open_services(resources) as services:
        found = await find_videos(resources, services, user.id, sources)
        together = batching(services) is not None
    async with resources.sessions.begin() as session:
        return await add_found(session, user, found, Wishes(**wishes), together=together)  # type: ignore[arg-type]


async def all_over(resources: Resources, added: list[Added]) -> list[IngestionJob]:
    return [await until_over(resources, one) for one in added[0].videos]


async def test_a_channel_is_fetched_in_one_request_and_each_failure_has_its_reason(
    resources: Resources, user: User, supadata: AtSupadata, channel: list[str]
) -> None:
    added = await add(resources, user, CHANNEL)
    async with at_work(resources):
        jobs = await all_over(resources, added)
    reasons = {
        name: (job.failure or {}).get("reason", job.status)
        for name, job in zip(channel, jobs, strict=True)
    }
    assert reasons == dict.fromkeys(channel, "done") | {
        channel[3]: "no_captions",
        channel[4]: "members_only",
    }
    assert supadata.server.counts["/v1/youtube/transcript/batch"] == 1
    # Only the one whose refusal a batch gives in a word was asked for by itself.
    assert supadata.server.counts["/v1/transcript"] == 1


@pytest.mark.usefixtures("channel")
async def test_a_plan_without_batches_is_asked_once_a_day_and_loads_all_the_same(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    supadata.server.plan_has_batches = False
    added = await add(resources, user, CHANNEL)
    async with at_work(resources):
        jobs = await all_over(resources, added)
    assert sum(job.status == "done" for job in jobs) == 22
    assert supadata.server.counts["/v1/transcript"] == 24
    async with resources.sessions() as session:
        state = await session.get_one(ServiceState, "supadata")
    assert state.batches_from is not None
    assert state.batches_from > now()
    assert state.failure is None


@pytest.mark.usefixtures("channel")
async def test_a_batch_outlives_the_worker_that_started_it(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    supadata.server.batch_polls = 10_000
    added = await add(resources, user, CHANNEL)
    async with at_work(resources):
        while not supadata.server.counts["/v1/youtube/batch"]:
            job = await stored_job(resources, added[0].videos[0])
        assert job.status == "queued"
    supadata.server.finish_jobs()
    async with at_work(resources):
        await all_over(resources, added)
    assert supadata.server.counts["/v1/youtube/transcript/batch"] == 1


@pytest.mark.usefixtures("channel")
async def test_a_batchs_credits_are_those_of_its_jobs_and_its_person(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    added = await add(resources, user, CHANNEL)
    async with at_work(resources):
        jobs = await all_over(resources, added)
    async with resources.sessions() as session:
        spent = await session.scalar(
            select(func.sum(ServiceCharge.credits)).where(ServiceCharge.user_id == user.id)
        )
    assert spent == supadata.server.billed
    # One for the transcript, one for title and length; the video without captions has no more.
    assert [job.credits for job in jobs[:4]] == [2, 2, 2, 1]


async def test_few_videos_are_not_worth_a_batch(
    resources: Resources, user: User, supadata: AtSupadata, channel: list[str]
) -> None:
    added = await add(resources, user, *channel[5:8])
    async with at_work(resources):
        for one in added:
            await until_over(resources, one)
    assert supadata.server.counts["/v1/youtube/transcript/batch"] == 0


async def test_what_a_batch_gave_in_another_language_is_asked_for_again(
    resources: Resources, user: User, supadata: AtSupadata, channel: list[str]
) -> None:
    polish = [(0, 4000, "Rośliny są zielone, bo pochłaniają czerwone światło.")]
    supadata.server.videos[channel[0]] = SupadataVideo({"en": WORDS, "pl": polish})
    added = await add(resources, user, CHANNEL, language="de,pl")
    async with at_work(resources):
        await all_over(resources, added)
    async with resources.sessions() as session:
        first = await session.get_one(Video, added[0].videos[0].video_id)
        other = await session.get_one(Video, added[0].videos[1].video_id)
    assert (first.language, other.language) == ("pl", "en")
