"""The agent as LangServe's own client meets it, over HTTP."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langserve import RemoteRunnable

from tests import make
from tests.conftest import App, running
from tests.model_server import Breaks, ModelServer

Server = tuple[ModelServer, str]

ASKED = {"messages": [HumanMessage("How deep was the deepest dive?")]}


def remote(app: App) -> RemoteRunnable[Any, Any]:
    return RemoteRunnable(f"{app.url}/api/agent")


def thread(thread_id: str, **configured: Any) -> Any:
    return {"configurable": {"thread_id": thread_id, **configured}}


async def test_a_remote_runnable_gets_an_answer_with_its_proved_citations(chat_app: App) -> None:
    video_id = await make.upload(chat_app.http, make.captions(make.OCEAN))
    answer = await remote(chat_app).ainvoke(ASKED)
    assert "[1]" in answer.content
    (first, *_) = answer.additional_kwargs["citations"]
    assert first["video_id"] == str(video_id)
    assert first["quote"] in make.OCEAN
    assert answer.response_metadata["model_name"] == "test/first"


async def test_the_streams_chunks_are_the_tokens_and_the_truth_comes_last(chat_app: App) -> None:
    await make.upload(chat_app.http, make.captions(make.OCEAN))
    chunks = [chunk async for chunk in remote(chat_app).astream(ASKED)]
    assert all(isinstance(chunk, AIMessageChunk) for chunk in chunks)
    assert len([chunk for chunk in chunks if chunk.content]) > 5
    last = chunks[-1].additional_kwargs
    assert "".join(chunk.content for chunk in chunks).split() == last["content"].split()
    assert last["citations"]


async def test_a_thread_keeps_its_memory_and_is_a_conversation_like_any_other(
    chat_app: App, model_server: Server
) -> None:
    await make.upload(chat_app.http, make.captions(make.OCEAN))
    agent = remote(chat_app)
    await agent.ainvoke(ASKED, thread("deep sea"))
    await agent.ainvoke({"messages": [("human", "And in feet?")]}, thread("deep sea"))
    sent = str(model_server[0].chat_requests()[-1]["messages"])
    assert "How deep was the deepest dive?" in sent
    await agent.ainvoke({"messages": [("human", "And in feet?")]}, thread("another"))
    sent = str(model_server[0].chat_requests()[-1]["messages"])
    assert "How deep was the deepest dive?" not in sent
    listed = (await chat_app.http.get("/api/conversations")).json()
    assert [item["title"] for item in listed["items"]] == [
        "And in feet?",
        "How deep was the deepest dive?",
    ]


async def test_a_conversations_id_is_its_thread(chat_app: App) -> None:
    await make.upload(chat_app.http, make.captions(make.OCEAN))
    talk = await make.conversation(chat_app.http)
    answer = await remote(chat_app).ainvoke(ASKED, thread(talk))
    assert answer.additional_kwargs["conversation_id"] == talk
    messages = (await chat_app.http.get(f"/api/conversations/{talk}/messages")).json()["items"]
    assert messages[1]["id"] == answer.additional_kwargs["message_id"]
    assert messages[1]["content"] == answer.content


async def test_without_a_thread_the_messages_are_the_memory_and_nothing_is_kept(
    chat_app: App, model_server: Server
) -> None:
    await make.upload(chat_app.http, make.captions(make.OCEAN))
    before = [HumanMessage("How deep was the deepest dive?"), AIMessage("Nearly eleven km.")]
    await remote(chat_app).ainvoke({"messages": [*before, HumanMessage("And in feet?")]})
    assert "Nearly eleven km." in str(model_server[0].chat_requests()[-1]["messages"])
    assert (await chat_app.http.get("/api/conversations")).json()["total"] == 0


async def test_a_batch_answers_each(chat_app: App) -> None:
    await make.upload(chat_app.http, make.captions(make.OCEAN))
    asked = [ASKED, {"messages": [HumanMessage("Why does the anglerfish's lamp glow?")]}]
    first, second = await remote(chat_app).abatch(asked)
    assert first.additional_kwargs["citations"] != second.additional_kwargs["citations"]


async def test_a_call_may_be_narrowed_to_videos(chat_app: App) -> None:
    await make.upload(chat_app.http, make.captions(make.OCEAN))
    bread = await make.upload(chat_app.http, make.captions(make.BREAD))
    config: Any = {"configurable": {"video_ids": [str(bread)]}}
    answer = await remote(chat_app).ainvoke(ASKED, config)
    assert {cited["video_id"] for cited in answer.additional_kwargs["citations"]} <= {str(bread)}


@pytest.mark.parametrize(
    ("asked", "config", "status", "said"),
    [
        ({"messages": [HumanMessage("  ")]}, {}, 400, "The question is empty."),
        ({"messages": [AIMessage("Hello.")]}, {}, 400, "must be a person's question"),
        (ASKED, {"configurable": {"model": "no/such"}}, 400, "There is no model"),
        (ASKED, {"configurable": {"video_ids": ["x"]}}, 400, "video_ids"),
        (ASKED, {"configurable": {"video_ids": [str(uuid4())]}}, 404, "There is no video"),
        ({"question": "What?"}, {}, 422, "messages"),
    ],
)
async def test_a_call_that_makes_no_sense_is_refused_with_a_sentence(
    chat_app: App, asked: Any, config: Any, status: int, said: str
) -> None:
    with pytest.raises(httpx.HTTPStatusError) as refused:
        await remote(chat_app).ainvoke(asked, config)
    assert refused.value.response.status_code == status
    assert said in str(refused.value)


async def test_a_stream_that_fails_says_why(chat_app: App, model_server: Server) -> None:
    await make.upload(chat_app.http, make.captions(make.OCEAN))
    model_server[0].script.append(Breaks("The dive went"))
    got: list[str] = []

    async def read() -> None:
        got.extend([c.content async for c in remote(chat_app).astream(ASKED, thread("breaks"))])

    with pytest.raises(httpx.HTTPStatusError) as failed:
        await read()
    assert failed.value.response.status_code == 502
    assert "model" in str(failed.value)


async def test_nobody_chooses_whom_they_are(chat_app: App) -> None:
    await make.upload(chat_app.http, make.captions(make.OCEAN))
    answer = await remote(chat_app).ainvoke(ASKED, {"configurable": {"user_id": str(uuid4())}})
    assert answer.additional_kwargs["citations"]


# The playground reads no other stream, whatever LangChain's core would rather have.
@pytest.mark.filterwarnings("ignore:astream_log is deprecated")
async def test_no_prompt_is_seen_in_the_playgrounds_log(chat_app: App) -> None:
    await make.upload(chat_app.http, make.captions(make.OCEAN))
    body = {"input": {"messages": [{"type": "human", "content": "How deep was the dive?"}]}}
    config: Any
    for config in ({}, thread("log")):
        answer = await chat_app.http.post("/api/agent/stream_log", json={**body, "config": config})
        assert "[1]" in answer.text
        assert "You answer questions" not in answer.text


async def test_the_playground_has_a_policy_of_its_own_and_the_schemas_are_told(app: App) -> None:
    page = await app.http.get("/api/agent/playground/")
    assert "'unsafe-inline'" in page.headers["content-security-policy"]
    assert "Chat Playground" in page.text
    schema = (await app.http.get("/api/agent/input_schema")).json()
    assert list(schema["properties"]) == ["messages"]
    # N4XyA is `{}` as the playground's page writes it.
    assert (await app.http.get("/api/agent/c/N4XyA/input_schema")).json() == schema
    config = (await app.http.get("/api/agent/config_schema")).json()
    assert "thread_id" in str(config)


async def test_in_production_the_playground_is_closed(make_settings: Any) -> None:
    settings = make_settings(environment="production", secret_key="a secret of one's own")
    async with running(settings) as app:
        answers = [
            await app.http.get("/api/agent/playground/"),
            await app.http.post("/api/agent/stream_log", json={}),
        ]
    assert [answer.status_code for answer in answers] == [403, 403]
