"""The order in which transcript services are asked."""

import pytest

from ingestion.transcripts import describe, fetch, open_providers
from talker.errors import LoadingFailed
from talker.settings import Settings
from tests.ingestion.conftest import AtSupadata, AtYouTube
from tests.supadata_server import Answer, SupadataVideo
from tests.youtube_server import Track, YouTubeVideo

ID = "dQw4w9WgXcQ"
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
    fetched = await fetch([supadata.provider, youtube.provider], ID, [])
    assert fetched.provider == "youtube"


async def test_what_is_said_of_the_video_itself_is_final(
    supadata: AtSupadata, youtube: AtYouTube
) -> None:
    youtube.server.videos[ID] = THERE
    with pytest.raises(LoadingFailed) as caught:
        await fetch([supadata.provider, youtube.provider], ID, [])
    assert caught.value.reason == "removed"
    assert youtube.server.requests == []


async def test_the_first_services_failure_is_named_with_the_others_beside_it(
    supadata: AtSupadata, youtube: AtYouTube
) -> None:
    supadata.server.next_answers = [Answer(401)]
    youtube.server.blocking = True
    with pytest.raises(LoadingFailed) as caught:
        await fetch([supadata.provider, youtube.provider], ID, [])
    assert caught.value.reason == "unauthorised"
    assert "refuses the key" in caught.value.detail
    assert "YouTube blocks" in caught.value.detail


async def test_a_title_is_found_where_there_is_one(
    supadata: AtSupadata, youtube: AtYouTube
) -> None:
    youtube.server.videos[ID] = THERE
    supadata.server.next_answers = [Answer(404)]
    found = await describe([supadata.provider, youtube.provider], ID)
    assert found.title == "From YouTube"
    supadata.server.videos[ID] = SupadataVideo(title="From Supadata")
    found = await describe([supadata.provider, youtube.provider], ID)
    assert found.title == "From Supadata"
    assert (await describe([], ID)).title == f"YouTube video {ID}"


async def test_a_service_without_its_key_is_passed_over() -> None:
    async with open_providers(Settings(_env_file=None)) as providers:
        assert [provider.name for provider in providers] == ["youtube"]
    settings = Settings(
        _env_file=None, supadata_api_key="k", transcript_providers="youtube,supadata"
    )
    async with open_providers(settings) as providers:
        assert [provider.name for provider in providers] == ["youtube", "supadata"]


async def test_without_any_service_the_person_is_told_what_to_set() -> None:
    with pytest.raises(LoadingFailed, match="No transcript service") as caught:
        await fetch([], ID, [])
    assert "SUPADATA_API_KEY" in caught.value.next_step
