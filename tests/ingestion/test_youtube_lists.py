"""Playlists and channels as YouTube's pages show them, through yt-dlp."""

import asyncio
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from ingestion.provider import ListedVideo, Listing
from ingestion.youtube import YouTube
from ingestion.youtube_lists import LISTER, list_videos
from talker.errors import LoadingFailed
from talker.sources import ListSource
from tests.ingestion.conftest import AtYouTube, NotedErrand, OpenGate
from tests.youtube_pages import PAGE, TAB_PAGE, Listed, YouTubeList
from tests.youtube_server import session_to

PLAYLIST = ListSource("playlist", "PLZHQObOWTQDNU6R1_67000Dx_ZCJB-3pi")
CHANNEL = ListSource("channel", "@ada")


def videos(letter: str, count: int) -> list[Listed]:
    return [Listed(f"{letter}{number:010}", f"Talk {number}") for number in range(count)]


async def failure(at: AtYouTube, source: ListSource) -> LoadingFailed:
    with pytest.raises(LoadingFailed) as caught:
        await at.provider.listing(source, 10, at.errand)
    assert caught.value.next_step
    return caught.value


async def test_a_playlist_comes_in_its_order_with_titles_channels_and_lengths(
    youtube: AtYouTube,
) -> None:
    there = [
        Listed("vvvvvvvvvv1", "Leaves", "Ada", 61),
        Listed("vvvvvvvvvv2", "[Private video]"),
        Listed("vvvvvvvvvv3", "Roots", "Eve", 5),
        Listed("vvvvvvvvvv1", "Leaves", "Ada", 61),
    ]
    youtube.server.lists[PLAYLIST.id] = YouTubeList("Plants", there)
    assert await youtube.provider.listing(PLAYLIST, 10, youtube.errand) == Listing(
        "Plants",
        [
            ListedVideo("vvvvvvvvvv1", "Leaves", "Ada", 61_000),
            ListedVideo("vvvvvvvvvv2"),
            ListedVideo("vvvvvvvvvv3", "Roots", "Eve", 5_000),
        ],
    )
    assert youtube.gate.reports == [None]
    assert youtube.errand.charges == []


async def test_only_the_pages_that_are_needed_are_asked_for(youtube: AtYouTube) -> None:
    youtube.server.lists[PLAYLIST.id] = YouTubeList("Plants", videos("v", 5 * PAGE))
    listing = await youtube.provider.listing(PLAYLIST, PAGE + 1, youtube.errand)
    assert [video.youtube_id for video in listing.videos] == [
        video.youtube_id for video in videos("v", PAGE + 1)
    ]
    whole, second = "browse", "browse"
    assert youtube.server.requests == ["playlist", whole, second]


async def test_a_channel_has_its_videos_then_streams_then_shorts(youtube: AtYouTube) -> None:
    youtube.server.lists["@ada"] = YouTubeList(
        "Ada", videos("v", TAB_PAGE + 2), videos("l", 2), videos("s", 2)
    )
    listing = await youtube.provider.listing(CHANNEL, 1000, youtube.errand)
    assert listing.title == "Ada"
    expected = [*videos("v", TAB_PAGE + 2), *videos("l", 2), *videos("s", 2)]
    assert [video.youtube_id for video in listing.videos] == [one.youtube_id for one in expected]
    assert listing.videos[0] == ListedVideo("v0000000000", "Talk 0", "Ada", 60_000)
    assert listing.videos[TAB_PAGE + 2] == ListedVideo("l0000000000", "Talk 0", "Ada", 60_000)
    assert listing.videos[-1] == ListedVideo("s0000000001", "Talk 1", "Ada")


@pytest.mark.parametrize("path", ["channel/UCYO_jab_esuFRV4b17AJtAw", "user/ada", "@żółć"])
async def test_a_channel_is_found_by_every_form_of_its_address(
    youtube: AtYouTube, path: str
) -> None:
    youtube.server.lists[path] = YouTubeList("Ada", videos("v", 1))
    source = ListSource("channel", path.removeprefix("channel/"))
    listing = await youtube.provider.listing(source, 5, youtube.errand)
    assert (listing.title, len(listing.videos)) == ("Ada", 1)


async def test_a_list_that_is_not_there_is_removed(youtube: AtYouTube) -> None:
    found = await failure(youtube, PLAYLIST)
    assert (found.reason, youtube.gate.reasons()) == ("removed", ["removed"])
    assert (await failure(youtube, CHANNEL)).reason == "removed"


async def test_a_private_playlist_says_so(youtube: AtYouTube) -> None:
    youtube.server.lists[PLAYLIST.id] = YouTubeList(alert="This playlist is private.")
    assert (await failure(youtube, PLAYLIST)).reason == "private"


@pytest.mark.parametrize("source", [PLAYLIST, CHANNEL])
async def test_a_block_is_told_from_a_list_that_is_not_there(
    youtube: AtYouTube, source: ListSource
) -> None:
    youtube.server.blocking = True
    assert (await failure(youtube, source)).reason == "blocked"
    assert youtube.gate.reasons() == ["blocked"]


async def test_a_check_for_robots_is_a_block(youtube: AtYouTube) -> None:
    alert = "Sign in to confirm you\u2019re not a bot"
    youtube.server.lists[PLAYLIST.id] = YouTubeList(alert=alert)
    assert (await failure(youtube, PLAYLIST)).reason == "blocked"


async def test_a_stumble_of_youtube_is_an_outage(youtube: AtYouTube) -> None:
    youtube.server.broken = True
    assert (await failure(youtube, CHANNEL)).reason == "provider_down"


def listing_by(*program: str) -> YouTube:
    return YouTube(
        httpx.AsyncClient(),
        OpenGate(),
        session=lambda: session_to("http://127.0.0.1:9"),
        lister=(sys.executable, *program),
    )


async def test_no_network_is_an_outage() -> None:
    provider = listing_by("-m", "tests.youtube_lister", "http://127.0.0.1:9")
    with pytest.raises(LoadingFailed) as caught:
        await provider.listing(PLAYLIST, 5, NotedErrand())
    assert caught.value.reason == "provider_down"


async def test_youtube_is_asked_through_the_proxy() -> None:
    asked: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(LoadingFailed) as caught:
            await list_videos(PLAYLIST, 5, proxy=f"http://127.0.0.1:{port}", lister=LISTER)
    assert caught.value.reason == "provider_down"
    assert {line.split(b" HTTP")[0] for line in asked} == {b"CONNECT www.youtube.com:443"}


@pytest.mark.parametrize("program", ["print('{\"title\": null}')", "print('{', end='')", ""])
async def test_a_program_that_dies_is_an_outage(program: str) -> None:
    with pytest.raises(LoadingFailed, match="broke off") as caught:
        await listing_by("-c", program).listing(PLAYLIST, 5, NotedErrand())
    assert caught.value.reason == "provider_down"


async def test_a_listing_that_nobody_waits_for_is_stopped(tmp_path: Path) -> None:
    noted = tmp_path / "pid"
    program = f"import os,time; open({str(noted)!r},'w').write(str(os.getpid())); time.sleep(60)"
    provider = listing_by("-c", program)
    task = asyncio.create_task(provider.listing(PLAYLIST, 5, NotedErrand()))
    async with asyncio.timeout(20):
        while not noted.exists() or not noted.read_text():
            await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not psutil.pid_exists(int(noted.read_text()))
