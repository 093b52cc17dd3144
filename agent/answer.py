"""The answer: written by a model from the passages or, without one, quoted from them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from langchain_core.embeddings import Embeddings
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage
from langgraph.runtime import Runtime

from agent.citations import cited_by_words, prove_citations, spoken
from agent.claims import numbers_in, sentence_count, without_numbers
from agent.context import within_budget
from agent.events import StatusEvent, TokenEvent, sources_event, writer
from agent.extract import extracted
from agent.fence import asked, fenced
from agent.leaks import without_instructions
from agent.meaning import Meaning
from agent.memory import recent_turns
from agent.models import ChatModels, Reply
from agent.negation import denies
from agent.phrases import language_name, not_said, unproved_note
from agent.prompts import fill
from agent.state import AgentState, Passage, Reader
from agent.streaming import stream_reply
from talker.text import primary


async def answer(
    state: AgentState,
    runtime: Runtime[Reader],
    *,
    models: ChatModels,
    embeddings: Embeddings | None,
) -> dict[str, Any]:
    """Stream the answer; its citations are proved before it counts as one.

    `embeddings` are the local ones, null where a service makes them.
    """
    passages = within_budget(state["plan"]["question"], state["passages"])
    meaning = Meaning(embeddings) if embeddings else None
    writer()(sources_event(passages))
    try:
        if not models.configured:
            return await _extract(state["plan"]["question"], passages, meaning)
        return await _write(state, passages, runtime.context, models, meaning)
    finally:
        if meaning:
            meaning.close()


async def _extract(
    question: str, passages: Sequence[Passage], meaning: Meaning | None
) -> dict[str, Any]:
    lines, citations = await extracted(question, passages, meaning)
    text = "\n".join(lines)
    writer()(TokenEvent(type="token", text=text))
    return {
        "messages": [AIMessage(text)],
        "passages": list(passages),
        "citations": citations,
        "unproved": 0,
        "model": None,
        "usage": None,
    }


async def _write(
    state: AgentState,
    passages: Sequence[Passage],
    reader: Reader,
    models: ChatModels,
    meaning: Meaning | None,
) -> dict[str, Any]:
    writer()(StatusEvent(type="status", step="answer", detail="Writing the answer"))
    language = state["plan"]["language"]
    prompt = _prompt(state, passages)
    reply = Reply()
    foreign = {p["n"]: p for p in passages if primary(p["language"]) != language}

    def prepare() -> None:
        """Embed a passage in another language once its number is written."""
        for n in numbers_in(reply.text) & foreign.keys():
            assert meaning is not None
            meaning.begin(spoken(foreign.pop(n)))

    await stream_reply(
        models, prompt, reader, reply, on_text=prepare if meaning and foreign else None
    )
    text = cited_by_words(without_instructions(reply.text, prompt[0].text), passages)
    content, citations, unproved = await prove_citations(text, passages, meaning=meaning)
    if unproved:
        content = f"{content}\n\n*{unproved_note(language, unproved)}*"
    elif not citations and content and not denies(content, language):
        unproved = sentence_count(content)
    if reply.text and not content:
        content = not_said(language)
    return {
        "messages": [AIMessage(content)],
        "passages": list(passages),
        "citations": citations,
        "unproved": unproved,
        "model": reply.model,
        "usage": reply.usage,
    }


def _prompt(state: AgentState, passages: Sequence[Passage]) -> list[AnyMessage]:
    """Rules, the last turns, then the passages fenced as data with the question under them."""
    plan = state["plan"]
    language = language_name(plan["language"])
    prompt = fill(
        "passages",
        passages="\n\n".join(map(fenced, passages)),
        today=datetime.now(UTC).strftime("%d %B %Y"),
        first=passages[0]["n"],
        last=passages[-1]["n"],
        language=language or "the language of the question",
        question=asked(plan["question"]),
    )
    recent = map(_unnumbered, recent_turns(state))
    return [SystemMessage(fill("answer")), *recent, HumanMessage(prompt)]


def _unnumbered(message: AnyMessage) -> AnyMessage:
    """A turn of before without its numbers, which were those of other passages."""
    return message.model_copy(update={"content": without_numbers(message.text)})
