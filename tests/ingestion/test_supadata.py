"""Supadata: what is asked, what its answers mean, what is tried again."""

from datetime import UTC, datetime

import httpx
import pytest

from ingestion.supadata import TRIES, Supadata
from talker.errors import LoadingFailed
from talker.sentences import TimedText
from tests.ingestion.conftest import AtSupadata
from tests.supadata_server import Answer, SupadataVideo

ID = "dQw4w9WgXcQ"
ENGLISH = [(0, 1500, "Plants look green."), (1500, 2000, "They absorb red light.")]
POLISH = [(0, 1500, "Rośliny są zielone.")]


async def failure(at: AtSupadata, languages: tuple[str, ...] = ()) -> LoadingFailed:
    with pytest.raises(LoadingFailed) as caught:
        await at.provider.transcript(ID, languages)
    assert caught.value.detail.endswith((".", '"')) or "Supadata" in caught.value.detail
    assert caught.value.next_step
    return caught.value


def limited(status: int, details: str = "", **headers: str) -> Answer:
    body = {"error": "limit-exceeded", "message": "Limit Exceeded", "details": details}
    return Answer(status, body, headers)


async def test_captions_come_with_their_milliseconds_and_their_cost(supadata: AtSupadata) -> None:
    supadata.server.videos[ID] = SupadataVideo({"en": ENGLISH})
    fetched = await supadata.provider.transcript(ID, [])
    assert list(fetched.segments) == [
        TimedText(0, 1500, "Plants look green."),
        TimedText(1500, 2000, "They absorb red light."),
    ]
    assert (fetched.language, fetched.kind, fetched.credits) == ("en", "manual", 1)
    assert supadata.server.requests == [
        ("/v1/transcript", {"url": f"https://www.youtube.com/watch?v={ID}", "mode": "native"})
    ]


async def test_captions_without_full_stops_count_as_recognised(supadata: AtSupadata) -> None:
    supadata.server.videos[ID] = SupadataVideo({"en": [(0, 1000, "so plants look green")]})
    assert (await supadata.provider.transcript(ID, [])).kind == "automatic"


async def test_a_transcript_job_is_polled_until_it_is_done(supadata: AtSupadata) -> None:
    supadata.server.videos[ID] = SupadataVideo({"en": ENGLISH}, polls=3)
    fetched = await supadata.provider.transcript(ID, [])
    assert len(fetched.segments) == 2
    assert fetched.credits == 1
    assert supadata.server.paths() == ["/v1/transcript", *["/v1/transcript/job-0"] * 4]


async def test_the_wanted_language_is_asked_for(supadata: AtSupadata) -> None:
    supadata.server.videos[ID] = SupadataVideo({"en": ENGLISH, "pl": POLISH})
    assert (await supadata.provider.transcript(ID, ["pl", "en"])).language == "pl"
    assert len(supadata.server.requests) == 1


async def test_a_second_choice_is_asked_for_when_the_first_is_silently_replaced(
    supadata: AtSupadata,
) -> None:
    supadata.server.videos[ID] = SupadataVideo({"en": ENGLISH, "pl-PL": POLISH})
    fetched = await supadata.provider.transcript(ID, ["de", "pl"])
    assert fetched.language == "pl-PL"
    assert fetched.credits == 2


async def test_captions_in_no_wanted_language_are_better_than_none(supadata: AtSupadata) -> None:
    supadata.server.videos[ID] = SupadataVideo({"en": ENGLISH})
    assert (await supadata.provider.transcript(ID, ["de"])).language == "en"


async def test_206_means_that_there_are_no_captions(supadata: AtSupadata) -> None:
    supadata.server.videos[ID] = SupadataVideo()
    assert (await failure(supadata)).reason == "no_captions"


async def test_empty_captions_mean_that_nothing_is_said(supadata: AtSupadata) -> None:
    supadata.server.videos[ID] = SupadataVideo({"en": []})
    assert (await failure(supadata)).reason == "no_speech"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(401, {"error": "unauthorized"}), "unauthorised"),
        (Answer(402, {"error": "upgrade-required"}), "quota"),
        (Answer(403, {"error": "forbidden"}), "private"),
        (Answer(404, {"error": "not-found"}), "removed"),
        (Answer(400, {"error": "invalid-request"}), "not_a_video"),
        (Answer(400, {"error": "transcript-unavailable"}), "no_captions"),
        (limited(429, "Plan usage limit was exceeded"), "quota"),
        (limited(429, "Monthly quota exceeded"), "quota"),
    ],
)
async def test_what_asking_again_cannot_change_is_asked_once(
    supadata: AtSupadata, answer: Answer, reason: str
) -> None:
    supadata.server.next_answers = [answer]
    assert (await failure(supadata)).reason == reason
    assert len(supadata.server.requests) == 1


async def test_a_wrong_key_says_which_setting_to_check(supadata: AtSupadata) -> None:
    async with httpx.AsyncClient(
        base_url=f"{supadata.url}/v1", headers={"x-api-key": "wrong"}
    ) as http:
        with pytest.raises(LoadingFailed, match="refuses the key") as caught:
            await Supadata(http).transcript(ID, [])
    assert "SUPADATA_API_KEY" in caught.value.next_step


@pytest.mark.parametrize(
    "stumble",
    [
        limited(429, "Rate limit exceeded"),
        limited(429, "Rate limit exceeded", **{"retry-after": "2"}),
        Answer(500, {"error": "internal-error"}),
        Answer(503, None),
    ],
)
async def test_a_stumble_is_tried_again(supadata: AtSupadata, stumble: Answer) -> None:
    supadata.server.videos[ID] = SupadataVideo({"en": ENGLISH})
    supadata.server.next_answers = [stumble, stumble]
    assert len((await supadata.provider.transcript(ID, [])).segments) == 2


async def test_a_lasting_outage_is_reported_after_a_few_tries(supadata: AtSupadata) -> None:
    supadata.server.next_answers = [Answer(500)] * 10
    assert (await failure(supadata)).reason == "provider_down"
    assert len(supadata.server.requests) == TRIES


async def test_a_long_retry_after_is_left_to_the_queue(supadata: AtSupadata) -> None:
    supadata.server.next_answers = [limited(429, "Rate limit", **{"retry-after": "120"})]
    found = await failure(supadata)
    assert (found.reason, found.retry_after_s) == ("provider_down", 120)
    assert len(supadata.server.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {"content": "plain text"},
        {"content": [{"text": "a", "offset": -1, "duration": 1}]},
        {"content": [{"text": "a", "offset": "soon", "duration": 1}]},
    ],
)
async def test_an_answer_that_makes_no_sense_is_no_transcript(
    supadata: AtSupadata, body: object
) -> None:
    supadata.server.next_answers = [Answer(200, body)]
    assert (await failure(supadata)).reason == "provider_down"


async def test_a_failed_job_ends_the_polling(supadata: AtSupadata) -> None:
    error = {"error": "transcript-unavailable", "message": "No transcript"}
    supadata.server.next_answers = [
        Answer(202, {"jobId": "j"}),
        Answer(200, {"status": "failed", "error": error}),
    ]
    assert (await failure(supadata)).reason == "no_captions"


async def test_a_job_that_was_forgotten_does_not_mean_that_the_video_was(
    supadata: AtSupadata,
) -> None:
    supadata.server.next_answers = [Answer(202, {"jobId": "j"})]
    assert (await failure(supadata)).reason == "provider_down"


async def test_an_unreachable_service_is_down() -> None:
    async with httpx.AsyncClient(base_url="http://127.0.0.1:9/v1") as http:
        with pytest.raises(LoadingFailed, match="cannot be reached") as caught:
            await Supadata(http, wait_s=0.001).transcript(ID, [])
    assert caught.value.reason == "provider_down"


async def test_metadata_tells_title_channel_length_and_date(supadata: AtSupadata) -> None:
    supadata.server.videos[ID] = SupadataVideo(title="Leaves", channel="Ada", duration_s=61.5)
    found = await supadata.provider.metadata(ID)
    assert (found.title, found.channel, found.duration_ms) == ("Leaves", "Ada", 61_500)
    assert found.published_at == datetime(2024, 5, 1, 10, tzinfo=UTC)
    assert found.credits == 1


async def test_unknown_fields_and_missing_ones_do_no_harm(supadata: AtSupadata) -> None:
    supadata.server.next_answers = [Answer(200, {"title": None, "new": {"field": 1}})]
    found = await supadata.provider.metadata(ID)
    assert (found.title, found.duration_ms, found.published_at) == ("", None, None)
