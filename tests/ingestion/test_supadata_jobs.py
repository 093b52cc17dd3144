"""Supadata's own jobs: long transcripts, generated ones and batches."""

import pytest

from ingestion.provider import FetchedTranscript, Wanted
from talker.errors import LoadingFailed
from tests.ingestion.conftest import AtSupadata, NotedErrand
from tests.supadata_server import Answer, SupadataVideo, refused

ID, OTHER = "dQw4w9WgXcQ", "AAAAAAAAAAA"
ENGLISH = [(0, 1500, "Plants look green."), (1500, 2000, "They absorb red light.")]
POLISH = [(0, 1500, "Rośliny są zielone.")]
GENERATED = Wanted(ID, generate=True)


async def failure(at: AtSupadata, wanted: Wanted) -> LoadingFailed:
    with pytest.raises(LoadingFailed) as caught:
        await at.provider.transcript(wanted, at.errand)
    return caught.value


async def test_a_transcript_job_is_polled_until_it_is_done(supadata: AtSupadata) -> None:
    supadata.server.videos[ID] = SupadataVideo({"en": ENGLISH}, polls=3)
    fetched = await supadata.provider.transcript(Wanted(ID, ["en"]), supadata.errand)
    assert len(fetched.segments) == 2
    assert supadata.errand.spent == 1
    assert supadata.server.paths() == ["/v1/transcript", *["/v1/transcript/job-0"] * 4]
    assert supadata.gate.entered == 1
    assert supadata.errand.service_job == {
        "provider": "supadata",
        "id": "job-0",
        "mode": "native",
        "language": "en",
    }


async def test_a_new_worker_asks_for_the_end_of_the_job_and_pays_nothing(
    supadata: AtSupadata,
) -> None:
    supadata.server.videos[ID] = SupadataVideo({"en": ENGLISH, "pl": POLISH}, polls=2)
    await supadata.provider.transcript(Wanted(ID, ["pl"]), supadata.errand)
    later = NotedErrand(supadata.errand.service_job)
    fetched = await supadata.provider.transcript(Wanted(ID, ["pl"]), later)
    assert fetched.language == "pl"
    assert later.spent == 0
    assert supadata.server.asked[ID] == 1


async def test_a_job_that_supadata_lost_is_asked_for_anew(supadata: AtSupadata) -> None:
    supadata.server.videos[ID] = SupadataVideo({"en": ENGLISH})
    lost = NotedErrand({"provider": "supadata", "id": "old", "mode": "native", "language": None})
    assert len((await supadata.provider.transcript(Wanted(ID), lost)).segments) == 2
    assert lost.spent == 1
    assert lost.service_job is None


async def test_a_lost_job_that_generated_is_asked_for_in_the_same_way(
    supadata: AtSupadata,
) -> None:
    supadata.server.videos[ID] = SupadataVideo(spoken=("en", ENGLISH))
    lost = NotedErrand({"provider": "supadata", "id": "old", "mode": "generate", "language": None})
    assert (await supadata.provider.transcript(GENERATED, lost)).kind == "generated"
    assert [params.get("mode") for _, params in supadata.server.requests] == [None, "generate"]


async def test_another_services_job_is_left_alone(supadata: AtSupadata) -> None:
    supadata.server.videos[ID] = SupadataVideo({"en": ENGLISH})
    errand = NotedErrand({"provider": "other", "id": "x"})
    await supadata.provider.transcript(Wanted(ID), errand)
    assert supadata.server.paths() == ["/v1/transcript"]
    assert errand.service_job == {"provider": "other", "id": "x"}


async def test_a_failed_job_ends_the_polling_and_is_forgotten(supadata: AtSupadata) -> None:
    supadata.server.next_answers = [
        Answer(202, {"jobId": "j"}),
        Answer(200, {"status": "failed", "error": {"error": "forbidden", "message": "Forbidden"}}),
    ]
    assert (await failure(supadata, Wanted(ID))).reason == "private"
    assert supadata.errand.service_job is None


async def test_a_job_that_was_forgotten_does_not_mean_that_the_video_was(
    supadata: AtSupadata,
) -> None:
    supadata.server.next_answers = [Answer(202, {"jobId": "j"})]
    assert (await failure(supadata, Wanted(ID))).reason == "provider_down"
    assert supadata.errand.service_job is None


async def test_a_poll_waits_for_the_rate_limit_and_outlives_a_stumble(
    supadata: AtSupadata,
) -> None:
    supadata.server.videos[ID] = SupadataVideo({"en": ENGLISH})
    supadata.server.next_answers = [
        Answer(202, {"jobId": "j"}),
        refused(429, "Rate limit exceeded", **{"retry-after": "2"}),
        Answer(503),
        Answer(
            200,
            {
                "status": "completed",
                "lang": "en",
                "content": [{"text": "Hello.", "offset": 0, "duration": 900}],
            },
        ),
    ]
    fetched = await supadata.provider.transcript(Wanted(ID), supadata.errand)
    assert [segment.text for segment in fetched.segments] == ["Hello."]


async def test_captions_are_generated_only_where_there_are_none(supadata: AtSupadata) -> None:
    there = SupadataVideo({"en": ENGLISH}, spoken=("en", POLISH))
    supadata.server.videos = {ID: there, OTHER: SupadataVideo(spoken=("pl", POLISH))}
    found = await supadata.provider.transcript(GENERATED, supadata.errand)
    assert (found.kind, supadata.errand.spent) == ("manual", 1)
    made = await supadata.provider.transcript(Wanted(OTHER, generate=True), supadata.errand)
    assert (made.kind, made.language) == ("generated", "pl")
    assert supadata.errand.charges[1:] == [
        ("supadata", "/transcript", 1),
        ("supadata", "/transcript", 2),
    ]


async def test_nothing_is_generated_unasked(supadata: AtSupadata) -> None:
    supadata.server.videos[ID] = SupadataVideo(spoken=("en", ENGLISH))
    assert (await failure(supadata, Wanted(ID))).reason == "no_captions"
    assert supadata.errand.spent == 1


async def test_a_long_video_is_generated_by_a_job_that_a_restart_takes_up(
    supadata: AtSupadata,
) -> None:
    supadata.server.videos[ID] = SupadataVideo(spoken=("en", ENGLISH), polls=2, duration_s=3600)
    assert (await supadata.provider.transcript(GENERATED, supadata.errand)).kind == "generated"
    assert supadata.errand.spent == 1 + 2 * 60
    later = NotedErrand(supadata.errand.service_job)
    assert (await supadata.provider.transcript(GENERATED, later)).kind == "generated"
    assert later.spent == 0


async def test_a_batch_gives_each_video_its_transcript_or_its_reason(supadata: AtSupadata) -> None:
    supadata.server.videos = {
        ID: SupadataVideo({"en": ENGLISH, "pl": POLISH}),
        OTHER: SupadataVideo(),
        "BBBBBBBBBBB": SupadataVideo({"en": []}),
        "CCCCCCCCCCC": SupadataVideo(fault=refused(403)),
    }
    supadata.server.batch_polls = 1
    ids = [*supadata.server.videos, "DDDDDDDDDDD"]
    batch = await supadata.provider.start_batch(ids, "pl", supadata.errand)
    assert batch is not None
    assert supadata.errand.charges == [("supadata", "/youtube/transcript/batch", 6)]
    assert await supadata.provider.batch_results(batch, supadata.errand) is None
    results = await supadata.provider.batch_results(batch, supadata.errand)
    assert results is not None
    fetched = results.pop(ID)
    assert isinstance(fetched, FetchedTranscript)
    assert (fetched.language, [there.language for there in fetched.available]) == (
        "pl",
        ["en", "pl"],
    )
    failures = {
        found: one.reason for found, one in results.items() if isinstance(one, LoadingFailed)
    }
    assert failures == {
        OTHER: "no_captions",
        "BBBBBBBBBBB": "no_speech",
        "CCCCCCCCCCC": "private",
        "DDDDDDDDDDD": "removed",
    }


async def test_a_plan_without_batches_is_no_fault_of_the_service(supadata: AtSupadata) -> None:
    supadata.server.plan_has_batches = False
    assert await supadata.provider.start_batch([ID], None, supadata.errand) is None
    assert supadata.gate.reports == [None]


async def test_a_batch_that_is_lost_or_given_up_is_an_outage(supadata: AtSupadata) -> None:
    with pytest.raises(LoadingFailed, match="lost") as caught:
        await supadata.provider.batch_results("old", supadata.errand)
    assert caught.value.reason == "provider_down"
    supadata.server.next_answers = [Answer(200, {"status": "failed", "results": [], "stats": {}})]
    with pytest.raises(LoadingFailed, match="gave") as caught:
        await supadata.provider.batch_results("b", supadata.errand)
    assert caught.value.reason == "provider_down"
