"""What the person wants, the question as it can be understood alone, and what they named."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langgraph.runtime import Runtime
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from agent.events import StatusEvent, writer
from agent.library import reader_id
from agent.links import Links, links_in
from agent.memory import recent_turns
from agent.model_calls import Caller
from agent.models import ChatModels
from agent.named import Before, Named, resolve
from agent.plain import Reading, language_of, leans_on_before, read, style_of, template_of
from agent.prompts import fill
from agent.ranking import answers_question
from agent.retrieve import Find
from agent.state import AgentState, Intent, Passage, Plan, Reader
from agent.titles import as_written, nearest, without_titles
from agent.wanting import lacks_video, reply_for
from talker.database import statement
from talker.errors import ModelError

log = logging.getLogger(__name__)

TEXTS = ("summarize", "compose")
"""Intents that ask for a text to be written."""


class Decision(BaseModel):
    """The router model's reply."""

    intent: Intent
    question: str


@dataclass(frozen=True)
class Asked:
    """The newest message as read without a model. `text` is it, without the links in it that
    are to be loaded; `earlier` the person's turn before it, "" for a first one."""

    text: str
    reading: Reading
    links: Links | None
    earlier: str
    template: str | None

    @property
    def leans(self) -> bool:
        """Whether the turn before is needed to understand it."""
        return bool(self.earlier) and leans_on_before(self.text)

    @property
    def needs_model(self) -> bool:
        """Whether it takes a model to know what is asked: never for a first question, and for a
        later one wherever the question must be made to stand alone."""
        if self.links or self.template:
            return False
        if not self.reading.sure or (self.earlier and self.reading.intent == "answer"):
            return True
        return self.leans and self.reading.intent in ("compose", "find_videos")


async def route(
    state: AgentState,
    runtime: Runtime[Reader],
    *,
    models: ChatModels,
    find: Find,
    expect: Callable[[str], None],
    sessions: async_sessionmaker[AsyncSession],
) -> dict[str, Any]:
    """Decide what is asked for, and of which videos.

    No model is asked for what is plain, which nearly every first message is. Beside a model that
    is asked runs the search for the question as it is, behind the one before it where it leans on
    that: its passages are used when the model leaves the question unchanged, or fails. `expect`
    is told of a question that will be searched as it is.
    """
    asked = _asked(state)
    if asked.reading.intent == "answer" and not asked.links and not asked.leans:
        expect(asked.text)
    named = await _resolved(state, runtime, sessions, asked)
    if not (models.configured and asked.needs_model):
        return await _concluded(_plan(state, asked, named), asked, named, runtime, find)
    writer()(StatusEvent(type="status", step="route", detail="Understanding the question"))
    plan = _plan(state, asked, named)
    prompt = routing_prompt(recent_turns(state), newest_question(state["messages"]))
    decision, passages = await asyncio.gather(
        _decide(models, prompt, runtime.context.caller("route")),
        find(
            asked.text,
            runtime.context.user_id,
            plan["video_ids"],
            before=plan["before"],
            span=plan["span"],
        ),
    )
    question = decision.question.strip() if decision else ""
    if decision is None:
        return _routed(plan, asked, named, passages)
    if decision.intent == "answer" and question in ("", asked.text):
        plan |= {"intent": "answer"}
        return _routed(plan, asked, named, passages)
    asked = _decided(asked, decision)
    named = await _resolved(state, runtime, sessions, asked)
    plan = _plan(state, asked, named, decided_by="model")
    return await _concluded(plan, asked, named, runtime, find)


def _asked(state: AgentState) -> Asked:
    text, template = newest_question(state["messages"]), state.get("template")
    links = links_in(text)
    if links:
        text = links.question
    reading = read(text)
    if template:
        reading = replace(reading, intent="compose", sure=True)
    return Asked(text, reading, links, last_user_text(state["messages"][:-1]), template)


def _decided(asked: Asked, decision: Decision) -> Asked:
    """What a model made of a message. Videos are added only where the message has a link."""
    intent: Intent = "converse" if decision.intent == "add_videos" else decision.intent
    text = decision.question.strip() or asked.text
    return replace(asked, text=text, reading=replace(read(text), intent=intent), earlier="")


async def _resolved(
    state: AgentState,
    runtime: Runtime[Reader],
    sessions: async_sessionmaker[AsyncSession],
    asked: Asked,
) -> Named:
    scope = state.get("video_ids")
    last = state.get("plan")
    before = Before(last["video_ids"] or (), state.get("citations") or ()) if last else None
    return await resolve(
        sessions,
        await reader_id(partial(statement, sessions), runtime.context.user_id),
        scope,
        asked.text,
        asked.reading,
        links=asked.links,
        before=before,
    )


def _plan(
    state: AgentState,
    asked: Asked,
    named: Named,
    *,
    decided_by: Literal["rules", "model"] = "rules",
) -> Plan:
    intent = _intent(asked, named)
    message = newest_question(state["messages"])
    own_words = without_titles(message, named.videos or ())
    return Plan(
        intent=intent,
        question=asked.text,
        before=asked.earlier if asked.leans else "",
        language=language_of(own_words, request=intent in TEXTS),
        video_ids=state.get("video_ids") if named.videos is None else named.video_ids,
        span=named.span,
        style=style_of(message) if intent == "summarize" else None,
        template=asked.template or template_of(message) if intent == "compose" else None,
        sources=asked.links.written if asked.links and intent == "add_videos" else [],
        decided_by=decided_by,
    )


def _intent(asked: Asked, named: Named) -> Intent:
    """The intent, where what was named has a say: unknown links are to be loaded, and the
    summary of a subject that is no video is an answer."""
    if asked.links and not named.knows(asked.links):
        return "add_videos"
    if asked.reading.intent == "summarize" and named.is_subject:
        return "answer"
    if asked.reading.intent == "find_videos" and not asked.reading.sure and named.videos:
        return "answer"  # about the video: it was not looked for
    return asked.reading.intent


async def _concluded(
    plan: Plan, asked: Asked, named: Named, runtime: Runtime[Reader], find: Find
) -> dict[str, Any]:
    """Where a name is none of the titles, also not nearly, with those of videos that speak of it:
    it may be a title in other words, or put in another language."""
    name = named.missing if lacks_video(plan, named) else None
    if name is None or nearest(name, named.candidates):
        return _routed(plan, asked, named)
    passages = await find(as_written(name, asked.text), runtime.context.user_id, plan["video_ids"])
    about = dict.fromkeys(passage["title"] for passage in passages if _is_near(passage))
    return _routed(plan, asked, named, about=tuple(about))


def _is_near(passage: Passage) -> bool:
    cosine = passage["cosine"]
    return answers_question([] if cosine is None else [cosine])


def _routed(
    plan: Plan,
    asked: Asked,
    named: Named,
    passages: Sequence[Passage] = (),
    about: Sequence[str] = (),
) -> dict[str, Any]:
    """The route's part of the state; passages and replies of the turn before do not outlive it."""
    links = asked.links
    known = links is not None and plan["intent"] != "add_videos"
    reply = reply_for(plan, named, linked=known and not asked.text, about=about)
    return {"plan": plan, "passages": list(passages), "reply": reply}


def asked_of(plan: Plan, video_ids: list[str]) -> Plan:
    """The plan for the question that came with links, asked about the videos loaded from them."""
    question = plan["question"]
    reading = read(question)
    intent: Intent = reading.intent if reading.intent in (*TEXTS, "find_videos") else "answer"
    return {
        **plan,
        "intent": intent,
        "video_ids": video_ids,
        "style": style_of(question) if intent == "summarize" else None,
        "template": template_of(question) if intent == "compose" else None,
        "sources": [],
    }


async def _decide(
    models: ChatModels, prompt: Sequence[AnyMessage], caller: Caller
) -> Decision | None:
    """The router's decision; None when it fails, since the question can be searched without it."""
    try:
        return await models.decide(prompt, Decision, caller)
    except ModelError as error:
        log.warning("router did without a model", extra={"error": error.name()})
        return None


async def next_step(state: AgentState) -> Intent | Literal["reply"]:
    return "reply" if state.get("reply") else state["plan"]["intent"]


def searched_as_it_is(text: str) -> bool:
    """Whether a message will be searched for in its own words, whatever was said before it."""
    return read(text).intent == "answer" and not leans_on_before(text) and not links_in(text)


def newest_question(messages: Sequence[AnyMessage]) -> str:
    return messages[-1].text


def last_user_text(messages: Sequence[AnyMessage]) -> str:
    return next((m.text for m in reversed(messages) if isinstance(m, HumanMessage)), "")


def routing_prompt(before: Sequence[AnyMessage], text: str) -> list[AnyMessage]:
    turns = "\n".join(
        f"{'Person' if isinstance(message, HumanMessage) else 'Assistant'}: {message.text}"
        for message in before
    )
    return [
        SystemMessage(fill("route")),
        HumanMessage(f"<conversation>\n{turns}\n</conversation>\n\nNewest message: {text}"),
    ]
