"""Questions that may follow an answer: a model's, from the answer's own passages."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import regex
from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langgraph.runtime import Runtime
from pydantic import BaseModel
from rapidfuzz import fuzz

from agent.claims import without_numbers
from agent.events import SuggestionsEvent, writer
from agent.fence import asked, name, unfenced
from agent.harmless import plain
from agent.models import ChatModels
from agent.phrases import language_name
from agent.prompts import fill
from agent.state import AgentState, Reader
from talker.errors import ModelError

log = logging.getLogger(__name__)

TIME_LIMIT_S = 5.0
"""The run ends only after them."""
LEAST, MOST = 2, 3
MIN_CHARS, MAX_CHARS = 8, 120
SAME_RATIO = 85
"""rapidfuzz's ratio from which two questions are one."""
PASSAGES, ANSWER_CHARS = 5, 1_500

_ASKS = regex.compile(r"[?？؟;]$")
_ADDRESS = regex.compile(r"\p{L}\.\p{L}{2,}|[@\[\]<>{}]")


class Suggestions(BaseModel):
    """The model's reply."""

    questions: list[str]


async def suggest(
    state: AgentState, runtime: Runtime[Reader], *, models: ChatModels
) -> dict[str, Any]:
    """Send two or three questions after an answer that cites something; else none.

    Without a model there are none: what could be asked without reading the videos may well have
    no answer in them. A model that fails, or is slow, is done without.
    """
    reader = runtime.context
    if not models.configured or not state["citations"] or reader.stop.is_set():
        return {}
    found = good_questions(await _asked(state, reader, models), state["plan"]["question"])
    if found and not reader.stop.is_set():
        writer()(SuggestionsEvent(type="suggestions", questions=found))
    return {}


def good_questions(suggested: Sequence[str], question: str) -> list[str]:
    """Those that are questions, harmless, and each of its own kind; none if fewer than two."""
    kept: list[str] = []
    for text in suggested:
        other = " ".join(without_numbers(text).split())
        fits = MIN_CHARS <= len(other) <= MAX_CHARS and _ASKS.search(other)
        if not fits or plain(other) != other or _ADDRESS.search(other):
            continue
        if not any(_are_one(other, known) for known in (question, *kept)):
            kept.append(other)
    return kept[:MOST] if len(kept) >= LEAST else []


def _are_one(one: str, other: str) -> bool:
    return fuzz.ratio(one.casefold(), other.casefold()) >= SAME_RATIO


async def _asked(state: AgentState, reader: Reader, models: ChatModels) -> list[str]:
    """What the default model suggests; nothing where it fails, is stopped or takes too long."""
    caller = replace(reader.caller("suggest"), model=None)
    call = asyncio.ensure_future(models.complete(_prompt(state), caller, Suggestions))
    stopped = asyncio.ensure_future(reader.stop.wait())
    try:
        await asyncio.wait(
            {call, stopped}, timeout=TIME_LIMIT_S, return_when=asyncio.FIRST_COMPLETED
        )
        if not call.done():
            return []
        fitted = call.result().fitted
        return fitted.questions if isinstance(fitted, Suggestions) else []
    except ModelError as error:
        log.info("no questions suggested", extra={"error": error.name()})
        return []
    finally:
        stopped.cancel()
        call.cancel()


def _prompt(state: AgentState) -> list[AnyMessage]:
    plan = state["plan"]
    prompt = fill(
        "suggest_from",
        passages="\n\n".join(
            f"“{name(passage['title'])}”:\n{unfenced(passage['text'])}"
            for passage in state["passages"][:PASSAGES]
        ),
        answer=unfenced(without_numbers(state["messages"][-1].text))[:ANSWER_CHARS],
        language=language_name(plan["language"]) or "the language of the question",
        question=asked(plan["question"]),
    )
    return [SystemMessage(fill("suggest")), HumanMessage(prompt)]
