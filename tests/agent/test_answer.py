"""What an answer is written from, and what is said where there is none."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import update

from talker.models import Video
from tests import make
from tests.conftest import App
from tests.model_server import ModelServer

Server = tuple[ModelServer, str]


async def test_the_prompt_names_each_passage_s_video_its_channel_and_day(
    chat_app: App, model_server: Server
) -> None:
    video = await make.upload(
        chat_app.http, make.captions(make.OCEAN, title="The deep", channel="Sea")
    )
    async with chat_app.resources.sessions.begin() as session:
        day = datetime(2021, 5, 3, tzinfo=UTC)
        await session.execute(update(Video).where(Video.id == video).values(published_at=day))
    talk = await make.conversation(chat_app.http)
    model_server[0].script.append(
        "In “The deep” of 3 May 2021 it is said that whale falls feed crabs for 50 years [1]."
    )
    events = await make.ask(chat_app.http, talk, "Was fressen die Krabben in der Tiefe?")
    [asked] = model_server[0].chat_requests()
    prompt = asked["messages"][-1]["content"]
    assert "[1] from the video “The deep” by Sea, published on 03 May 2021:\n" in prompt
    assert "Write your answer in German." in prompt
    message = make.only(events, "message")
    assert [c["quote"] for c in message["citations"]] == [make.OCEAN[4]]


async def test_earlier_answers_come_without_their_numbers(
    chat_app: App, model_server: Server
) -> None:
    await make.upload(chat_app.http, make.captions(make.OCEAN))
    talk = await make.conversation(chat_app.http)
    await make.ask(chat_app.http, talk, "Why does the anglerfish's lamp glow?")
    await make.ask(chat_app.http, talk, "And how deep was the deepest dive?")
    messages = model_server[0].chat_requests(structured=False)[-1]["messages"]
    before = messages[-2]["content"]
    assert before.startswith("The speaker says")
    assert "[1]" not in before


async def test_what_is_not_answered_is_said_with_what_is_nearest(app: App) -> None:
    await make.upload(app.http, make.captions(make.OCEAN, title="The deep"))
    talk = await make.conversation(app.http)
    events = await make.ask(app.http, talk, "Jak działa silnik odrzutowy w samolocie?")
    message = make.only(events, "message")
    assert message["content"].startswith(
        "Twoje filmy o tym nie mówią. Najbliżej tego jest „The deep”"
    )
    assert message["citations"] == []
    assert "[" not in message["content"]


async def test_a_follow_up_about_something_unsaid_is_declined(app: App) -> None:
    await make.upload(app.http, make.captions(make.OCEAN))
    talk = await make.conversation(app.http)
    first = await make.ask(app.http, talk, "Why does the anglerfish's lamp glow?")
    assert make.only(first, "message")["citations"]
    for question in ("Who won the world cup in 1998?", "What does a mortgage broker earn?"):
        message = make.only(await make.ask(app.http, talk, question), "message")
        assert message["content"].startswith("Your videos do not say.")
        assert message["citations"] == []
    again = await make.ask(app.http, talk, "And how deep was the deepest dive?")
    assert make.only(again, "message")["citations"]


async def test_a_quotation_that_adds_nothing_is_left_out(app: App) -> None:
    await make.upload(app.http, make.captions(make.OCEAN))
    await make.upload(app.http, make.captions(make.OCEAN, title="The same again"), "again.json")
    talk = await make.conversation(app.http)
    events = await make.ask(app.http, talk, "How deep did the deepest dive go?")
    citations = make.only(events, "message")["citations"]
    quotes = [citation["quote"] for citation in citations]
    assert len(quotes) == len(set(quotes))
    assert all(isinstance(UUID(citation["video_id"]), UUID) for citation in citations)


async def test_a_model_that_cites_nothing_is_cited_where_it_can_be_and_else_marked(
    chat_app: App, model_server: tuple[ModelServer, str]
) -> None:
    await make.upload(chat_app.http, make.captions(make.OCEAN))
    talk = await make.conversation(chat_app.http)
    replies = [
        (make.OCEAN[7], f"{make.OCEAN[7]} [1]", 0),
        ("It went to 28 November. Or so.", "It went to 28 November. Or so.", 2),
        ("The videos do not say how deep it went.", "The videos do not say how deep it went.", 0),
        ("…", "…", 1),
    ]
    for written, shown, unproved in replies:
        model_server[0].script.append(written)
        events = await make.ask(chat_app.http, talk, "How deep did the deepest dive go?")
        message = make.only(events, "message")
        assert message["content"] == shown
        assert len(message["citations"]) == shown.count("[")
        assert message["metadata"]["unproved"] == unproved
