import asyncio
import json
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from talker.models import Summary
from tests import make
from tests.api.test_chat import NOWHERE, Server, kinds
from tests.conftest import App, local_user
from tests.model_server import Failure, Hangs


async def summarize(http: httpx.AsyncClient, video_id: UUID, **body: Any) -> list[dict[str, Any]]:
    """Have a summary written; every event of it."""
    url = f"/api/videos/{video_id}/summary"
    async with http.stream("POST", url, json=body) as answer:
        if answer.status_code != 200:
            await answer.aread()
            raise AssertionError(answer.text)
        lines = [line async for line in answer.aiter_lines() if line.startswith("data: ")]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


async def ocean(app: App, **values: Any) -> UUID:
    user = await local_user(app.resources)
    return await make.video(app.resources, user, texts={"en": make.OCEAN}, **values)


async def test_a_summary_is_written_while_it_is_read_and_is_there_afterwards(
    chat_app: App, model_server: Server
) -> None:
    video_id = await ocean(chat_app, youtube_id="dQw4w9WgXcQ")
    missing = await chat_app.http.get(f"/api/videos/{video_id}/summary")
    assert (missing.status_code, missing.json()["error"]) == (404, "summary_not_found")
    assert f"POST to /api/videos/{video_id}/summary" in missing.json()["detail"]

    events = await summarize(chat_app.http, video_id, style="key_moments")
    assert kinds(events) == ["status", "status", "token", "summary", "done"]
    made = make.only(events, "summary")
    shown = "".join(event["text"] for event in events if event["type"] == "token")
    assert (made["style"], made["language"], made["model"]) == ("key_moments", "en", "test/first")
    assert made["content"] == shown
    assert made["usage"]["cost_usd"] > 0
    for line, cited in zip(made["content"].splitlines(), made["citations"], strict=True):
        start_s = int(cited["start_s"])
        assert line.startswith(f"- {start_s // 60}:{start_s % 60:02} ")
        assert line.endswith(f"[{cited['n']}]")
        assert cited["url"].endswith(f"&t={start_s}s")
        assert cited["quote"] in make.OCEAN

    url = f"/api/videos/{video_id}/summary?style=key_moments&language=en-GB"
    stored = (await chat_app.http.get(url)).json()
    assert (stored["content"], stored["citations"]) == (made["content"], made["citations"])
    assert (await chat_app.http.get(f"/api/videos/{video_id}/summary")).status_code == 404

    again = await summarize(chat_app.http, video_id, style="key_moments")
    assert make.only(again, "summary") == {
        **made,
        "usage": {"input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0},
    }
    assert len(model_server[0].chat_requests()) == 1


async def test_chat_and_the_videos_page_share_their_summaries(
    chat_app: App, model_server: Server
) -> None:
    video_id = await ocean(chat_app)
    made = make.only(await summarize(chat_app.http, video_id), "summary")
    talk = await make.conversation(chat_app.http, video_ids=[str(video_id)])
    message = make.only(await make.ask(chat_app.http, talk, "Summarise this video"), "message")
    assert (message["content"], message["citations"]) == (made["content"], made["citations"])
    assert message["intent"] == "summarize"
    assert message["usage"] == {"input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0}
    assert len(model_server[0].chat_requests()) == 1


async def test_two_who_ask_at_once_read_one_making(chat_app: App, model_server: Server) -> None:
    model_server[0].token_s = 0.01
    video_id = await ocean(chat_app)
    first, second = await asyncio.gather(
        summarize(chat_app.http, video_id), summarize(chat_app.http, video_id)
    )
    assert first == second
    assert len(model_server[0].chat_requests()) == 1


async def test_a_summary_is_written_to_its_end_when_its_reader_leaves(
    chat_app: App, model_server: Server
) -> None:
    model_server[0].first_token_s = 0.3
    video_id = await ocean(chat_app)
    async with chat_app.http.stream("POST", f"/api/videos/{video_id}/summary") as answer:
        assert answer.status_code == 200
    async with asyncio.timeout(30):
        while (await chat_app.http.get(f"/api/videos/{video_id}/summary")).status_code != 200:
            await asyncio.sleep(0.05)


async def test_a_failure_is_an_event_and_nothing_is_stored(
    chat_app: App, model_server: Server
) -> None:
    video_id = await ocean(chat_app)
    model_server[0].script.append(Failure(402))
    events = await summarize(chat_app.http, video_id)
    assert kinds(events)[-2:] == ["error", "done"]
    error = make.only(events, "error")
    assert (error["error"], error["retryable"]) == ("model_out_of_credit", False)
    async with chat_app.resources.sessions() as session:
        assert (await session.scalars(select(Summary))).all() == []
    assert make.only(await summarize(chat_app.http, video_id), "summary")["citations"]


async def test_a_language_and_a_model_have_summaries_of_their_own(
    chat_app: App, model_server: Server
) -> None:
    video_id = await ocean(chat_app)
    for body in ({}, {"language": "pl"}, {"model": "test/second"}, {"language": "pl-PL"}):
        await summarize(chat_app.http, video_id, **body)
    assert len(model_server[0].chat_requests()) == 3
    polish = str(model_server[0].chat_requests()[1]["messages"][0]["content"])
    assert "Write in Polish" in polish
    by_default = (await chat_app.http.get(f"/api/videos/{video_id}/summary")).json()
    assert by_default["model"] == "test/first"


async def test_without_a_model_the_speakers_words_are_the_summary(app: App) -> None:
    video_id = await ocean(app)
    made = make.only(await summarize(app.http, video_id, language="de"), "summary")
    assert (made["model"], made["language"]) == (None, "en")
    for line, cited in zip(made["content"].splitlines(), made["citations"], strict=True):
        assert line == f"- “{cited['quote']}” [{cited['n']}]"
        assert make.OCEAN[round(cited["start_s"] / 6)] == cited["quote"]
    stored = (await app.http.get(f"/api/videos/{video_id}/summary?language=de")).json()
    assert stored["content"] == made["content"]
    refused = await app.http.post(f"/api/videos/{video_id}/summary", json={"style": "study_guide"})
    assert (refused.status_code, refused.json()["error"]) == (409, "chat_model_needed")
    assert "OPENROUTER_API_KEY" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"style": "poem"}, 422, "validation_failed"),
        ({"colour": "blue"}, 422, "validation_failed"),
        ({"language": "x"}, 422, "validation_failed"),
        ({"model": "no/such-model"}, 400, "unknown_model"),
    ],
)
async def test_what_makes_no_sense_is_refused_before_anything_is_written(
    chat_app: App, body: dict[str, Any], status: int, error: str
) -> None:
    video_id = await ocean(chat_app)
    answer = await chat_app.http.post(f"/api/videos/{video_id}/summary", json=body)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


async def test_a_video_that_says_nothing_is_not_there_or_not_ready_has_none(
    chat_app: App, model_server: Server
) -> None:
    user = await local_user(chat_app.resources)
    song = await make.video(chat_app.resources, user, texts={"en": ["[Music]"]})
    new = await make.video(chat_app.resources, user, status="loading")
    for video_id, status, error in (
        (song, 409, "nothing_said"),
        (new, 409, "video_not_ready"),
        (NOWHERE, 404, "video_not_found"),
    ):
        answer = await chat_app.http.post(f"/api/videos/{video_id}/summary")
        assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert model_server[0].chat_requests() == []


async def test_a_part_that_is_stopped_with_the_conversation_is_no_summary(
    chat_app: App, model_server: Server
) -> None:
    video_id = await ocean(chat_app)
    model_server[0].script.append(Hangs(30))
    talk = await make.conversation(chat_app.http, video_ids=[str(video_id)])
    asking = asyncio.create_task(make.ask(chat_app.http, talk, "Summarise this video"))
    while not model_server[0].requests:
        await asyncio.sleep(0.01)
    await chat_app.http.post(f"/api/conversations/{talk}/stop")
    async with asyncio.timeout(20):
        assert make.only(await asking, "message")["content"] == ""
    assert (await chat_app.http.get(f"/api/videos/{video_id}/summary")).status_code == 404
