"""A text to publish: written from passages, each claim with its receipt, in its place's form."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from langchain_core.embeddings import Embeddings
from langchain_core.messages import AIMessage, AnyMessage
from langgraph.runtime import Runtime
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from agent.citations import citation, is_foreign, spoken
from agent.claims import numbers_in, without_numbers
from agent.converse import said
from agent.drafts import PostPreview, tidied
from agent.events import StatusEvent, sources_event, video_url, writer
from agent.leaks import without_instructions
from agent.library import reader_id
from agent.material import Material, gather, nothing_about
from agent.meaning import Meaning
from agent.models import ChatModels, Reply
from agent.places import FORMS, NamedVideo
from agent.post_prompts import NOTHING, again, post_prompt
from agent.quotes import as_one, best_sentences
from agent.receipts import Checked, check
from agent.search import Search
from agent.state import AgentState, Passage, Reader, Usage
from agent.streaming import stream_reply
from agent.usage import added
from talker import templates
from talker.database import autocommit, within
from talker.errors import ModelError, UnprovedPost
from talker.models import Place
from talker.text import content_words

log = logging.getLogger(__name__)

PASSAGES: dict[Place | None, int] = {
    "linkedin": 12,
    "x_thread": 12,
    "newsletter": 16,
    "blog": 20,
    None: 16,
}
"""How many a text is written from, each some 200 tokens."""

QUOTED = 8
"""How many passages are quoted where no model writes."""
SAYING_WORDS = 4
"""A quotation with fewer words that mean something says nothing."""

MAX_UNPROVED = 1 / 3
"""Share of a draft's claims, and one in any, that are just taken out; where more fail, it is
written again."""

NAMES: dict[Place | None, str] = {
    "linkedin": "a LinkedIn post",
    "x_thread": "a thread for X",
    "newsletter": "a newsletter",
    "blog": "a blog post",
    None: "a text",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The kind of text: its place, the person's own instructions, and the topic they gave it."""

    place: Place | None
    instructions: str = ""
    about: str | None = None


async def compose(
    state: AgentState,
    runtime: Runtime[Reader],
    *,
    models: ChatModels,
    embeddings: Embeddings | None,
    search: Search,
    sessions: async_sessionmaker[AsyncSession],
) -> dict[str, Any]:
    """Write a text from the person's videos; without a model, quote what it would be made of.

    `embeddings` are the local ones, null where a service makes them. Raises TemplateNotFound,
    BadVariables, UnprovedPost, ModelError's kinds and what searching raises.
    """
    plan, user_id = state["plan"], runtime.context.user_id
    wanted = await _wanted(state, user_id, sessions)
    writer()(StatusEvent(type="status", step="compose", detail="Choosing what to write from"))
    material = await gather(
        plan,
        user_id,
        about=wanted.about,
        count=PASSAGES[wanted.place],
        judged=models.configured,
        search=search,
        sessions=sessions,
    )
    if material.missing:
        return {**said(material.missing), "passages": [], "unproved": 0}
    writer()(sources_event(material.passages))
    if not models.configured:
        return _quote(wanted, material)
    detail = f"Writing {NAMES[wanted.place]}"
    writer()(StatusEvent(type="status", step="compose", detail=detail))
    before = state["messages"][:-1]
    prompt = post_prompt(
        wanted.place, material.passages, before, plan["question"], wanted.instructions
    )
    asked = f"{plan['question']} {plan['before']} {wanted.instructions}"
    meaning = Meaning(embeddings) if embeddings else None
    writing = _Writing(wanted.place, material.passages, asked, models, meaning, runtime.context)
    try:
        if await writing.write(prompt):
            return writing.result()
    finally:
        if meaning:
            meaning.close()
    return {**said(nothing_about(material.about)), "passages": [], "unproved": 0}


async def _wanted(
    state: AgentState, user_id: UUID | None, sessions: async_sessionmaker[AsyncSession]
) -> Wanted:
    """The template that was chosen by hand or named in the request; LinkedIn's where none was."""
    reference = state["plan"]["template"] or "linkedin"
    async with autocommit(sessions) as session:
        reader = await reader_id(partial(within, session), user_id)
        found = await templates.find(session, reader, reference)
    if isinstance(found, templates.BuiltIn):
        return Wanted(found.place)
    values = state.get("variables") or {}
    return Wanted(
        found.place,  # type: ignore[arg-type]  # a check keeps the column to Place
        templates.render(found.body, values),
        values.get("topic"),
    )


class _Writing:
    """One text in the making: a draft, checked, and where need be written a second time."""

    def __init__(
        self,
        place: Place | None,
        passages: list[Passage],
        asked: str,
        models: ChatModels,
        meaning: Meaning | None,
        reader: Reader,
    ) -> None:
        self._form = FORMS[place]
        self._passages = passages
        self._unread = {passage["n"]: passage for passage in passages}
        self._asked = asked
        self._models = models
        self._meaning = meaning
        self._reader = reader
        self._checked = Checked()
        self._model: str | None = None
        self._usage: Usage | None = None

    async def write(self, prompt: Sequence[AnyMessage]) -> bool:
        """Write the text; false where the model finds nothing to write from. Raises ModelError."""
        reply = Reply()
        await stream_reply(
            self._models,
            prompt,
            self._reader,
            reply,
            purpose="compose",
            preview=PostPreview(NOTHING),
            on_text=lambda: self._prepare(reply.text),
        )
        if reply.text.strip().startswith(NOTHING):
            return False
        self._model, self._usage = reply.model, reply.usage
        self._checked = await self._check(prompt, reply.text)
        if not self._reader.stop.is_set() and self._is_wanting():
            await self._again(prompt, reply.text)
        return True

    def _prepare(self, text: str) -> None:
        """Embed a passage in another language than the text's once its number is written."""
        for n in numbers_in(text) & self._unread.keys():
            passage = self._unread.pop(n)
            foreign = is_foreign(without_numbers(text), passage["language"])
            if self._meaning and foreign:
                self._meaning.begin(spoken(passage))

    async def _check(self, prompt: Sequence[AnyMessage], draft: str) -> Checked:
        own = without_instructions(draft, prompt[0].text)
        tidy = tidied(own, as_plain_text=self._form.as_plain_text)
        return await check(tidy, self._passages, self._asked, self._meaning)

    def _is_wanting(self) -> bool:
        """Whether taking out and cutting would spoil the text, so that it is written again."""
        checked = self._checked
        claims = len(checked.unproved) + len({one["claim"] for one in checked.citations})
        return (
            checked.hook_lost
            or len(checked.unproved) > max(1, MAX_UNPROVED * claims)
            or self._form.excess(checked.text) is not None
        )

    async def _again(self, prompt: Sequence[AnyMessage], draft: str) -> None:
        """Have the text written once more; where that fails or is worse, the first one stays."""
        writer()(StatusEvent(type="status", step="compose", detail="Checking the text"))
        excess = self._form.excess(self._checked.text)
        retry = again(prompt, draft, self._checked.unproved, excess)
        try:
            reply = await self._models.complete(retry, self._reader.caller("compose"))
        except ModelError as error:
            log.warning("a text was not written again", extra={"error": error.name()})
            return
        self._usage = added(self._usage, reply.usage)
        checked = await self._check(prompt, reply.text)
        if checked.citations or not self._checked.citations:
            self._checked, self._model = checked, reply.model

    def result(self) -> dict[str, Any]:
        """The text in its place's form. Raises UnprovedPost where nothing of it holds."""
        content = self._form.shape(self._checked.text, self._named())
        citations = self._checked.kept_in(content)
        if self._checked.unproved and not citations and not self._reader.stop.is_set():
            raise UnprovedPost(len(self._checked.unproved))
        return {
            "messages": [AIMessage(content)],
            "passages": self._passages,
            "citations": citations,
            "unproved": len(self._checked.unproved),
            "model": self._model,
            "usage": self._usage,
        }

    def _named(self) -> list[NamedVideo]:
        """The videos that claims come from, the most used first."""
        counts: dict[str, int] = {}
        videos: dict[str, NamedVideo] = {}
        for one in self._checked.citations:
            counts[one["video_id"]] = counts.get(one["video_id"], 0) + 1
            videos[one["video_id"]] = NamedVideo(one["title"], video_url(one["youtube_id"]))
        return [videos[id_] for id_ in sorted(counts, key=lambda id_: -counts[id_])]


def _quote(wanted: Wanted, material: Material) -> dict[str, Any]:
    """What a text could be made of, in the speakers' own words, and which setting writes it."""
    lines = [
        f"Writing {NAMES[wanted.place]} takes a chat model, and none is set up: fill "
        "OPENROUTER_API_KEY, or OPENROUTER_BASE_URL for a model server of your own. This is what "
        "it would be written from, in the speakers' own words:",
        "",
    ]
    quoted = [
        (passage, as_one(best_sentences(material.about, spoken(passage), passage["language"])))
        for passage in _some(material.passages)
    ]
    # A greeting or a thank you is left out where there is more.
    saying = [one for one in quoted if len(content_words(one[1].text)) >= SAYING_WORDS] or quoted
    lines += [f"- “{quote.text}” [{passage['n']}]" for passage, quote in saying]
    text = "\n".join(lines)
    return {
        **said(text),
        "passages": material.passages,
        "citations": [citation(passage["n"], passage, quote) for passage, quote in saying],
        "unproved": 0,
    }


def _some(passages: Sequence[Passage]) -> Sequence[Passage]:
    """At most QUOTED of the passages, evenly from all."""
    count = min(QUOTED, len(passages))
    return [passages[at * len(passages) // count] for at in range(count)]
