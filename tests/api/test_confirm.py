"""A step that asks the person before it goes on, in a graph of one such step."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
from fastapi import APIRouter, FastAPI
from langchain_core.messages import AIMessage
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt
from sqlalchemy import text

from agent.checkpoints import open_checkpointer
from agent.events import TokenEvent, writer
from agent.models import ChatModels
from agent.search import Search
from agent.state import AgentState, Answer, Question, Reader
from api import chat, chat_programs, conversations, errors
from api.accounts.gate import Gate
from api.app import in_background
from api.attempt import Graph
from api.limits.limits import Limits
from api.notices import Notices
from api.run_store import RunStore
from api.runs import Runs
from talker.resources import Resources, open_resources
from talker.settings import Settings
from tests import make
from tests.api.test_runs import messages_of, receive_until, send, socket_to
from tests.conftest import App, MakeSettings
from tests.servers import serving

VIDEO = {"title": "A talk", "duration_s": 60.0}


async def add(state: AgentState) -> dict[str, Any]:
    asked = state["messages"][-1].text
    if asked != "add it":
        return _said(f"You said {asked}.")
    yes = interrupt({"prompt": "Add it?", "videos": [VIDEO]})
    return _said("Added." if yes else "Left out.")


def _said(words: str) -> dict[str, Any]:
    writer()(TokenEvent(type="token", text=words))
    return {"messages": [AIMessage(words)], "citations": [], "model": None, "usage": None}


def asking_graph(resources: Resources) -> Graph:
    graph = StateGraph(
        AgentState, context_schema=Reader, input_schema=Question, output_schema=Answer
    )
    graph.add_node("add", add)
    graph.add_edge(START, "add")
    graph.add_edge("add", END)
    return graph.compile(checkpointer=open_checkpointer(resources.pool))


@asynccontextmanager
async def asking(settings: Settings) -> AsyncIterator[App]:
    """The API's conversations over that graph, on a free port."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            resources = await stack.enter_async_context(open_resources(settings))
            notices = Notices(resources.database_url)
            runs = Runs(asking_graph(resources), RunStore(resources.sessions, notices))
            app.state.resources, app.state.runs = resources, runs
            app.state.search = Search(resources.chunks, resources.sessions)
            app.state.models = ChatModels(settings, resources.sessions)
            stack.push_async_callback(app.state.models.aclose)
            app.state.limits = Limits(settings, resources.sessions)
            stack.push_async_callback(app.state.limits.aclose)
            await stack.enter_async_context(in_background(notices.listen()))
            await stack.enter_async_context(in_background(runs.keep()))
            stack.push_async_callback(runs.aclose)
            yield

    app = FastAPI(lifespan=lifespan)
    app.state.accounts = None
    app.add_middleware(Gate)
    errors.add_handlers(app)
    routes = APIRouter(prefix="/api")
    for part in (conversations, chat, chat_programs):
        routes.include_router(part.router)
    app.include_router(routes)
    async with serving(app) as url, httpx.AsyncClient(base_url=url, timeout=30) as http:
        yield App(url=url, http=http, resources=app.state.resources, runs=app.state.runs)


async def word(http: httpx.AsyncClient, talk: str, *, accept: bool) -> list[dict[str, Any]]:
    return await make.events_of(http, f"/api/conversations/{talk}/confirm", {"accept": accept})


async def test_a_run_waits_for_the_word_and_goes_on_with_it(make_settings: MakeSettings) -> None:
    async with asking(make_settings()) as app:
        talk = await make.conversation(app.http)
        async with socket_to(app, talk) as socket:
            await send(socket, "ask", content="add it")
            confirm = (await receive_until(socket, "confirm"))[-1]
            assert (confirm["prompt"], confirm["videos"]) == ("Add it?", [VIDEO])
            await asyncio.sleep(0.5)
            assert [m["status"] for m in await messages_of(app.http, talk)][1] == "running"
            await send(socket, "confirm", accept=True)
            events = await receive_until(socket, "done")
        assert events[0]["seq"] == confirm["seq"] + 1
        assert make.only(events, "message")["content"] == "Added."
        refused = await app.http.post(f"/api/conversations/{talk}/confirm", json={"accept": True})
        assert (refused.status_code, refused.json()["error"]) == (409, "nothing_to_confirm")


async def test_the_word_may_be_given_to_another_process(make_settings: MakeSettings) -> None:
    async with asking(make_settings()) as one, asking(make_settings()) as two:
        talk = await make.conversation(one.http)
        async with socket_to(one, talk) as socket:
            await send(socket, "ask", content="add it")
            asked = await receive_until(socket, "confirm")
            heard = await word(two.http, talk, accept=False)
            told = await receive_until(socket, "done")
        assert heard == told
        assert make.only(heard, "message")["content"] == "Left out."
        assert heard[0]["seq"] == asked[-1]["seq"] + 1


async def test_a_run_that_waits_survives_a_restart_and_asks_again(
    make_settings: MakeSettings,
) -> None:
    async with asking(make_settings()) as app:
        talk = await make.conversation(app.http)
        async with socket_to(app, talk) as socket:
            await send(socket, "ask", content="add it")
            seen = await receive_until(socket, "confirm")
    async with asking(make_settings()) as app, socket_to(app, talk) as socket:
        await send(socket, "resume", run_id=seen[0]["run_id"], after=seen[-1]["seq"])
        again = await receive_until(socket, "confirm")
        assert [event["type"] for event in again] == ["started", "confirm"]
        await send(socket, "confirm", accept=True)
        assert make.only(await receive_until(socket, "done"), "message")["content"] == "Added."


async def test_asking_something_else_declines_first(make_settings: MakeSettings) -> None:
    async with asking(make_settings()) as app:
        talk = await make.conversation(app.http)
        async with socket_to(app, talk) as socket:
            await send(socket, "ask", content="add it")
            await receive_until(socket, "confirm")
            answered = await make.ask(app.http, talk, "hello")
            declined = await receive_until(socket, "done")
        assert make.only(declined, "message")["content"] == "Left out."
        assert make.only(answered, "message")["content"] == "You said hello."
        said = [message["content"] for message in await messages_of(app.http, talk)]
        assert said == ["add it", "Left out.", "hello", "You said hello."]


async def test_stop_ends_a_run_that_waits(make_settings: MakeSettings) -> None:
    async with asking(make_settings()) as app:
        talk = await make.conversation(app.http)
        async with socket_to(app, talk) as socket:
            await send(socket, "ask", content="add it")
            await receive_until(socket, "confirm")
            await send(socket, "stop")
            await receive_until(socket, "done")
        assert [m["status"] for m in await messages_of(app.http, talk)][1] == "stopped"


async def test_who_says_nothing_for_a_day_has_declined(make_settings: MakeSettings) -> None:
    async with asking(make_settings()) as app:
        talk = await make.conversation(app.http)
        async with socket_to(app, talk) as socket:
            await send(socket, "ask", content="add it")
            await receive_until(socket, "confirm")
            async with app.resources.sessions.begin() as session:
                await session.execute(
                    text("UPDATE runs SET created_at = created_at - interval '25 hours'")
                )
            store = RunStore(app.resources.sessions, Notices(app.resources.database_url))
            await store.decline_forgotten()
            events = await receive_until(socket, "done")
        assert make.only(events, "message")["content"] == "Left out."
