"""Whether the passages bear on the question, judged without a model."""

from typing import Any, Literal

from agent.models import ChatModels
from agent.ranking import answers_question
from agent.state import AgentState


async def grade(state: AgentState, *, models: ChatModels) -> dict[str, Any]:
    """Keep the passages when they may answer; none where they plainly do not.

    A chat model says itself when its passages do not answer, and understands them better than a
    threshold does; so the threshold judges only where no model reads them.
    """
    passages = state["passages"]
    if models.configured:
        return {}
    cosines = [passage["cosine"] for passage in passages if passage["cosine"] is not None]
    return {} if answers_question(cosines) else {"passages": []}


def has_passages(state: AgentState) -> Literal["answer", "decline"]:
    return "answer" if state["passages"] else "decline"
