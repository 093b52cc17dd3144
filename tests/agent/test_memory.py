import asyncio

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.runtime import Runtime
from sqlalchemy import text

from agent.memory import KEPT_TURNS, MAX_TURNS, MEMORY_CHARS, MESSAGE_CHARS, recent_turns, remember
from agent.models import ChatModels
from agent.state import AgentState, Reader
from talker.resources import Resources
from tests import make
from tests.conftest import App
from tests.model_server import Failure, ModelServer

Server = tuple[ModelServer, str]


def turns(count: int, words: str = "what is it") -> list[AnyMessage]:
    return [
        message
        for n in range(count)
        for message in (
            HumanMessage(f"{words} {n}?", id=f"q{n}"),
            AIMessage(f"It is {n}.", id=f"a{n}"),
        )
    ]


async def remembered(state: AgentState, resources: Resources) -> AgentState:
    """The state after the step, without a model."""
    models = ChatModels(resources.settings, resources.sessions)
    changed = await remember(state, Runtime(context=Reader()), models=models)
    await models.aclose()
    gone = {m.id for m in changed["messages"] if m.type == "remove"}
    kept = [message for message in state["messages"] if message.id not in gone]
    return AgentState(messages=kept, memory=changed.get("memory", state.get("memory", "")))


async def test_few_turns_are_kept_as_they_were(resources: Resources) -> None:
    state = AgentState(messages=turns(MAX_TURNS))
    assert (await remembered(state, resources))["messages"] == state["messages"]


async def test_older_turns_become_a_line_each_where_no_model_folds_them(
    resources: Resources,
) -> None:
    state = await remembered(AgentState(messages=turns(MAX_TURNS + 1)), resources)
    assert len(state["messages"]) == 2 * KEPT_TURNS
    lines = state["memory"].splitlines()
    assert lines == [f"- what is it {n}?" for n in range(MAX_TURNS + 1 - KEPT_TURNS)]


async def test_a_memory_does_not_outgrow_its_bound(resources: Resources) -> None:
    state = AgentState(messages=[])
    for n in range(20):
        asked = turns(MAX_TURNS + 1, words=f"{n} " + "long question " * 40)
        state = await remembered(
            AgentState(messages=asked, memory=state.get("memory", "")), resources
        )
        assert len(state["memory"]) <= MEMORY_CHARS
    assert state["memory"].splitlines()[-1].startswith("- 19 ")


async def test_a_long_answer_is_cut_once_another_stands_behind_it(resources: Resources) -> None:
    messages = [*turns(1), HumanMessage("more", id="q"), AIMessage("x" * 9_000, id="a"), *turns(1)]
    models = ChatModels(resources.settings, resources.sessions)
    changed = await remember(
        AgentState(messages=messages), Runtime(context=Reader()), models=models
    )
    await models.aclose()
    assert [(m.id, len(m.text)) for m in changed["messages"]] == [("a", MESSAGE_CHARS)]


def test_a_prompt_is_told_the_memory_and_the_last_turns_but_not_the_question() -> None:
    messages = [*turns(7), HumanMessage("And now?")]
    told = recent_turns(AgentState(messages=messages, memory="They talked of fish."))
    assert "They talked of fish." in told[0].text
    assert [message.text for message in told[1:]] == [m.text for m in messages[-7:-1]]
    assert recent_turns(AgentState(messages=[HumanMessage("Hi")])) == []


async def test_a_model_folds_older_turns_after_the_answer_and_later_prompts_say_so(
    chat_app: App, model_server: Server
) -> None:
    server = model_server[0]
    await make.upload(chat_app.http, make.captions(make.OCEAN))
    talk = await make.conversation(chat_app.http)
    for n in range(MAX_TURNS):
        server.script.append(f"Answer {n}.")
        await make.ask(chat_app.http, talk, "How deep was the deepest dive?")
    server.script.extend(["Answer nine.", "The person asks about dives."])
    events = await make.ask(chat_app.http, talk, "How deep was the deepest dive?")
    kinds = [event["type"] for event in events]
    assert kinds.index("message") < kinds.index("done")
    folding = server.chat_requests(structured=False)[-1]
    assert "Answer 0." in str(folding["messages"])
    await make.ask(chat_app.http, talk, "And who was on board?")
    prompt = str(server.chat_requests(structured=False)[-1]["messages"])
    assert "The person asks about dives." in prompt
    assert "Answer nine." in prompt
    assert "Answer 0." not in prompt


async def test_a_memory_that_no_model_folds_does_not_fail_the_answer(
    chat_app: App, model_server: Server
) -> None:
    server = model_server[0]
    await make.upload(chat_app.http, make.captions(make.OCEAN))
    talk = await make.conversation(chat_app.http)
    for n in range(MAX_TURNS):
        server.script.append(f"Answer {n}.")
        await make.ask(chat_app.http, talk, "How deep was the deepest dive?")
    server.script.extend(["Answer nine.", Failure(401)])
    events = await make.ask(chat_app.http, talk, "How deep was the deepest dive?")
    assert [event["type"] for event in events[-2:]] == ["message", "done"]


async def test_a_finished_turn_leaves_its_end_alone_in_the_checkpoints(
    chat_app: App, resources: Resources
) -> None:
    await make.upload(chat_app.http, make.captions(make.OCEAN))
    talk = await make.conversation(chat_app.http)
    for _ in range(3):
        await make.ask(chat_app.http, talk, "How deep was the deepest dive?")

    async def all_of(query: str) -> list[str]:
        async with resources.sessions() as session:
            return list(await session.scalars(text(query)))

    async with asyncio.timeout(30):  # it is pruned right after the reader was told the end
        while len(await all_of("SELECT checkpoint_id FROM checkpoints")) > 3:
            await asyncio.sleep(0.05)
    ends = await all_of("SELECT checkpoint_id FROM runs ORDER BY 1")
    assert await all_of("SELECT checkpoint_id FROM checkpoints ORDER BY 1") == ends
    assert await all_of("SELECT channel FROM checkpoint_blobs") == ["messages"] * 3
    assert await all_of("SELECT channel FROM checkpoint_writes") == []
