"""Summaries of long videos, several videos, and runs that break off, by the graph itself."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from langchain_core.runnables import RunnableConfig
from sqlalchemy import delete, select, text

from agent.checkpoints import open_checkpointer
from agent.graph import build_graph
from agent.models import ChatModels
from agent.search import Search
from agent.state import CALLS_AT_ONCE, Question, Reader
from agent.summarizer import WRITTEN_FROM_TOKENS, Summarizer
from talker.errors import ModelError
from talker.models import ModelCall, Summary, TranscriptNotes, User
from talker.resources import Resources, open_resources
from talker.settings import Settings
from talker.text import token_estimate
from tests import make
from tests.model_server import Failure, Hangs, ModelServer

HOUR_LINES = 600
"""Of six seconds each."""


@dataclass
class Desk:
    """The graph with a model server, and what it takes to ask it."""

    graph: Any
    resources: Resources
    server: ModelServer
    user: User

    async def ask(
        self, content: str, *video_ids: UUID, thread: str | None = None, **reader: Any
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The state in the end, and the events on the way."""
        state: dict[str, Any] = {}
        events: list[dict[str, Any]] = []
        question = Question(
            messages=[("user", content)],  # type: ignore[list-item]  # LangGraph makes a message of it
            video_ids=[str(video_id) for video_id in video_ids] or None,
        )
        async for kind, part in self.graph.astream(
            question,
            thread_of(thread),
            context=Reader(user_id=self.user.id, **reader),
            stream_mode=["custom", "values"],
            durability="async",
        ):
            if kind == "custom":
                events.append(part)
            else:
                state = part
        return state, events

    async def long_video(self, hours: float, title: str = "A long talk", **values: Any) -> UUID:
        lines = speech(round(hours * HOUR_LINES))
        return await make.video(
            self.resources, self.user, title=title, texts={"en": lines}, **values
        )


def thread_of(thread: str | None) -> RunnableConfig:
    return {"configurable": {"thread_id": thread or uuid4().hex}}


def speech(count: int) -> list[str]:
    """Lines of as many words as are spoken in six seconds, no two alike."""
    return [
        f"At stop {number} of the voyage the crew of ship {number % 7} found harbour{number} "
        f"and then wrote a letter home about it."
        for number in range(count)
    ]


def tokens_of(events: Sequence[dict[str, Any]]) -> str:
    return "".join(event["text"] for event in events if event["type"] == "token")


def details(events: Sequence[dict[str, Any]]) -> list[str]:
    return [event["detail"] for event in events if event["type"] == "status"]


@pytest.fixture
async def desk(
    make_settings: Callable[..., Settings], model_server: tuple[ModelServer, str]
) -> AsyncIterator[Desk]:
    server, url = model_server
    settings = make_settings(
        openrouter_base_url=url, chat_models=("test/first",), model_timeout_s=20
    )
    async with open_resources(settings) as resources:
        models = ChatModels(settings, resources.sessions)
        graph = build_graph(
            sessions=resources.sessions,
            search=Search(resources.chunks, resources.sessions),
            models=models,
            embeddings=resources.local_embeddings,
            loader=None,
            summarizer=Summarizer(resources.sessions, models, resources.local_embeddings),
            checkpointer=open_checkpointer(resources.pool),
        )
        async with resources.sessions() as session:
            user = (await session.scalars(select(User))).one()
        yield Desk(graph, resources, server, user)
        await models.aclose()


async def test_three_hours_are_read_from_the_first_word_to_the_last(desk: Desk) -> None:
    video_id = await desk.long_video(3)
    calls: list[ModelCall] = []
    state, events = await desk.ask("Give me a detailed summary", video_id, calls=calls)
    requests = desk.server.chat_requests()
    read = "\n".join(str(body["messages"][-1]["content"]) for body in requests[:-1])
    assert all(f"harbour{number} " in read for number in range(3 * HOUR_LINES))
    count = len(requests) - 1
    assert 8 <= count <= 15
    assert [one for one in details(events) if one.startswith("Reading")] == [
        f"Reading part {number} of {count}" for number in range(1, count + 1)
    ]
    starts = [cited["start_ms"] for cited in state["citations"]]
    assert min(starts) < 600_000
    assert max(starts) > 9_000_000
    assert tokens_of(events) == state["messages"][-1].text
    assert len(calls) == len(requests)
    assert state["usage"]["output_tokens"] == sum(call.output_tokens or 0 for call in calls)


async def test_no_more_calls_than_a_service_stands_are_made_side_by_side(desk: Desk) -> None:
    desk.server.first_token_s = 0.2
    video_id = await desk.long_video(5)
    asking = asyncio.create_task(desk.ask("Give me a detailed summary", video_id))
    most = 0
    while not asking.done():
        most = max(most, desk.server.open_streams)
        await asyncio.sleep(0.01)
    await asking
    assert 2 <= most <= CALLS_AT_ONCE


async def test_a_short_video_takes_one_call_and_the_second_ask_none(desk: Desk) -> None:
    video_id = await make.video(desk.resources, desk.user, texts={"en": make.OCEAN})
    first, _ = await desk.ask("Summarise this video", video_id)
    assert len(desk.server.chat_requests()) == 1
    second, events = await desk.ask("Please summarise this video", video_id)
    assert len(desk.server.chat_requests()) == 1
    assert second["messages"][-1].text == first["messages"][-1].text == tokens_of(events)
    assert second["citations"] == first["citations"] != []
    assert (first["usage"]["input_tokens"] > 0, second["usage"]) == (True, None)


async def test_another_style_of_a_long_video_is_written_from_the_same_notes(desk: Desk) -> None:
    video_id = await desk.long_video(1)
    await desk.ask("Give me a detailed summary", video_id)
    before = len(desk.server.chat_requests())
    assert before > 2
    state, _ = await desk.ask("List the key moments", video_id)
    assert len(desk.server.chat_requests()) == before + 1
    assert state["messages"][-1].text.startswith("- 0:00 ")


async def test_a_summary_is_of_one_transcript(desk: Desk) -> None:
    """Captions in the asker's language, loaded later, are summarised anew."""
    texts = {"de": ["Der Ozean ist tief und dunkel und kalt."]}
    video_id = await make.video(desk.resources, desk.user, texts=texts)
    await desk.ask("Summarise this video", video_id)
    await make.transcript(desk.resources, video_id, "en", make.OCEAN)
    state, _ = await desk.ask("Summarise this video", video_id)
    assert len(desk.server.chat_requests()) == 2
    assert "deep ocean" in state["messages"][-1].text


async def test_a_part_that_fails_fails_the_summary_and_the_others_are_not_read_again(
    desk: Desk,
) -> None:
    video_id = await desk.long_video(1.5)
    thread = uuid4().hex
    desk.server.script.extend(["- Noted [1]", "- Noted [1]", Failure(402)])
    with pytest.raises(ModelError):
        await desk.ask("Give me a detailed summary", video_id, thread=thread)
    async with desk.resources.sessions() as session:
        kept = len((await session.scalars(select(TranscriptNotes))).all())
        assert (await session.scalars(select(Summary))).all() == []
    assert kept >= 1
    before = len(desk.server.chat_requests())
    state, _ = await desk.ask("Give me a detailed summary", video_id, thread=thread)
    parts = parts_read(desk, before)
    assert len(parts) + kept == 5
    assert state["citations"]


def parts_read(desk: Desk, after: int) -> list[str]:
    """What parts were sent to the model after so many requests."""
    prompts = [str(body["messages"][-1]["content"]) for body in desk.server.chat_requests()[after:]]
    return [prompt for prompt in prompts if "<part>" in prompt]


async def test_a_killed_run_goes_on_from_its_checkpoint_with_the_parts_it_had_read(
    desk: Desk,
) -> None:
    video_id = await desk.long_video(1.5)
    thread = uuid4().hex
    desk.server.script.extend(["- Noted [1]", "- Noted [1]", *[Hangs(5)] * 3])
    running = asyncio.create_task(desk.ask("Give me a detailed summary", video_id, thread=thread))
    written = text("SELECT count(*) FROM checkpoint_writes WHERE channel = 'part_notes'")
    async with asyncio.timeout(20):
        count = 0
        while count < 2:
            await asyncio.sleep(0.05)
            async with desk.resources.sessions() as session:
                count = await session.scalar(written) or 0
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    async with desk.resources.sessions.begin() as session:
        await session.execute(delete(TranscriptNotes))  # the checkpoint alone must know them
    desk.server.script.clear()
    before = len(desk.server.chat_requests())
    state = await desk.graph.ainvoke(
        None, thread_of(thread), context=Reader(user_id=desk.user.id), durability="async"
    )
    assert len(parts_read(desk, before)) == 3
    assert state["citations"]
    left = await desk.graph.aget_state(thread_of(thread))
    assert left.values["part_notes"] == []


async def test_two_who_ask_at_once_pay_once(desk: Desk) -> None:
    desk.server.first_token_s = 0.1
    video_id = await desk.long_video(1)
    (first, _), (second, events) = await asyncio.gather(
        desk.ask("Give me a detailed summary", video_id),
        desk.ask("A detailed summary, please", video_id),
    )
    prompts = [str(body["messages"]) for body in desk.server.chat_requests()]
    assert len(prompts) == len(set(prompts))
    assert first["messages"][-1].text == second["messages"][-1].text
    assert tokens_of(events) == second["messages"][-1].text


async def test_stop_while_parts_are_read_ends_the_calls_and_stores_nothing(desk: Desk) -> None:
    desk.server.script.extend([Hangs(30)] * 6)
    video_id = await desk.long_video(1)
    stop = asyncio.Event()
    asking = asyncio.create_task(desk.ask("Give me a detailed summary", video_id, stop=stop))
    while not desk.server.requests:
        await asyncio.sleep(0.01)
    stop.set()
    async with asyncio.timeout(20):
        state, _ = await asking
    assert (state["messages"][-1].text, state["citations"]) == ("", [])
    async with desk.resources.sessions() as session:
        assert (await session.scalars(select(Summary))).all() == []


async def test_stop_while_the_text_is_written_keeps_its_words(desk: Desk) -> None:
    video_id = await make.video(desk.resources, desk.user, texts={"en": make.OCEAN})
    desk.server.token_s = 0.02
    desk.server.script.append("Whale falls feed worms and crabs [1]. " + "and so on " * 200)
    stop = asyncio.Event()
    asking = asyncio.create_task(desk.ask("Summarise this video", video_id, stop=stop))
    while not desk.server.open_streams:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.5)
    stop.set()
    async with asyncio.timeout(30):
        state, _ = await asking
    content = state["messages"][-1].text
    assert content.startswith("Whale falls feed worms and crabs")
    assert len(content) < 1_000
    async with desk.resources.sessions() as session:
        assert (await session.scalars(select(Summary))).all() == []


async def test_videos_are_compared_by_what_each_of_them_says(desk: Desk) -> None:
    ocean = await make.video(desk.resources, desk.user, title="Sea", texts={"en": make.OCEAN})
    bread = await make.video(desk.resources, desk.user, title="Bread", texts={"en": make.BREAD})
    state, events = await desk.ask("Compare these two videos, a summary", bread, ocean)
    last = str(desk.server.chat_requests()[-1]["messages"][-1]["content"])
    assert last.index("## Bread") < last.index("## Sea")
    assert "Compare these two videos" in last
    assert {cited["video_id"] for cited in state["citations"]} == {str(ocean), str(bread)}
    assert any(detail.startswith("Video 2 of 2") for detail in details(events))
    await desk.ask("Give me a detailed summary", ocean)
    assert len(desk.server.chat_requests()) == 3  # its part was kept


async def test_chapters_of_several_videos_come_under_their_titles(desk: Desk) -> None:
    chapters = [{"start_ms": 0, "title": "Start"}, {"start_ms": 24_000, "title": "Falls"}]
    ocean = await make.video(
        desk.resources, desk.user, title="Sea", texts={"en": make.OCEAN}, chapters=chapters
    )
    bread = await make.video(desk.resources, desk.user, title="Bread", texts={"en": make.BREAD})
    state, _ = await desk.ask("The chapters of both", ocean, bread)
    content = state["messages"][-1].text
    assert content.startswith("### Sea\n\n- 0:00 **Start** [1]")
    assert "- 0:24 **Falls** [" in content
    assert "### Bread\n\n- 0:00 " in content
    numbers = [cited["n"] for cited in state["citations"]]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_more_videos_than_fit_are_said_to_be_left_out(desk: Desk) -> None:
    videos = [
        await make.video(desk.resources, desk.user, title=f"Talk {n}", texts={"en": make.OCEAN[:2]})
        for n in range(22)
    ]
    state, events = await desk.ask("A summary of them all", *videos)
    assert state["messages"][-1].text.startswith("This covers the first 20 of 22 videos")
    assert tokens_of(events).startswith("This covers the first 20 of 22 videos")
    assert len(desk.server.chat_requests()) == 21


async def test_without_a_video_named_it_is_asked_which_one(desk: Desk) -> None:
    for title in ("Sourdough at home", "The deep sea"):
        await make.video(desk.resources, desk.user, title=title, texts={"en": make.OCEAN})
    state, _ = await desk.ask("Summarise the video")
    content = state["messages"][-1].text
    assert content.startswith("Which video do you mean?")
    assert desk.server.chat_requests() == []
    state, _ = await desk.ask("Summarise all my videos")
    assert len(desk.server.chat_requests()) == 3


async def test_what_cannot_be_summarised_says_why(desk: Desk) -> None:
    music = await make.video(
        desk.resources, desk.user, title="Song", texts={"en": ["[Music]", "♪♪"]}
    )
    loading = await make.video(desk.resources, desk.user, title="New", status="loading")
    broken = await make.video(desk.resources, desk.user, title="Broken", status="failed")
    for video_id, words in (
        (music, "Nothing is said in “Song”"),
        (loading, "“New” is still being loaded"),
        (broken, "“Broken” could not be loaded"),
    ):
        state, _ = await desk.ask("Summarise this video", video_id)
        assert state["messages"][-1].text.startswith(words)
    assert desk.server.chat_requests() == []


async def test_another_persons_video_is_not_summarised(desk: Desk) -> None:
    async with desk.resources.sessions.begin() as session:
        other = User(email="other@example.org")
        session.add(other)
    video_id = await make.video(desk.resources, other, texts={"en": make.OCEAN})
    state, _ = await desk.ask("Summarise this video", video_id)
    assert "no video" in state["messages"][-1].text
    assert desk.server.chat_requests() == []


async def test_notes_on_a_very_long_video_are_shortened_until_they_fit(desk: Desk) -> None:
    video_id = await desk.long_video(7)
    notes = "\n".join(f"- {'voyage' * 20} [{n}]" for n in range(1, 50))
    desk.server.script.extend([notes] * 60)
    _, events = await desk.ask("Give me a detailed summary", video_id)
    assert any(detail.startswith("Shortening the notes") for detail in details(events))
    written_from = str(desk.server.chat_requests()[-1]["messages"][-1]["content"])
    assert "<notes>" in written_from
    assert token_estimate(written_from) < WRITTEN_FROM_TOKENS
