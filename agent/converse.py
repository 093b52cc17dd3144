"""Small talk, and what is said where nothing is found: short, and never about what a video says."""

from functools import partial
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langgraph.runtime import Runtime
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from agent.events import TokenEvent, writer
from agent.harmless import plain
from agent.leaks import without_instructions
from agent.library import readable_ids, reader_id
from agent.models import ChatModels, Reply
from agent.phrases import not_said, phrase
from agent.prompts import fill
from agent.route import newest_question
from agent.state import AgentState, Reader, scope
from agent.streaming import stream_reply
from talker.database import statement


async def converse(
    state: AgentState,
    runtime: Runtime[Reader],
    *,
    models: ChatModels,
    sessions: async_sessionmaker[AsyncSession],
) -> dict[str, Any]:
    if not models.configured:
        return said(phrase("about_us", state["plan"]["language"]))
    rows = partial(statement, sessions)
    user_id = await reader_id(rows, runtime.context.user_id)
    count = len(await readable_ids(rows, user_id, None))
    videos = {0: "no video yet", 1: "one video"}.get(count, f"{count} videos")
    prompt = [
        SystemMessage(fill("converse", videos=videos)),
        HumanMessage(newest_question(state["messages"])),
    ]
    reply = Reply()
    await stream_reply(models, prompt, runtime.context, reply)
    return {
        "messages": [AIMessage(plain(without_instructions(reply.text, prompt[0].text)))],
        "citations": [],
        "model": reply.model,
        "usage": reply.usage,
    }


async def decline(
    state: AgentState, runtime: Runtime[Reader], *, sessions: async_sessionmaker[AsyncSession]
) -> dict[str, Any]:
    """Say that the videos do not answer and what is nearest, or that there are none."""
    wanted, language = scope(state), state["plan"]["language"]
    rows = partial(statement, sessions)
    user_id = await reader_id(rows, runtime.context.user_id)
    if await readable_ids(rows, user_id, wanted):
        return said(not_said(language, state.get("nearest")))
    empty = wanted is None or not await readable_ids(rows, user_id, None)
    return said(phrase("empty_library" if empty else "empty_scope", language))


async def reply(state: AgentState) -> dict[str, Any]:
    """Say what `route` found wanting."""
    text = state["reply"]
    assert text is not None
    return said(text)


def said(text: str) -> dict[str, Any]:
    """A reply of fixed words: streamed at once, without model, citation or cost."""
    writer()(TokenEvent(type="token", text=text))
    return {"messages": [AIMessage(text)], "citations": [], "model": None, "usage": None}
