"""A summary written by a model, from all that was said or from the notes on it."""

from collections.abc import Callable, Sequence
from contextlib import aclosing

from langchain_core.embeddings import Embeddings
from langchain_core.messages import BaseMessage

from agent.models import ChatModels, Reply
from agent.state import Citation, Reader, VideoSummary
from agent.streaming import until
from agent.summary_prompts import Material, summary_prompt
from agent.summary_text import Lines, OwnChapters, Prose, SummaryText
from talker.models import SummaryStyle

Emit = Callable[[str], None]
"""Where the text goes as it is written."""


async def write(
    material: Material,
    style: SummaryStyle,
    language: str,
    reader: Reader,
    *,
    models: ChatModels,
    embeddings: Embeddings | None,
    emit: Emit,
) -> VideoSummary:
    """One video's summary; what there is of it when the person stops it. Raises ModelError."""
    text: SummaryText
    if style == "chapters" and material.chapters:
        text = OwnChapters(material.passages, material.chapters, embeddings)
    elif style in ("chapters", "key_moments"):
        text = Lines(material.passages, embeddings)
    else:
        text = Prose(material.passages, embeddings, language)
    prompt = summary_prompt(material, style, language)
    content, citations, reply = await stream_text(prompt, text, reader, models=models, emit=emit)
    return VideoSummary(
        video_id=material.passages[0]["video_id"],
        content=content,
        citations=citations,
        model=reply.model,
        usage=reply.usage,
    )


async def stream_text(
    prompt: Sequence[BaseMessage],
    text: SummaryText,
    reader: Reader,
    *,
    models: ChatModels,
    emit: Emit,
) -> tuple[str, list[Citation], Reply]:
    """What the model writes, made into text as it comes. Raises ModelError."""
    reply = Reply()
    try:
        content, citations = await _streamed(prompt, text, reader, reply, models=models, emit=emit)
    finally:
        text.close()
    return content, citations, reply


async def _streamed(
    prompt: Sequence[BaseMessage],
    text: SummaryText,
    reader: Reader,
    reply: Reply,
    *,
    models: ChatModels,
    emit: Emit,
) -> tuple[str, list[Citation]]:
    words = models.stream(prompt, reader.caller("summarize"), reply)
    async with reader.at_once, aclosing(words) as stream:
        async for piece in until(reader.stop, stream):
            if said := await text.add(piece):
                emit(said)
    rest, content, citations = await text.finish(prompt[0].text)
    if rest:
        emit(rest)
    return content, citations
