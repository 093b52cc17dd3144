"""The order in which transcript services are asked, and what is left when none can give."""

import pytest

from ingestion.provider import Busy, Metadata, Resting, TranscriptProvider, Wanted
from ingestion.transcripts import describe, fetch, list_source, open_providers
from talker.errors import LoadingFailed
from talker.settings import Settings
from talker.sources import ListSource
from tests.ingestion.conftest import AtSupadata, AtYouTube, NotedErrand, OpenGate
from tests.supadata_server import Answer, SupadataList, SupadataVideo, refused
from tests.youtube_pages import Listed, YouTubeList
from tests.youtube_server import Track, YouTubeVideo

ID = "dQw4w9WgXcQ"
ANY = Wanted(ID)
CHANNEL = ListSource("channel", "@ada")
THERE = YouTubeVideo([Track("en", [(0, 1, "Hello.")])], title="From YouTube")


@pytest.mark.parametrize(
    "answer",
    [
        Answer(401),
        Answer(402),
        Answer(429, {"details": "Plan usage limit was exceeded"}),
        Answer(206),
        Answer(200, {"content": []}),
    ],
)
async def test_the_next_service_is_asked_when_the_fault_is_not_the_videos(
    supadata: AtSupadata, youtube: AtYouTube, answer: Answer
) -> None:
    supadata.server.next_answers = [answer]
    youtube.server.videos[ID] = THERE
    fetched = await fetch([supadata.provider, youtube.provider], ANY, supadata.errand)
    assert fetched.provider == "youtube"


async def test_what_is_said_of_the_video_itself_is_final(
    supadata: AtSupadata, youtube: AtYouTube
) -> None:
    youtube.server.videos[ID] = THERE
    with pytest.raises(LoadingFailed) as caught:
        await fetch([supadata.provider, youtube.provider], ANY, supadata.errand)
    assert caught.value.reason == "removed"
    assert youtube.server.requests == []


async def test_the_first_services_failure_is_named_with_the_others_beside_it(
    supadata: AtSupadata, youtube: AtYouTube
) -> None:
    supadata.server.next_answers = [Answer(401)]
    youtube.server.blocking = True
    with pytest.raises(LoadingFailed) as caught:
        await fetch([supadata.provider, youtube.provider], ANY, supadata.errand)
    assert caught.value.reason == "unauthorised"
    assert "refuses the key" in caught.value.detail
    assert "YouTube blocks" in caught.value.detail


async def test_a_title_is_found_where_there_is_one(
    supadata: AtSupadata, youtube: AtYouTube
) -> None:
    youtube.server.videos[ID] = THERE
    supadata.server.next_answers = [Answer(404)]
    services: list[TranscriptProvider] = [supadata.provider, youtube.provider]
    found = await describe(services, ID, supadata.errand)
    assert found == Metadata("From YouTube", "A channel")
    supadata.server.videos[ID] = SupadataVideo(title="From Supadata")
    found = await describe(services, ID, supadata.errand)
    assert found is not None
    assert found.title == "From Supadata"
    assert await describe([], ID, supadata.errand) is None


async def test_a_list_comes_from_the_next_service_when_the_first_has_no_credit(
    supadata: AtSupadata, youtube: AtYouTube
) -> None:
    youtube.server.lists["@ada"] = YouTubeList("Ada", [Listed(ID)])
    supadata.server.next_answers = [refused(402)]
    services: list[TranscriptProvider] = [supadata.provider, youtube.provider]
    assert (await list_source(services, CHANNEL, 5, supadata.errand)).title == "Ada"
    supadata.server.lists["@ada"] = SupadataList("Ada at Supadata", [ID])
    assert (await list_source(services, CHANNEL, 5, supadata.errand)).title == "Ada at Supadata"


async def test_a_list_that_is_not_there_is_asked_for_once(
    supadata: AtSupadata, youtube: AtYouTube
) -> None:
    with pytest.raises(LoadingFailed, match="no such channel"):
        await list_source([supadata.provider, youtube.provider], CHANNEL, 5, supadata.errand)
    assert youtube.server.requests == []


def resting(reason: str, retry_after_s: float) -> Resting:
    return Resting({"reason": reason, "detail": f"{reason}.", "next_step": "Wait."}, retry_after_s)


async def test_when_all_services_rest_the_job_waits_for_the_first_to_be_back(
    supadata: AtSupadata, youtube: AtYouTube
) -> None:
    supadata.gate.closed, youtube.gate.closed = resting("quota", 60), resting("blocked", 20)
    with pytest.raises(Resting) as caught:
        await fetch([supadata.provider, youtube.provider], ANY, supadata.errand)
    assert (caught.value.reason, caught.value.retry_after_s) == ("quota", 20)
    assert caught.value.detail == "quota. blocked."


async def test_a_busy_service_is_waited_for_beside_one_that_knows_of_no_captions(
    supadata: AtSupadata, youtube: AtYouTube
) -> None:
    youtube.server.videos[ID] = YouTubeVideo()
    supadata.server.next_answers = [refused(429, "Rate limit", **{"retry-after": "300"})]
    with pytest.raises((Busy, Resting)) as caught:
        await fetch([youtube.provider, supadata.provider], ANY, supadata.errand)
    assert (caught.value.reason, caught.value.retry_after_s) == ("provider_down", 300)


async def test_nobody_waits_for_a_blocked_service_when_another_knows_of_no_captions(
    supadata: AtSupadata, youtube: AtYouTube
) -> None:
    supadata.server.videos[ID] = SupadataVideo()
    youtube.gate.closed = resting("blocked", 600)
    with pytest.raises(LoadingFailed) as caught:
        await fetch([supadata.provider, youtube.provider], ANY, supadata.errand)
    assert not isinstance(caught.value, Resting)
    assert caught.value.reason == "no_captions"


def _open(_: str) -> OpenGate:
    return OpenGate()


async def test_a_service_without_its_key_is_passed_over() -> None:
    async with open_providers(Settings(_env_file=None), _open) as providers:
        assert [provider.name for provider in providers] == ["youtube"]
    settings = Settings(
        _env_file=None, supadata_api_key="k", transcript_providers="youtube,supadata"
    )
    async with open_providers(settings, _open) as providers:
        assert [provider.name for provider in providers] == ["youtube", "supadata"]


async def test_without_any_service_the_person_is_told_what_to_set() -> None:
    with pytest.raises(LoadingFailed, match="No transcript service") as caught:
        await fetch([], ANY, NotedErrand())
    assert "SUPADATA_API_KEY" in caught.value.next_step
