"""YouTube's own captions: which are chosen, and what its refusals mean."""

import httpx
import pytest

from ingestion.youtube import YouTube
from talker.errors import LoadingFailed
from talker.sentences import TimedText
from tests.ingestion.conftest import AtYouTube
from tests.youtube_server import Track, YouTubeVideo, session_to

ID = "dQw4w9WgXcQ"


def track(language: str, text: str, *, recognised: bool = False) -> Track:
    return Track(language, [(0.16, 2.31, text)], recognised)


async def failure(at: AtYouTube) -> LoadingFailed:
    with pytest.raises(LoadingFailed) as caught:
        await at.provider.transcript(ID, [])
    assert caught.value.next_step
    return caught.value


async def test_captions_come_with_their_milliseconds(youtube: AtYouTube) -> None:
    youtube.server.videos[ID] = YouTubeVideo([track("en", "red & blue <i>light</i>")])
    fetched = await youtube.provider.transcript(ID, [])
    assert list(fetched.segments) == [TimedText(160, 2310, "red & blue light")]
    assert (fetched.language, fetched.kind, fetched.provider) == ("en", "manual", "youtube")


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ([], ("pl", "manual")),
        (["de"], ("de", "manual")),
        (["fr", "en"], ("en-US", "manual")),
        (["uk"], ("pl", "manual")),
    ],
)
async def test_wanted_languages_come_first_then_the_spoken_one(
    youtube: AtYouTube, wanted: list[str], chosen: tuple[str, str]
) -> None:
    youtube.server.videos[ID] = YouTubeVideo(
        [
            track("de", "Hallo"),
            track("en-US", "Hello"),
            track("pl", "Cześć"),
            track("pl", "czesc", recognised=True),
        ]
    )
    fetched = await youtube.provider.transcript(ID, wanted)
    assert (fetched.language, fetched.kind) == chosen


async def test_recognised_captions_are_said_to_be_automatic(youtube: AtYouTube) -> None:
    youtube.server.videos[ID] = YouTubeVideo([track("en", "hello", recognised=True)])
    assert (await youtube.provider.transcript(ID, [])).kind == "automatic"


@pytest.mark.parametrize(
    ("status", "said", "reason"),
    [
        ("LOGIN_REQUIRED", "This video is private", "private"),
        ("LOGIN_REQUIRED", "This video may be inappropriate for some users.", "age_restricted"),
        ("LOGIN_REQUIRED", "Sign in to confirm you\u2019re not a bot", "blocked"),
        ("LOGIN_REQUIRED", "Sign in to confirm your age", "age_restricted"),
        ("UNPLAYABLE", "Join this channel to get access to members-only content", "members_only"),
        ("LIVE_STREAM_OFFLINE", "This live event will begin in 3 hours.", "upcoming"),
        ("LIVE_STREAM_OFFLINE", "Premieres in 2 days", "upcoming"),
        ("UNPLAYABLE", "This live stream recording is not available.", "live"),
        ("UNPLAYABLE", "The uploader has not made this video available in your country", "blocked"),
        ("ERROR", "This video has been removed by the uploader", "removed"),
        ("ERROR", None, "removed"),
    ],
)
async def test_why_a_video_does_not_play_is_told_apart(
    youtube: AtYouTube, status: str, said: str | None, reason: str
) -> None:
    youtube.server.videos[ID] = YouTubeVideo(status=status, reason=said)
    assert (await failure(youtube)).reason == reason


async def test_a_video_that_is_not_there_is_removed(youtube: AtYouTube) -> None:
    assert (await failure(youtube)).reason == "removed"


async def test_a_video_without_captions_says_so(youtube: AtYouTube) -> None:
    youtube.server.videos[ID] = YouTubeVideo()
    assert (await failure(youtube)).reason == "no_captions"


async def test_captions_without_words_are_no_speech(youtube: AtYouTube) -> None:
    youtube.server.videos[ID] = YouTubeVideo([track("en", " ")])
    assert (await failure(youtube)).reason == "no_speech"


async def test_an_empty_answer_in_place_of_captions_is_a_block(youtube: AtYouTube) -> None:
    youtube.server.videos[ID] = YouTubeVideo([track("en", "hello")], empty_captions=True)
    assert (await failure(youtube)).reason == "blocked"


async def test_after_a_block_youtube_is_left_alone(youtube: AtYouTube) -> None:
    youtube.server.blocking = True
    first = await failure(youtube)
    assert first.reason == "blocked"
    assert "SUPADATA_API_KEY" in first.next_step
    asked = len(youtube.server.requests)
    assert (await failure(youtube)).reason == "blocked"
    assert len(youtube.server.requests) == asked


async def test_a_stumble_of_youtube_is_an_outage(youtube: AtYouTube) -> None:
    youtube.server.broken = True
    assert (await failure(youtube)).reason == "provider_down"


async def test_no_network_is_an_outage() -> None:
    async with httpx.AsyncClient() as http:
        provider = YouTube(http, session=lambda: session_to("http://127.0.0.1:9"))
        with pytest.raises(LoadingFailed) as caught:
            await provider.transcript(ID, [])
    assert caught.value.reason == "provider_down"


async def test_title_and_channel_need_no_key(youtube: AtYouTube) -> None:
    youtube.server.videos[ID] = YouTubeVideo(title="Leaves", channel="Ada")
    found = await youtube.provider.metadata(ID)
    assert (found.title, found.channel) == ("Leaves", "Ada")
    with pytest.raises(LoadingFailed):
        await youtube.provider.metadata("AAAAAAAAAAA")
