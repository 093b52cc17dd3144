"""YouTube's own captions: which are chosen, and what its refusals mean."""

from contextlib import suppress

import httpx
import pytest

from ingestion.provider import Captions, Metadata, Resting, Wanted
from ingestion.youtube import MOST_REMEMBERED, YouTube
from talker.errors import LoadingFailed
from talker.sentences import TimedText
from tests.ingestion.conftest import AtYouTube, NotedErrand, OpenGate
from tests.youtube_server import Track, YouTubeVideo, session_to

ID = "dQw4w9WgXcQ"
ANY = Wanted(ID)


def track(language: str, text: str, *, recognised: bool = False) -> Track:
    return Track(language, [(0.16, 2.31, text)], recognised)


async def failure(at: AtYouTube, wanted: Wanted = ANY) -> LoadingFailed:
    with pytest.raises(LoadingFailed) as caught:
        await at.provider.transcript(wanted, at.errand)
    assert caught.value.next_step
    return caught.value


async def test_captions_come_with_their_milliseconds(youtube: AtYouTube) -> None:
    youtube.server.videos[ID] = YouTubeVideo([track("en", "red & blue <i>light</i>")])
    fetched = await youtube.provider.transcript(ANY, youtube.errand)
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
    fetched = await youtube.provider.transcript(Wanted(ID, wanted), youtube.errand)
    assert (fetched.language, fetched.kind) == chosen
    assert fetched.available == [
        Captions("de", "manual"),
        Captions("en-US", "manual"),
        Captions("pl", "manual"),
        Captions("pl", "automatic"),
    ]


async def test_another_language_does_not_do_when_the_language_is_all_that_counts(
    youtube: AtYouTube,
) -> None:
    youtube.server.videos[ID] = YouTubeVideo([track("de", "Hallo"), track("pl", "Cześć")])
    found = await failure(youtube, Wanted(ID, ["fr"], strictly=True))
    assert found.reason == "no_captions"
    assert "de, pl" in found.next_step
    assert "timedtext" not in youtube.server.requests
    assert youtube.gate.reasons() == ["no_captions"]


async def test_recognised_captions_are_said_to_be_automatic(youtube: AtYouTube) -> None:
    youtube.server.videos[ID] = YouTubeVideo([track("en", "hello", recognised=True)])
    assert (await youtube.provider.transcript(ANY, youtube.errand)).kind == "automatic"


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


async def test_a_block_is_told_to_the_gate(youtube: AtYouTube) -> None:
    youtube.server.blocking = True
    found = await failure(youtube)
    assert found.reason == "blocked"
    assert "SUPADATA_API_KEY" in found.next_step
    assert youtube.gate.reports == [found]


async def test_a_video_that_this_country_may_not_see_is_no_block(youtube: AtYouTube) -> None:
    youtube.server.videos[ID] = YouTubeVideo(
        status="UNPLAYABLE",
        reason="The uploader has not made this video available in your country",
    )
    found = await failure(youtube)
    assert found.reason == "blocked"
    assert "in this country" in found.detail
    assert youtube.gate.reports == [None]


async def test_after_a_block_youtube_is_left_alone(youtube: AtYouTube) -> None:
    youtube.gate.closed = Resting({"reason": "blocked", "detail": "B.", "next_step": "W."}, 600)
    assert await failure(youtube) is youtube.gate.closed
    assert youtube.server.requests == []


async def test_a_stumble_of_youtube_is_an_outage(youtube: AtYouTube) -> None:
    youtube.server.broken = True
    assert (await failure(youtube)).reason == "provider_down"


async def test_no_network_is_an_outage() -> None:
    async with httpx.AsyncClient() as http:
        provider = YouTube(http, OpenGate(), session=lambda: session_to("http://127.0.0.1:9"))
        with pytest.raises(LoadingFailed) as caught:
            await provider.transcript(ANY, NotedErrand())
    assert caught.value.reason == "provider_down"


async def test_title_and_channel_need_no_key(youtube: AtYouTube) -> None:
    youtube.server.videos[ID] = YouTubeVideo(title="Leaves", channel="Ada")
    found = await youtube.provider.metadata(ID, youtube.errand)
    assert found == Metadata("Leaves", "Ada")
    with pytest.raises(LoadingFailed):
        await youtube.provider.metadata("AAAAAAAAAAA", youtube.errand)


@pytest.mark.parametrize("tracks", [[track("en", "Hello.")], []])
async def test_what_the_player_said_needs_no_second_question(
    youtube: AtYouTube, tracks: list[Track]
) -> None:
    youtube.server.videos[ID] = YouTubeVideo(
        tracks, title="Leaves", channel="Ada", duration_s=61, description="0:00 Start"
    )
    with suppress(LoadingFailed):
        await youtube.provider.transcript(ANY, youtube.errand)
    found = await youtube.provider.metadata(ID, youtube.errand)
    assert found == Metadata("Leaves", "Ada", 61_000, description="0:00 Start")
    assert "oembed" not in youtube.server.requests


async def test_what_players_said_is_not_kept_without_end(youtube: AtYouTube) -> None:
    ids = [f"v{number:010}" for number in range(MOST_REMEMBERED + 1)]
    for youtube_id in ids:
        youtube.server.videos[youtube_id] = YouTubeVideo()
        with pytest.raises(LoadingFailed):
            await youtube.provider.transcript(Wanted(youtube_id), youtube.errand)
    for youtube_id in (ids[0], ids[-1]):
        await youtube.provider.metadata(youtube_id, youtube.errand)
    assert youtube.server.requests.count("oembed") == 1
