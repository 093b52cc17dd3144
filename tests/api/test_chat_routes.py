"""Each intent that needs no model, over HTTP, and how the router model is used beside them."""

import json

from tests import make
from tests.conftest import App
from tests.model_server import ModelServer

Server = tuple[ModelServer, str]


async def load_both(app: App) -> None:
    await make.upload(
        app.http, make.captions(make.OCEAN, title="Life in the deep ocean", channel="Deep Blue")
    )
    await make.upload(
        app.http,
        make.captions(make.BREAD, title="Sourdough at home", channel="Ada's Kitchen"),
        "bread.json",
    )


async def test_videos_that_speak_of_it_are_found_with_the_second_it_was_said(
    chat_app: App, model_server: Server
) -> None:
    await load_both(chat_app)
    talk = await make.conversation(chat_app.http)
    events = await make.ask(chat_app.http, talk, "which of my videos explain what a starter is?")
    message = make.only(events, "message")
    assert (message["intent"], message["model"]) == ("find_videos", None)
    assert model_server[0].chat_requests() == []
    first = message["citations"][0]
    assert first["title"] == "Sourdough at home"
    assert first["quote"] in message["content"]
    assert any(first["start_s"] == 6.0 * number for number in (1, 2))
    assert len({one["video_id"] for one in message["citations"]}) == len(message["citations"])
    polish = await make.ask(chat_app.http, talk, "znajdź filmy o piłce nożnej")
    assert make.only(polish, "message")["content"].startswith("Nie znajduję żadnego Twojego filmu")


async def test_a_list_is_narrowed_by_the_channel_and_counted(app: App) -> None:
    await load_both(app)
    talk = await make.conversation(app.http)
    message = make.only(await make.ask(app.http, talk, "list my videos"), "message")
    assert message["content"].startswith("Videos in your library: 2\n\n- Sourdough at home")
    assert message["citations"] == []
    events = await make.ask(app.http, talk, "list all videos from adas kitchen")
    narrowed = make.only(events, "message")["content"]
    assert narrowed.splitlines()[0] == "Videos in what you ask about: 1"
    assert "ocean" not in narrowed


async def test_a_question_about_a_stretch_is_answered_from_that_stretch(app: App) -> None:
    await load_both(app)
    talk = await make.conversation(app.http)
    question = "in the ocean video, what do whale falls feed after 0:20?"
    message = make.only(await make.ask(app.http, talk, question), "message")
    assert message["citations"]
    assert all(one["title"] == "Life in the deep ocean" for one in message["citations"])
    passages = make.only(await make.ask(app.http, talk, question), "sources")["passages"]
    assert all(passage["end_s"] > 20 for passage in passages)


async def test_what_rules_cannot_tell_is_decided_by_a_model_beside_the_search(
    chat_app: App, model_server: Server
) -> None:
    await load_both(chat_app)
    server, _ = model_server
    talk = await make.conversation(chat_app.http)
    server.decisions.append(
        json.dumps({"intent": "find_videos", "question": "which videos are about the ocean?"})
    )
    events = await make.ask(chat_app.http, talk, "shrň video o oceánu")
    assert make.only(events, "message")["intent"] == "find_videos"
    assert len(server.chat_requests(structured=True)) == 1
    assert len(server.chat_requests()) == 1


async def test_a_plain_follow_up_asks_no_router(chat_app: App, model_server: Server) -> None:
    await load_both(chat_app)
    server, _ = model_server
    talk = await make.conversation(chat_app.http)
    await make.ask(chat_app.http, talk, "What do I feed a sourdough starter?")
    for plain in ("list my videos", "which videos mention whale falls?", "summarise my library"):
        await make.ask(chat_app.http, talk, plain)
    assert server.chat_requests(structured=True) == []


async def test_a_link_is_never_added_because_a_model_says_so(
    chat_app: App, model_server: Server
) -> None:
    await load_both(chat_app)
    server, _ = model_server
    talk = await make.conversation(chat_app.http)
    await make.ask(chat_app.http, talk, "What do I feed a sourdough starter?")
    server.decisions.append(json.dumps({"intent": "add_videos", "question": "add it"}))
    events = await make.ask(chat_app.http, talk, "and is there more of it?")
    assert make.only(events, "message")["intent"] == "converse"
