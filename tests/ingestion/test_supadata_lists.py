"""Playlists and channels through Supadata."""

import pytest

from talker.errors import LoadingFailed
from talker.sources import ListSource
from tests.ingestion.conftest import AtSupadata
from tests.supadata_server import SupadataList, refused

PLAYLIST = ListSource("playlist", "PLZHQObOWTQDNU6R1_67000Dx_ZCJB-3pi")
CHANNEL = ListSource("channel", "@3blue1brown")


def ids(letter: str, count: int) -> list[str]:
    return [f"{letter}{number:010}" for number in range(count)]


async def test_a_playlist_is_listed_in_its_order_for_two_credits(supadata: AtSupadata) -> None:
    videos = [*ids("v", 3), "v0000000000"]
    supadata.server.lists[PLAYLIST.id] = SupadataList("Linear algebra", videos)
    listing = await supadata.provider.listing(PLAYLIST, 100, supadata.errand)
    assert listing.title == "Linear algebra"
    assert [video.youtube_id for video in listing.videos] == ids("v", 3)
    assert supadata.errand.charges == [
        ("supadata", "/youtube/playlist", 1),
        ("supadata", "/youtube/playlist/videos", 1),
    ]


async def test_a_channel_has_its_videos_then_streams_then_shorts(supadata: AtSupadata) -> None:
    supadata.server.lists[CHANNEL.id] = SupadataList(
        "3Blue1Brown", ids("v", 2), ids("s", 2), ids("l", 2)
    )
    listing = await supadata.provider.listing(CHANNEL, 9999, supadata.errand)
    assert listing.title == "3Blue1Brown"
    found = [video.youtube_id for video in listing.videos]
    assert found == [*ids("v", 2), *ids("l", 2), *ids("s", 2)]
    listing = await supadata.provider.listing(CHANNEL, 1, supadata.errand)
    assert [video.youtube_id for video in listing.videos] == ids("v", 1)


async def test_an_old_channel_address_is_asked_for_as_it_is(supadata: AtSupadata) -> None:
    supadata.server.lists["https://www.youtube.com/c/3blue1brown"] = SupadataList(
        "3B1B", ids("v", 1)
    )
    source = ListSource("channel", "c/3blue1brown")
    assert (await supadata.provider.listing(source, 5, supadata.errand)).title == "3B1B"


async def test_what_supadata_does_not_list_is_not_asked_for(supadata: AtSupadata) -> None:
    with pytest.raises(LoadingFailed, match="not supported") as caught:
        await supadata.provider.listing(ListSource("channel", "user/TED"), 5, supadata.errand)
    assert caught.value.reason == "not_a_video"
    assert supadata.server.requests == []


async def test_a_list_that_is_not_there_costs_no_second_request(supadata: AtSupadata) -> None:
    with pytest.raises(LoadingFailed, match="no such playlist") as caught:
        await supadata.provider.listing(PLAYLIST, 5, supadata.errand)
    assert caught.value.reason == "removed"
    assert len(supadata.server.requests) == 1


async def test_a_list_that_may_not_be_read_is_private(supadata: AtSupadata) -> None:
    supadata.server.lists[PLAYLIST.id] = SupadataList("Secret", fault=refused(403))
    with pytest.raises(LoadingFailed) as caught:
        await supadata.provider.listing(PLAYLIST, 5, supadata.errand)
    assert caught.value.reason == "private"
