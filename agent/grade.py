"""Whether the passages bear on the question, judged without a model."""

from collections.abc import Sequence
from typing import Any, Literal

from langgraph.runtime import Runtime

from agent.models import ChatModels
from agent.ranking import answers_question
from agent.retrieve import Find
from agent.state import AgentState, Passage, Plan, Reader
from talker.text import any_stem, guess_language, stems, stop_words, tokens

SURE_COSINE = 0.86
"""A follow-up as near as this to a passage may say it in words of its own."""


async def grade(
    state: AgentState, runtime: Runtime[Reader], *, models: ChatModels, find: Find
) -> dict[str, Any]:
    """Keep the passages when they may answer; none where they plainly do not.

    A chat model says itself when its passages do not answer, and understands them better than a
    threshold does; so the threshold judges only where no model reads them.
    """
    passages, plan = state["passages"], state["plan"]
    nearest = passages[0] if passages else None
    if models.configured:
        return {"nearest": nearest}
    if plan["before"]:
        return {
            "passages": await _of_follow_up(plan, passages, runtime.context, find),
            "nearest": nearest,
        }
    return {"nearest": nearest, "passages": _if_near(passages)}


async def _of_follow_up(
    plan: Plan, passages: list[Passage], reader: Reader, find: Find
) -> list[Passage]:
    """The passages that answer a follow-up; none where it asks for what the videos do not say.

    Its passages were found by the turn before it too, and so are near whatever it asks, or far
    for what that asked. So it is judged by what it finds alone, unless it has no word of its
    own, as "and why?", and lives from the turn before.
    """
    own = _own_words(plan["question"])
    if not own:
        return _if_near(passages)
    alone = _if_near(await find(plan["question"], reader.user_id, plan["video_ids"]))
    if not alone:
        return []
    passages = _if_near(passages) or alone
    if max(_cosines(alone), default=0.0) >= SURE_COSINE:
        return passages
    said = {stem for one in passages for stem in stems(one["text"], one["language"])}
    shared = [word for word in own if not any_stem(word).isdisjoint(said)]
    return passages if len(shared) * 2 >= len(own) else []


def _if_near(passages: list[Passage]) -> list[Passage]:
    return passages if answers_question(_cosines(passages)) else []


def _own_words(question: str) -> list[str]:
    words = tokens(question)
    small = stop_words(guess_language(words))
    return list(dict.fromkeys(word for word in words if word not in small))


def _cosines(passages: Sequence[Passage]) -> list[float]:
    return [passage["cosine"] for passage in passages if passage["cosine"] is not None]


async def has_passages(state: AgentState) -> Literal["answer", "decline"]:
    return "answer" if state["passages"] else "decline"
