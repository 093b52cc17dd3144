"""Edit and regenerate: the conversation forks, and nothing that was written is lost."""

from typing import Any

import httpx
import pytest

from tests import make
from tests.api.test_runs import (
    QUESTION,
    Server,
    messages_of,
    receive_until,
    send,
    socket_to,
    talk_about_the_ocean,
)
from tests.conftest import App
from tests.model_server import Failure

OTHER = "What does the anglerfish carry on its head?"


async def revise(http: httpx.AsyncClient, talk: str, how: str, **body: Any) -> list[dict[str, Any]]:
    return await make.events_of(http, f"/api/conversations/{talk}/{how}", body)


def prompt_of(request: dict[str, Any]) -> str:
    return "\n".join(str(message["content"]) for message in request["messages"])


async def test_an_edited_question_forgets_what_came_after_it_and_keeps_what_came_before(
    chat_app: App, model_server: Server
) -> None:
    http, server = chat_app.http, model_server[0]
    talk = await talk_about_the_ocean(chat_app)
    server.script.append("First answer.")
    await make.ask(http, talk, QUESTION)
    server.script.append("Second answer.")
    await make.ask(http, talk, OTHER)
    await make.ask(http, talk, "And what is a whale fall?")
    before = await messages_of(http, talk)
    server.script.append("Another second answer.")
    events = await revise(
        http, talk, "edit", message_id=before[2]["id"], content="How far is the sea floor seen?"
    )
    assert make.only(events, "message")["content"] == "Another second answer."
    shown = await messages_of(http, talk)
    assert [message["content"] for message in shown] == [
        QUESTION,
        "First answer.",
        "How far is the sea floor seen?",
        "Another second answer.",
    ]
    prompt = prompt_of(server.chat_requests(structured=False)[-1])
    assert "First answer." in prompt
    assert "Second answer." not in prompt
    whole = await messages_of(http, talk, replaced=True)
    assert len(whole) == 8
    assert {message["id"] for message in before} <= {message["id"] for message in whole}
    await make.ask(http, talk, "And by whom?")
    prompt = prompt_of(server.chat_requests(structured=False)[-1])
    assert "Another second answer." in prompt
    assert "Second answer." not in prompt


async def test_the_first_question_is_edited_into_a_fresh_start(
    chat_app: App, model_server: Server
) -> None:
    http, server = chat_app.http, model_server[0]
    talk = await talk_about_the_ocean(chat_app)
    await make.ask(http, talk, QUESTION)
    [question, _] = await messages_of(http, talk)
    asked = len(server.chat_requests())
    events = await revise(http, talk, "edit", message_id=question["id"], content=OTHER)
    assert make.only(events, "title")["title"] == OTHER
    assert len(server.chat_requests()) == asked + 1
    assert QUESTION not in prompt_of(server.chat_requests()[-1])


async def test_an_answer_is_written_anew_by_the_model_that_was_named(chat_app: App) -> None:
    talk = await talk_about_the_ocean(chat_app)
    await make.ask(chat_app.http, talk, QUESTION)
    [question, answer] = await messages_of(chat_app.http, talk)
    async with socket_to(chat_app, talk) as socket:
        await send(socket, "regenerate", message_id=answer["id"], model="test/second")
        events = await receive_until(socket, "done")
    assert make.only(events, "message")["model"] == "test/second"
    shown = await messages_of(chat_app.http, talk)
    assert shown[0]["id"] == question["id"]
    assert [message["role"] for message in shown] == ["user", "assistant"]
    assert shown[1]["id"] != answer["id"]


async def test_an_answer_wished_otherwise_leaves_the_question_as_it_was_written(
    chat_app: App, model_server: Server
) -> None:
    http, server = chat_app.http, model_server[0]
    talk = await talk_about_the_ocean(chat_app)
    await make.ask(http, talk, QUESTION)
    for wish in ("Please in a playful tone.", "Please make it short."):
        [question, answer] = await messages_of(http, talk)
        assert question["content"] == QUESTION
        await revise(http, talk, "regenerate", message_id=answer["id"], wish=wish)
        assert wish in prompt_of(server.chat_requests(structured=False)[-1])
    assert "playful" not in prompt_of(server.chat_requests(structured=False)[-1])
    [question, _] = await messages_of(http, talk)
    assert question["content"] == QUESTION


async def test_a_failed_answer_is_tried_again_without_its_question_standing_twice(
    chat_app: App, model_server: Server
) -> None:
    http, server = chat_app.http, model_server[0]
    talk = await talk_about_the_ocean(chat_app)
    server.script.append(Failure(401))
    await make.ask(http, talk, QUESTION)
    [_, failed] = await messages_of(http, talk)
    assert failed["status"] == "failed"
    events = await revise(http, talk, "regenerate", message_id=failed["id"])
    assert make.only(events, "message")["citations"]
    assert [message["status"] for message in await messages_of(http, talk)] == ["complete"] * 2
    assert prompt_of(server.chat_requests()[-1]).count(QUESTION) == 1


async def test_what_cannot_be_revised_is_refused_with_a_sentence(app: App) -> None:
    http = app.http
    talk, other = await make.conversation(http), await make.conversation(http)
    await make.ask(http, talk, "hello")
    [question, answer] = await messages_of(http, talk)
    url = "/api/conversations"

    async def refused(path: str, body: dict[str, Any]) -> tuple[int, str]:
        said = await http.post(f"{url}/{path}", json=body)
        return said.status_code, said.json()["error"]

    edit = {"message_id": question["id"], "content": "hello again"}
    assert await refused(f"{other}/edit", edit) == (404, "message_not_found")
    assert await refused(f"{talk}/edit", {**edit, "content": " "}) == (400, "empty_question")
    answered = {**edit, "message_id": answer["id"]}
    assert await refused(f"{talk}/edit", answered) == (400, "not_your_words")
    anew = {"message_id": question["id"]}
    assert await refused(f"{talk}/regenerate", anew) == (400, "not_an_answer")
    anew = {"message_id": answer["id"], "model": "no/such"}
    assert await refused(f"{talk}/regenerate", anew) == (400, "unknown_model")
    await revise(http, talk, "edit", **edit)
    assert await refused(f"{talk}/edit", edit) == (404, "message_not_found")


@pytest.mark.parametrize("place", ["q=forgotten", "export"])
async def test_a_replaced_message_is_neither_found_nor_exported(app: App, place: str) -> None:
    http = app.http
    talk = await make.conversation(http, title="A talk")
    await make.ask(http, talk, "hello forgotten")
    [question, _] = await messages_of(http, talk)
    await revise(http, talk, "edit", message_id=question["id"], content="hello")
    if place == "export":
        exported = await http.get(f"/api/conversations/{talk}/export")
        assert "forgotten" not in exported.text
    else:
        assert (await http.get(f"/api/conversations?{place}")).json()["total"] == 0
