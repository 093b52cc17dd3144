"""Playlists and channels: what they hold is loaded, kept together, and followed."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from ingestion.price import price
from ingestion.services import open_services
from ingestion.sync import Synced, subscribed, sync
from ingestion.wishes import Wishes
from talker.models import (
    Collection,
    CollectionVideo,
    IngestionJob,
    LibraryEntry,
    StoredListing,
    User,
    Video,
    now,
)
from talker.resources import Resources
from tests.ingestion.conftest import AtSupadata, at_work, count, links, until_over
from tests.make import OCEAN
from tests.supadata_server import SupadataList, SupadataVideo, refused

CHANNEL = "https://www.youtube.com/@ada/videos"
PLAYLIST = "https://www.youtube.com/playlist?list=PLaaaaaaaaaaaaaaaa"
WORDS = {"en": [(number * 6000, 6000, line) for number, line in enumerate(OCEAN[:2])]}


def name(number: int) -> str:
    return f"video{number:06}"


@pytest.fixture
def channel(supadata: AtSupadata) -> list[str]:
    ids = [name(number) for number in range(6)]
    for one in ids:
        supadata.server.videos[one] = SupadataVideo(WORDS, title=f"Talk {one}")
    supadata.server.lists["@ada"] = SupadataList("Ada's talks", videos=ids)
    return ids


async def collected(resources: Resources) -> dict[str, list[str | None]]:
    """The collections by name, each with its videos' YouTube ids in order."""
    async with resources.sessions() as session:
        rows = await session.execute(
            select(Collection.name, Video.youtube_id)
            .join(CollectionVideo, CollectionVideo.collection_id == Collection.id)
            .join(Video, Video.id == CollectionVideo.video_id)
            .order_by(Collection.name, CollectionVideo.position)
        )
        found: dict[str, list[str | None]] = {}
        for collection, youtube_id in rows:
            found.setdefault(collection, []).append(youtube_id)
        return found


async def test_a_channels_videos_are_loaded_and_kept_together(
    resources: Resources, user: User, channel: list[str]
) -> None:
    [added] = await links(resources, user, CHANNEL)
    assert (added.video_id, added.job_id, added.status, len(added.videos)) == (
        None,
        None,
        "queued",
        6,
    )
    async with at_work(resources):
        jobs = [await until_over(resources, one) for one in added.videos]
    assert [job.status for job in jobs] == ["done"] * 6
    assert await collected(resources) == {"Ada's talks": channel}
    [again] = await links(resources, user, CHANNEL)
    assert again.status == "ready"
    assert again.collection_id == added.collection_id


async def test_only_as_many_as_are_wanted_are_taken(
    resources: Resources, user: User, supadata: AtSupadata, channel: list[str]
) -> None:
    supadata.server.lists["PLaaaaaaaaaaaaaaaa"] = SupadataList("A list", videos=[name(9)])
    added = await links(resources, user, name(3), CHANNEL, PLAYLIST, limit=4)
    assert [len(one.videos) for one in added] == [0, 3]
    assert await collected(resources) == {"Ada's talks": channel[:3]}


async def test_videos_go_into_the_collection_that_was_named_too(
    resources: Resources, user: User, channel: list[str]
) -> None:
    await links(resources, user, CHANNEL, name(2), collection="To read")
    assert await collected(resources) == {"Ada's talks": channel, "To read": channel}


async def test_a_list_that_cannot_be_read_fails_with_its_reason_beside_the_others(
    resources: Resources, user: User, supadata: AtSupadata, channel: list[str]
) -> None:
    supadata.server.lists["PLaaaaaaaaaaaaaaaa"] = SupadataList("", fault=refused(403, "Private"))
    added = await links(resources, user, PLAYLIST, channel[0], "https://www.youtube.com/@nobody")
    reasons = [(one.status, (one.failure or {}).get("reason")) for one in added]
    assert reasons == [("failed", "private"), ("queued", None), ("failed", "removed")]
    assert await collected(resources) == {}


async def test_an_empty_list_is_no_success(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    supadata.server.lists["@ada"] = SupadataList("Ada's talks")
    [added] = await links(resources, user, CHANNEL)
    assert added.failure is not None
    assert (added.status, added.failure["reason"]) == ("failed", "not_a_video")


async def test_a_price_and_the_loading_after_it_cost_one_listing(
    resources: Resources, user: User, supadata: AtSupadata, channel: list[str]
) -> None:
    async with open_services(resources) as services:
        known = (await links(resources, user, channel[0]))[0]
        async with at_work(resources):
            await until_over(resources, known)
        wishes = Wishes(generate=True)
        found = await price(resources, services, user.id, [CHANNEL, channel[1]], wishes=wishes)
    assert (found.videos, found.known, found.new, found.credits) == (7, 2, 5, 10)
    assert found.generated_credits == 5 * 10 * 2
    assert found.embedding_tokens == 5 * 10 * 240
    assert found.cost_usd == 0
    assert found.seconds > 0
    listings = supadata.server.counts["/v1/youtube/channel/videos"]
    await links(resources, user, CHANNEL)
    assert supadata.server.counts["/v1/youtube/channel/videos"] == listings == 1


async def test_what_failed_lately_costs_nothing_since_it_is_not_tried_again(
    resources: Resources, user: User, supadata: AtSupadata, channel: list[str]
) -> None:
    supadata.server.videos[channel[0]].fault = refused(403, "This video is private.")
    [added] = await links(resources, user, channel[0])
    async with at_work(resources):
        await until_over(resources, added)
    async with open_services(resources) as services:
        found = await price(resources, services, user.id, [CHANNEL], wishes=Wishes())
    assert (found.videos, found.known, found.failed, found.new) == (6, 0, 1, 5)
    assert found.credits == 10


async def test_an_old_listing_is_not_used(
    resources: Resources, user: User, supadata: AtSupadata, channel: list[str]
) -> None:
    await links(resources, user, CHANNEL)
    async with resources.sessions.begin() as session:
        await session.execute(update(StoredListing).values(listed_at=now() - timedelta(hours=1)))
    supadata.server.lists["@ada"] = SupadataList("Ada's talks", videos=[name(7), *channel])
    [added] = await links(resources, user, CHANNEL)
    assert len(added.videos) == 7


async def synced(resources: Resources) -> Synced:
    [(collection_id, user_id)] = await subscribed(resources)
    async with open_services(resources) as services:
        return await sync(resources, services, collection_id, user_id)


async def test_what_is_new_of_a_subscribed_channel_is_brought_in_once(
    resources: Resources, user: User, supadata: AtSupadata, channel: list[str]
) -> None:
    await links(resources, user, CHANNEL, subscribe=True, language="en")
    assert len((await synced(resources)).new) == 0
    supadata.server.lists["@ada"] = SupadataList("Ada's talks", videos=[name(7), *channel])
    done = await synced(resources)
    assert [one.title for one in done.new] == [f"YouTube video {name(7)}"]
    assert len((await synced(resources)).new) == 0
    assert (await collected(resources))["Ada's talks"] == [*channel, name(7)]
    async with resources.sessions() as session:
        job = (
            await session.scalars(select(IngestionJob).order_by(IngestionJob.created_at.desc()))
        ).first()
    assert job is not None
    assert job.language == "en"


async def test_a_video_that_was_taken_out_of_the_library_does_not_come_back(
    resources: Resources, user: User, channel: list[str]
) -> None:
    [added] = await links(resources, user, CHANNEL, subscribe=True)
    async with resources.sessions.begin() as session:
        entry = await session.get_one(LibraryEntry, (user.id, added.videos[2].video_id))
        await session.delete(entry)
    assert len((await synced(resources)).new) == 0
    assert await count(resources, LibraryEntry) == len(channel) - 1


async def test_of_a_channel_that_was_taken_in_part_only_what_is_new_comes(
    resources: Resources, user: User, supadata: AtSupadata, channel: list[str]
) -> None:
    await links(resources, user, CHANNEL, limit=2, subscribe=True)
    assert len((await synced(resources)).new) == 0
    supadata.server.lists["@ada"] = SupadataList("Ada's talks", videos=[name(7), *channel])
    assert len((await synced(resources)).new) == 1


async def test_a_list_that_cannot_be_read_any_more_says_why_and_stays_as_it_is(
    resources: Resources, user: User, supadata: AtSupadata, channel: list[str]
) -> None:
    await links(resources, user, CHANNEL, subscribe=True)
    supadata.server.lists["@ada"].fault = refused(403, "Private")
    done = await synced(resources)
    assert done.failure is not None
    assert done.failure["reason"] == "private"
    assert (await collected(resources))["Ada's talks"] == channel
    assert await subscribed(resources, due=True) == []


async def test_a_list_is_read_again_soon_when_the_service_was_at_fault(
    resources: Resources, user: User, supadata: AtSupadata, channel: list[str]
) -> None:
    await links(resources, user, CHANNEL, subscribe=True)
    await synced(resources)
    assert await subscribed(resources, due=True) == []
    async with resources.sessions.begin() as session:
        await session.execute(update(Collection).values(synced_at=now() - timedelta(days=2)))
    supadata.server.lists["@ada"].fault = refused(402, "Your plan does not cover this.")
    failure = (await synced(resources)).failure
    assert failure is not None
    assert failure["reason"] == "quota"
    assert len(await subscribed(resources, due=True)) == 1
    assert len(channel) == len((await collected(resources))["Ada's talks"])
