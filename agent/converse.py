"""Small talk, and what is said where nothing is found: short, and never about what a video says."""

from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langgraph.runtime import Runtime
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from agent.events import TokenEvent, writer
from agent.library import readable_ids, reader_id
from agent.models import ChatModels, Reply
from agent.prompts import fill
from agent.route import newest_question
from agent.state import AgentState, Reader, scope
from agent.streaming import stream_reply

ABOUT_US = (
    "I answer questions from the videos in your library, and each answer plays the second it was "
    "said. Paste a video's link to load it, then ask."
)
NOT_SAID = "Your videos do not say. Try other words, or load a video about it."
EMPTY_LIBRARY = "There is no video to answer from yet. Load one, then ask."
EMPTY_SCOPE = "There is no video in what you ask about that is loaded. Add one, then ask."


async def converse(
    state: AgentState,
    runtime: Runtime[Reader],
    *,
    models: ChatModels,
    sessions: async_sessionmaker[AsyncSession],
) -> dict[str, Any]:
    if not models.configured:
        return said(ABOUT_US)
    async with sessions() as session:
        user_id = await reader_id(session, runtime.context.user_id)
        count = len(await readable_ids(session, user_id, None))
    videos = {0: "no video yet", 1: "one video"}.get(count, f"{count} videos")
    prompt = [
        SystemMessage(fill("converse", videos=videos)),
        HumanMessage(newest_question(state["messages"])),
    ]
    reply = Reply()
    await stream_reply(models, prompt, runtime.context, reply)
    return {
        "messages": [AIMessage(reply.text)],
        "citations": [],
        "model": reply.model,
        "usage": reply.usage,
    }


async def decline(
    state: AgentState, runtime: Runtime[Reader], *, sessions: async_sessionmaker[AsyncSession]
) -> dict[str, Any]:
    """Say that the videos do not answer, or that there are none, and cite nothing."""
    wanted = scope(state)
    async with sessions() as session:
        user_id = await reader_id(session, runtime.context.user_id)
        if await readable_ids(session, user_id, wanted):
            return said(NOT_SAID)
        empty = wanted is None or not await readable_ids(session, user_id, None)
    return said(EMPTY_LIBRARY if empty else EMPTY_SCOPE)


def said(text: str) -> dict[str, Any]:
    """A reply of fixed words: streamed at once, without model, citation or cost."""
    writer()(TokenEvent(type="token", text=text))
    return {"messages": [AIMessage(text)], "citations": [], "model": None, "usage": None}
