"""Captions in several languages: which is chosen, what else there is, and loading another one."""

from uuid import UUID

from sqlalchemy import select

from ingestion.job import load
from talker.models import Chunk, Transcript, User
from talker.resources import Resources
from tests.ingestion.conftest import (
    AtSupadata,
    AtYouTube,
    count,
    links,
    stored_job,
    stored_video,
)
from tests.supadata_server import SupadataVideo
from tests.youtube_server import Track, YouTubeVideo

ID = "dQw4w9WgXcQ"
ENGLISH = [(0, 4000, "Plants are green since they take in red light.")]
POLISH = [(0, 4000, "Rośliny są zielone, bo pochłaniają czerwone światło.")]


async def run(resources: Resources, at: AtSupadata | AtYouTube, job_id: UUID | None) -> None:
    assert job_id is not None
    await load(job_id, resources=resources, providers=[at.provider])


async def languages(resources: Resources) -> list[str]:
    async with resources.sessions() as session:
        found = await session.scalars(select(Transcript.language).order_by(Transcript.created_at))
        return list(found)


async def test_what_else_there_is_is_kept_with_the_video(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    supadata.server.videos[ID] = SupadataVideo({"en": ENGLISH, "pl": POLISH})
    [added] = await links(resources, user, ID)
    await run(resources, supadata, added.job_id)
    available = (await stored_video(resources, added)).available
    assert [captions["language"] for captions in available] == ["en", "pl"]


async def test_youtube_says_who_wrote_each_and_written_ones_go_first(
    resources: Resources, user: User, youtube: AtYouTube
) -> None:
    recognised = [(0.0, 4.0, "plants are green since they take in red light")]
    written = [(0.0, 4.0, ENGLISH[0][2])]
    youtube.server.videos[ID] = YouTubeVideo([Track("en", recognised, True), Track("en", written)])
    [added] = await links(resources, user, ID, language="en")
    await run(resources, youtube, added.job_id)
    async with resources.sessions() as session:
        transcript = (await session.scalars(select(Transcript))).one()
    assert transcript.kind == "manual"
    available = (await stored_video(resources, added)).available
    assert {captions["kind"] for captions in available} == {"manual", "automatic"}


async def test_another_language_is_loaded_beside_the_first_while_the_video_stays_ready(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    supadata.server.videos[ID] = SupadataVideo({"en": ENGLISH, "pl": POLISH})
    [added] = await links(resources, user, ID)
    await run(resources, supadata, added.job_id)
    [polish] = await links(resources, user, ID, language="pl")
    assert polish.job_id not in (None, added.job_id)
    assert polish.status == "ready"
    await run(resources, supadata, polish.job_id)
    assert await languages(resources) == ["en", "pl"]
    video = await stored_video(resources, added)
    assert (video.status, video.language) == ("ready", "en")
    assert await resources.chunks.count(video.id) == await count(resources, Chunk) == 2
    [again] = await links(resources, user, ID, language="pl,en")
    assert (again.status, again.job_id) == ("ready", None)


async def test_a_language_that_is_not_to_be_had_costs_nothing_and_the_video_stays_ready(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    supadata.server.videos[ID] = SupadataVideo({"en": ENGLISH, "pl": POLISH})
    [added] = await links(resources, user, ID, language="de,en")
    await run(resources, supadata, added.job_id)
    assert await languages(resources) == ["en"]
    asked = supadata.server.asked[ID]
    [german] = await links(resources, user, ID, language="de")
    assert (german.status, german.job_id) == ("ready", None)
    assert supadata.server.asked[ID] == asked


async def test_a_language_that_the_service_turns_out_not_to_have_fails_with_those_it_has(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    supadata.server.videos[ID] = SupadataVideo({"en": ENGLISH, "pl": POLISH})
    [added] = await links(resources, user, ID)
    await run(resources, supadata, added.job_id)
    async with resources.sessions.begin() as session:
        # As with a video that was loaded before anybody wrote down what else there is.
        (
            await session.get_one(type(await stored_video(resources, added)), added.video_id)
        ).available = []
    [german] = await links(resources, user, ID, language="de")
    await run(resources, supadata, german.job_id)
    job = await stored_job(resources, german)
    assert job.failure is not None
    assert (job.status, job.failure["reason"]) == ("failed", "no_captions")
    assert "en, pl" in job.failure["next_step"]
    assert (await stored_video(resources, added)).status == "ready"


async def test_captions_are_made_from_the_sound_only_when_that_was_asked_for(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    supadata.server.videos[ID] = SupadataVideo(spoken=("en", ENGLISH))
    [added] = await links(resources, user, ID)
    await run(resources, supadata, added.job_id)
    failure = (await stored_job(resources, added)).failure
    assert failure is not None
    assert failure["reason"] == "no_captions"
    [made] = await links(resources, user, ID, generate=True)
    await run(resources, supadata, made.job_id)
    async with resources.sessions() as session:
        transcript = (await session.scalars(select(Transcript))).one()
    assert (transcript.kind, transcript.language) == ("generated", "en")
    assert (await stored_video(resources, added)).status == "ready"
