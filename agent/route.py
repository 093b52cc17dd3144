"""What the person wants, and the question as it can be understood alone."""

import asyncio
import logging
import re
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langgraph.runtime import Runtime
from pydantic import BaseModel

from agent.events import StatusEvent, writer
from agent.models import ChatModels
from agent.prompts import fill
from agent.retrieve import Find
from agent.state import AgentState, Intent, Passage, Reader
from talker.errors import ModelError

log = logging.getLogger(__name__)

RECENT_MESSAGES = 6
"""How much of the conversation a model is shown to make sense of the newest message."""
RECENT_CHARS = 1_500

SMALL_TALK = re.compile(
    r"(hi|hey|hello|good (morning|afternoon|evening)|thanks?|thank you|thx|bye|goodbye|ok|okay|cool"
    r"|great|nice|cześć|czesc|hej|dzień dobry|dzięki|dziękuję|hola|buenos días|gracias|adiós"
    r"|hallo|guten (tag|morgen|abend)|danke|bonjour|salut|merci|olá|obrigad[oa]|ciao|grazie"
    r"|नमस्ते|धन्यवाद|こんにちは|ありがとう)"
    r"(,? (there|all|everyone|you|so much|very much|a lot|again|muchas|bardzo|sehr|beaucoup))*",
    re.IGNORECASE,
)
ABOUT_US = re.compile(
    r"(who|what) are you|what can you do|how do(es)? (you|this) work|help( me)?|kim jesteś"
    r"|co potrafisz|quién eres|qué puedes hacer|wer bist du|was kannst du|qui es-tu",
    re.IGNORECASE,
)
LIST_VIDEOS = re.compile(
    r"(please )?((list|show)( me)?|what are|which are|what is in|what's in)( all)?( of)?"
    r" (my|the|our) (videos|library|videos .{0,20}library)( (i|we) have)?( please)?"
    r"|(what|which) videos (do|did) (i|we) (have|load|add)"
    r"|(what|which) videos are (there|in (my|the)"
    r" library|loaded)|how many videos (do|are|have) .{0,30}|jakie (mam )?filmy( mam)?"
    r"|pokaż (moje )?filmy|qué (vídeos|videos) tengo|welche videos habe ich",
    re.IGNORECASE,
)


class Decision(BaseModel):
    """The router model's reply."""

    intent: Intent
    question: str


async def route(
    state: AgentState, runtime: Runtime[Reader], *, models: ChatModels, find: Find
) -> dict[str, Any]:
    """Decide the intent; for a follow-up, have the question made to stand alone.

    No model is asked for a first question, or for what is plain. Beside a model that is asked
    runs the search for the question as it is, behind the one before it: its passages are used
    when the model leaves the question unchanged, or fails.
    """
    text = newest_question(state["messages"])
    before = state["messages"][:-1]
    plain = plain_intent(text)
    if plain is not None or not before:
        return _routed(plain or "answer", text)
    earlier = last_user_text(before)
    if not models.configured:
        return _routed("answer", text, earlier)
    writer()(StatusEvent(type="status", step="route", detail="Understanding the question"))
    decision, passages = await asyncio.gather(
        _decide(models, routing_prompt(before, text)),
        find(text, runtime.context.user_id, state.get("video_ids"), before=earlier),
    )
    question = decision.question.strip() if decision else ""
    if decision is None or (decision.intent == "answer" and question in ("", text)):
        return _routed("answer", text, earlier, passages)
    return _routed(decision.intent, question or text)


def _routed(
    intent: Intent, question: str, before: str = "", passages: Sequence[Passage] = ()
) -> dict[str, Any]:
    """The route's part of the state; passages of the turn before do not outlive it."""
    return {
        "intent": intent,
        "question": question,
        "before": before,
        "passages": list(passages),
    }


async def _decide(models: ChatModels, prompt: Sequence[AnyMessage]) -> Decision | None:
    """The router's decision; None when it fails, since the question can be searched without it."""
    try:
        return await models.decide(prompt, Decision)
    except ModelError as error:
        log.warning("router did without a model", extra={"error": error.name()})
        return None


def plain_intent(text: str) -> Intent | None:
    """The intent of a message that can mean only one thing; null where it takes reading."""
    bare = text.strip().strip("!?.,… ").strip("¿¡")
    if SMALL_TALK.fullmatch(bare) or ABOUT_US.fullmatch(bare):
        return "converse"
    return "list_videos" if LIST_VIDEOS.fullmatch(bare) else None


def next_step(state: AgentState) -> Intent:
    return state["intent"]


def newest_question(messages: Sequence[AnyMessage]) -> str:
    return messages[-1].text


def last_user_text(messages: Sequence[AnyMessage]) -> str:
    return next((m.text for m in reversed(messages) if isinstance(m, HumanMessage)), "")


def routing_prompt(before: Sequence[AnyMessage], text: str) -> list[AnyMessage]:
    turns = "\n".join(
        f"{'Person' if isinstance(message, HumanMessage) else 'Assistant'}: "
        f"{message.text[:RECENT_CHARS]}"
        for message in before[-RECENT_MESSAGES:]
    )
    return [
        SystemMessage(fill("route")),
        HumanMessage(f"<conversation>\n{turns}\n</conversation>\n\nNewest message: {text}"),
    ]
