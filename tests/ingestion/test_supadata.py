"""Supadata: what is asked, what its answers mean, what is tried again, what it costs."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from ingestion.provider import Busy, Captions, Metadata, Resting, Wanted
from ingestion.supadata import Supadata
from ingestion.supadata_calls import BUSY_ROUNDS, TRIES
from talker.errors import LoadingFailed
from talker.sentences import TimedText
from tests.ingestion.conftest import AtSupadata, NotedErrand, OpenGate
from tests.supadata_server import Answer, SupadataVideo, refused

ID = "dQw4w9WgXcQ"
ENGLISH = [(0, 1500, "Plants look green."), (1500, 2000, "They absorb red light.")]
POLISH = [(0, 1500, "Rośliny są zielone.")]
ANY = Wanted(ID)


async def failure(at: AtSupadata, wanted: Wanted = ANY) -> LoadingFailed:
    with pytest.raises(LoadingFailed) as caught:
        await at.provider.transcript(wanted, at.errand)
    assert caught.value.detail.endswith((".", '"')) or "Supadata" in caught.value.detail
    assert caught.value.next_step
    return caught.value


async def test_captions_come_with_their_milliseconds_and_their_cost(supadata: AtSupadata) -> None:
    supadata.server.videos[ID] = SupadataVideo({"en": ENGLISH})
    fetched = await supadata.provider.transcript(ANY, supadata.errand)
    assert list(fetched.segments) == [
        TimedText(0, 1500, "Plants look green."),
        TimedText(1500, 2000, "They absorb red light."),
    ]
    assert (fetched.provider, fetched.language, fetched.kind) == ("supadata", "en", "manual")
    assert supadata.errand.charges == [("supadata", "/transcript", 1)]
    assert supadata.server.requests == [
        ("/v1/transcript", {"url": f"https://www.youtube.com/watch?v={ID}", "mode": "native"})
    ]
    assert supadata.gate.reports == [None]


async def test_captions_without_full_stops_count_as_recognised(supadata: AtSupadata) -> None:
    supadata.server.videos[ID] = SupadataVideo({"en": [(0, 1000, "so plants look green")]})
    assert (await supadata.provider.transcript(ANY, supadata.errand)).kind == "automatic"


async def test_the_wanted_language_is_asked_for(supadata: AtSupadata) -> None:
    supadata.server.videos[ID] = SupadataVideo({"en": ENGLISH, "pl": POLISH})
    fetched = await supadata.provider.transcript(Wanted(ID, ["pl", "en"]), supadata.errand)
    assert fetched.language == "pl"
    assert fetched.available == [Captions("en"), Captions("pl")]
    assert len(supadata.server.requests) == 1


async def test_a_second_choice_is_asked_for_when_the_first_is_silently_replaced(
    supadata: AtSupadata,
) -> None:
    supadata.server.videos[ID] = SupadataVideo({"en": ENGLISH, "pl-PL": POLISH})
    fetched = await supadata.provider.transcript(Wanted(ID, ["de", "pl"]), supadata.errand)
    assert fetched.language == "pl-PL"
    assert supadata.errand.spent == 2


async def test_captions_in_no_wanted_language_are_better_than_none(supadata: AtSupadata) -> None:
    supadata.server.videos[ID] = SupadataVideo({"en": ENGLISH})
    fetched = await supadata.provider.transcript(Wanted(ID, ["de"]), supadata.errand)
    assert fetched.language == "en"


async def test_captions_in_no_wanted_language_do_not_do_when_the_language_is_all_that_counts(
    supadata: AtSupadata,
) -> None:
    supadata.server.videos[ID] = SupadataVideo({"en": ENGLISH, "pl": POLISH})
    found = await failure(supadata, Wanted(ID, ["de"], strictly=True))
    assert found.reason == "no_captions"
    assert "en, pl" in found.next_step
    assert supadata.errand.spent == 1


async def test_206_means_that_there_are_no_captions_and_costs_a_credit(
    supadata: AtSupadata,
) -> None:
    supadata.server.videos[ID] = SupadataVideo()
    assert (await failure(supadata)).reason == "no_captions"
    assert supadata.errand.spent == supadata.server.billed == 1


async def test_empty_captions_mean_that_nothing_is_said(supadata: AtSupadata) -> None:
    supadata.server.videos[ID] = SupadataVideo({"en": []})
    assert (await failure(supadata)).reason == "no_speech"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(401, {"error": "unauthorized"}), "unauthorised"),
        (refused(402), "quota"),
        (refused(403), "private"),
        (refused(403, "Access to this resource is forbidden"), "private"),
        (refused(403, "This video is available to channel members only"), "members_only"),
        (refused(403, "This video is members-only content"), "members_only"),
        (refused(403, "The video is age-restricted"), "age_restricted"),
        (refused(403, "Sign in to confirm your age"), "age_restricted"),
        (refused(404, "The requested item could not be found"), "removed"),
        (refused(404, "This video is private"), "private"),
        (refused(400, "Required parameters are missing"), "not_a_video"),
        (refused(400, "Live streams are not supported"), "live"),
        (refused(400, "This live event will begin in 3 hours"), "upcoming"),
        (Answer(422, {"details": "The premiere has not started"}), "upcoming"),
        (Answer(400, {"error": "transcript-unavailable"}), "no_captions"),
        (refused(429, "Plan usage limit was exceeded"), "quota"),
        (refused(429, "Monthly quota exceeded"), "quota"),
    ],
)
async def test_what_asking_again_cannot_change_is_asked_once(
    supadata: AtSupadata, answer: Answer, reason: str
) -> None:
    supadata.server.next_answers = [answer]
    assert (await failure(supadata)).reason == reason
    assert len(supadata.server.requests) == 1
    assert supadata.gate.reasons() == [reason]


async def test_a_wrong_key_says_which_setting_to_check(supadata: AtSupadata) -> None:
    async with httpx.AsyncClient(
        base_url=f"{supadata.url}/v1", headers={"x-api-key": "wrong"}
    ) as http:
        with pytest.raises(LoadingFailed, match="refuses the key") as caught:
            await Supadata(http, OpenGate()).transcript(ANY, NotedErrand())
    assert "SUPADATA_API_KEY" in caught.value.next_step


@pytest.mark.parametrize("stumble", [refused(500), Answer(503, None)])
async def test_a_stumble_is_tried_again(supadata: AtSupadata, stumble: Answer) -> None:
    supadata.server.videos[ID] = SupadataVideo({"en": ENGLISH})
    supadata.server.next_answers = [stumble, stumble]
    assert len((await supadata.provider.transcript(ANY, supadata.errand)).segments) == 2
    assert supadata.gate.reasons() == ["provider_down", "provider_down", None]


async def test_a_lasting_outage_is_reported_after_a_few_tries(supadata: AtSupadata) -> None:
    supadata.server.next_answers = [Answer(500)] * 10
    assert (await failure(supadata)).reason == "provider_down"
    assert len(supadata.server.requests) == TRIES


async def test_credits_that_an_error_took_are_written_down(supadata: AtSupadata) -> None:
    supadata.server.next_answers = [Answer(500, None, {"x-billable-requests": "1"})] * TRIES
    await failure(supadata)
    assert supadata.errand.spent == supadata.server.billed == TRIES


async def test_the_rate_limit_is_told_to_the_gate_and_asked_again(supadata: AtSupadata) -> None:
    supadata.server.videos[ID] = SupadataVideo({"en": ENGLISH})
    limited = refused(429, "Rate limit exceeded", **{"retry-after": "2"})
    supadata.server.next_answers = [limited, limited]
    await supadata.provider.transcript(ANY, supadata.errand)
    told = supadata.gate.reports[:2]
    assert [type(one) for one in told] == [Busy, Busy]
    assert [one.retry_after_s for one in told if one] == [2, 2]
    assert supadata.gate.entered == 3


async def test_a_rate_limit_that_does_not_end_leaves_the_job_to_wait(supadata: AtSupadata) -> None:
    supadata.server.limit_until = time.monotonic() + 60
    found = await failure(supadata)
    assert isinstance(found, Busy)
    assert found.retry_after_s == 60
    assert supadata.server.counts["/v1/transcript"] == BUSY_ROUNDS


async def test_a_long_retry_after_is_left_to_the_queue(supadata: AtSupadata) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=600), usegmt=True)
    supadata.server.next_answers = [refused(429, "Rate limit", **{"retry-after": date})]
    found = await failure(supadata)
    assert isinstance(found, Busy)
    assert found.retry_after_s == pytest.approx(600, abs=5)
    assert len(supadata.server.requests) == 1


@pytest.mark.parametrize(("used", "reason"), [(100_000, "quota"), (5, "provider_down")])
async def test_which_limit_it_was_is_asked_where_the_sentence_names_both(
    supadata: AtSupadata, used: int, reason: str
) -> None:
    supadata.server.account["usedCredits"] = used
    both = "You have exceeded the allowed request rate or quota limits"
    supadata.server.next_answers = [refused(429, both)] * 10
    assert (await failure(supadata)).reason == reason


async def test_a_time_out_is_not_asked_again_since_it_is_paid_for(supadata: AtSupadata) -> None:
    supadata.server.videos[ID] = SupadataVideo({"en": ENGLISH})
    supadata.server.delay_s = 1
    gate = OpenGate()
    async with httpx.AsyncClient(
        base_url=f"{supadata.url}/v1", headers={"x-api-key": "wrong"}, timeout=0.1
    ) as http:
        with pytest.raises(LoadingFailed, match="in time") as caught:
            await Supadata(http, gate).transcript(ANY, NotedErrand())
    assert caught.value.reason == "provider_down"
    assert gate.reasons() == ["provider_down"]
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


async def test_an_unreachable_service_is_down() -> None:
    async with httpx.AsyncClient(base_url="http://127.0.0.1:9/v1") as http:
        with pytest.raises(LoadingFailed, match="cannot be reached") as caught:
            await Supadata(http, OpenGate(), wait_s=0.001).transcript(ANY, NotedErrand())
    assert caught.value.reason == "provider_down"


async def test_a_service_that_is_left_alone_is_not_asked(supadata: AtSupadata) -> None:
    supadata.gate.closed = Resting({"reason": "quota", "detail": "Spent.", "next_step": "Wait."}, 9)
    assert await failure(supadata) is supadata.gate.closed
    assert supadata.server.requests == []


async def test_metadata_tells_title_channel_length_date_and_description(
    supadata: AtSupadata,
) -> None:
    supadata.server.videos[ID] = SupadataVideo(
        title="Leaves", channel="Ada", duration_s=61.5, description="0:00 Start\n1:00 End"
    )
    assert await supadata.provider.metadata(ID, supadata.errand) == Metadata(
        title="Leaves",
        channel="Ada",
        duration_ms=61_500,
        published_at=datetime(2024, 5, 1, 10, tzinfo=UTC),
        description="0:00 Start\n1:00 End",
    )
    assert supadata.errand.charges == [("supadata", "/metadata", 1)]


async def test_unknown_fields_and_missing_ones_do_no_harm(supadata: AtSupadata) -> None:
    supadata.server.next_answers = [Answer(200, {"title": None, "new": {"field": 1}})]
    assert await supadata.provider.metadata(ID, supadata.errand) == Metadata(title="")
