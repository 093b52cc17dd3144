"""What a conversation remembers: the last turns as they were, all before in a few sentences.

So a long conversation's turn costs what a short one's does.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from langchain_core.messages import (
    AIMessage,
    AnyMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
)
from langgraph.runtime import Runtime

from agent.models import ChatModels
from agent.prompts import fill
from agent.state import AgentState, Reader
from talker.errors import TalkerError

log = logging.getLogger(__name__)

KEPT_TURNS = 4
"""How many turns stay as they were when older ones are folded."""
MAX_TURNS = 8
"""With one more the oldest are folded: one call of a model in so many turns less KEPT_TURNS."""
MAX_FOLDED_MESSAGES = 40
SHOWN_MESSAGES = 6
"""How much of them a model is shown to make sense of the newest message."""
MESSAGE_CHARS = 1_500
"""To how much a message is cut once a newer turn stands behind it."""
MEMORY_CHARS = 2_000
DONE_WITH: dict[str, Any] = {"passages": [], "nearest": None, "offer": None}
"""What the next turn does not need: every turn's end is kept, to go back to."""
LINE_CHARS = 120
"""To how much a question is cut where no model folds it."""


def recent_turns(state: AgentState) -> list[AnyMessage]:
    """What a prompt says of the conversation before the newest message: what is remembered of
    older turns, then the last turns, shortened."""
    before = [message for message in state["messages"][:-1] if message.text]
    shown = [_cut(message) for message in before[-SHOWN_MESSAGES:]]
    memory = state.get("memory")
    return [HumanMessage(fill("remembered", memory=memory)), *shown] if memory else shown


async def remember(
    state: AgentState, runtime: Runtime[Reader], *, models: ChatModels
) -> dict[str, Any]:
    """The last step, after the answer: cut what is not the newest turn any more, and fold the
    oldest turns into the memory when there are too many."""
    turns = _turns(state["messages"])
    older = [message for turn in turns[:-1] for message in turn]
    if len(turns) <= MAX_TURNS:
        return {
            **DONE_WITH,
            "messages": [_cut(message) for message in older if len(message.text) > MESSAGE_CHARS],
        }
    folded = [message for turn in turns[:-KEPT_TURNS] for message in turn]
    memory = await _folded(state.get("memory") or "", folded, runtime.context, models)
    kept = [message for message in older if message not in folded]
    return {
        **DONE_WITH,
        "memory": memory,
        "messages": [
            *(RemoveMessage(id=str(message.id)) for message in folded),
            *(_cut(message) for message in kept if len(message.text) > MESSAGE_CHARS),
        ],
    }


def _turns(messages: Sequence[AnyMessage]) -> list[list[AnyMessage]]:
    """Each with the person's message first."""
    turns: list[list[AnyMessage]] = []
    for message in messages:
        if isinstance(message, HumanMessage) or not turns:
            turns.append([])
        turns[-1].append(message)
    return turns


def _cut(message: AnyMessage) -> AnyMessage:
    text = message.text
    if len(text) <= MESSAGE_CHARS:
        return message
    return message.model_copy(update={"content": text[: MESSAGE_CHARS - 1] + "…"})


async def _folded(
    memory: str, messages: Sequence[AnyMessage], reader: Reader, models: ChatModels
) -> str:
    """The memory with older turns in it: in a model's words, else as a list of the questions.

    A model has its time until the next question comes; after too many that came first, it is
    done without.
    """
    if models.configured and len(messages) <= MAX_FOLDED_MESSAGES:
        caller = replace(reader.caller("memory"), model=models.router_name)
        try:
            reply = await models.complete(_prompt(memory, messages), caller)
            return reply.text.replace("\x00", "").strip()[:MEMORY_CHARS]
        except TalkerError as error:
            log.warning("memory did without a model", extra={"error": error.name()})
    return _listed(memory, messages)


def _prompt(memory: str, messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    turns = "\n".join(
        f"{'Assistant' if isinstance(message, AIMessage) else 'Person'}: "
        + _cut(message).text.replace("<", "‹").replace(">", "›")
        for message in messages
    )
    return [
        SystemMessage(fill("memory")),
        HumanMessage(fill("to_remember", memory=memory or "(nothing yet)", turns=turns)),
    ]


def _listed(memory: str, messages: Sequence[AnyMessage]) -> str:
    """The person's questions, one a line; the oldest give way."""
    asked = [
        f"- {' '.join(message.text.split())[:LINE_CHARS]}"
        for message in messages
        if isinstance(message, HumanMessage)
    ]
    lines = [*memory.splitlines(), *asked]
    while len(lines) > 1 and len("\n".join(lines)) > MEMORY_CHARS:
        lines.pop(0)
    return "\n".join(lines)
