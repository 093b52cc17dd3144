"""The answer: written by a model from the passages or, without one, quoted from them."""

from datetime import UTC, datetime
from typing import Any

from langchain_core.embeddings import Embeddings
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage
from langgraph.runtime import Runtime

from agent.citations import citation, is_foreign, prove_citations, spoken
from agent.events import StatusEvent, TokenEvent, sources_event, writer
from agent.models import ChatModels, Reply
from agent.prompts import fill
from agent.quotes import as_one, best_sentences, prove_by_meaning
from agent.route import RECENT_CHARS, RECENT_MESSAGES
from agent.state import AgentState, Citation, Passage, Reader
from agent.streaming import stream_reply
from talker.sentences import Sentence

QUOTED_PASSAGES = 3
"""How many passages an extractive answer quotes, a sentence or two of each."""


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
    passages = state["passages"]
    writer()(sources_event(passages))
    if not models.configured:
        return await _extract(state["question"], passages, embeddings)
    writer()(StatusEvent(type="status", step="answer", detail="Writing the answer"))
    reply = Reply()
    await stream_reply(models, _prompt(state), runtime.context, reply)
    content, citations = await prove_citations(reply.text, passages, embeddings)
    return {
        "messages": [AIMessage(content)],
        "citations": citations,
        "model": reply.model,
        "usage": reply.usage,
    }


def _prompt(state: AgentState) -> list[AnyMessage]:
    """Rules, the last turns, then the passages fenced as data with the question under them."""
    passages = state["passages"]
    rules = fill(
        "answer",
        today=datetime.now(UTC).strftime("%d %B %Y"),
        first=passages[0]["n"],
        last=passages[-1]["n"],
    )
    fenced = "\n\n".join(
        f"[{passage['n']}] from the video “{_unfenced(passage['title'])}”:\n"
        f"{_unfenced(passage['text'])}"
        for passage in passages
    )
    asked = fill("passages", passages=fenced, question=state["question"])
    return [SystemMessage(rules), *_recent(state["messages"][:-1]), HumanMessage(asked)]


def _recent(messages: list[AnyMessage]) -> list[AnyMessage]:
    """The last turns, shortened: enough to follow the conversation by."""
    return [
        message.model_copy(update={"content": message.text[:RECENT_CHARS]})
        for message in messages[-RECENT_MESSAGES:]
    ]


def _unfenced(text: str) -> str:
    """Text that cannot close the fence it is put in."""
    return text.replace("<", "‹").replace(">", "›")


async def _extract(
    question: str, passages: list[Passage], embeddings: Embeddings | None
) -> dict[str, Any]:
    """The sentences that answer best, in the speakers' own words, each with its citation."""
    write = writer()
    lines: list[str] = []
    citations: list[Citation] = []
    for passage in passages[:QUOTED_PASSAGES]:
        said = await _best(question, passage, embeddings)
        citations.append(citation(passage["n"], passage, said))
        lines.append(f"- “{said.text}” [{passage['n']}]")
        write(TokenEvent(type="token", text=("\n" if len(lines) > 1 else "") + lines[-1]))
    return {
        "messages": [AIMessage("\n".join(lines))],
        "citations": citations,
        "model": None,
        "usage": None,
    }


async def _best(question: str, passage: Passage, embeddings: Embeddings | None) -> Sentence:
    """The one or two sentences of a passage that answer best, by meaning across languages."""
    said, language = spoken(passage), passage["language"]
    found = None
    if embeddings and is_foreign(question, language):
        found = await prove_by_meaning(question, said, embeddings)
    return found or as_one(best_sentences(question, said, language))
