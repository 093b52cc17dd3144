"""Several videos together: their summaries brought into one text, or put one after the other."""

from collections.abc import Sequence
from uuid import UUID

import regex

from agent.claims import MARK, numbers_in
from agent.harmless import plain
from agent.sections import passages_of
from agent.state import Citation, Passage, Reader, SummaryPlan, VideoSummary
from agent.summarizer import Summarizer
from agent.summary_prompts import overview_prompt
from agent.summary_text import Prose
from agent.summary_writing import Emit, stream_text
from agent.transcripts import Transcript


async def titled(
    summary: SummaryPlan, parts: Sequence[VideoSummary], summarizer: Summarizer
) -> list[tuple[str, VideoSummary]]:
    """Each video's summary with its title."""
    read = summarizer.transcripts.read
    transcripts = [await read(UUID(video["transcript_id"])) for video in summary["videos"]]
    return [(one.video.title, part) for one, part in zip(transcripts, parts, strict=True)]


def under_titles(told: Sequence[tuple[str, VideoSummary]]) -> tuple[str, list[Citation]]:
    """The summaries one after the other, their citations numbered through all of them."""
    texts: list[str] = []
    citations: list[Citation] = []
    for title, summary in told:
        first = len(citations) + 1
        new = {cited["n"]: n for n, cited in enumerate(summary["citations"], first)}
        citations += [{**cited, "n": new[cited["n"]]} for cited in summary["citations"]]
        texts.append(f"### {plain(title).strip()}\n\n{_renumbered(summary['content'], new)}")
    return "\n\n".join(texts), citations


async def write_together(
    summary: SummaryPlan,
    parts: Sequence[VideoSummary],
    request: str,
    reader: Reader,
    summarizer: Summarizer,
    emit: Emit,
) -> VideoSummary:
    """One text on all the videos, proved by the same passages that theirs are.

    `request` is what the person said: to compare them, say. Raises ModelError.
    """
    read = summarizer.transcripts.read
    transcripts = [await read(UUID(video["transcript_id"])) for video in summary["videos"]]
    texts, evidence = _evidence(parts, transcripts)
    told = [(one.video.title, text) for one, text in zip(transcripts, texts, strict=True)]
    prompt = overview_prompt(told, evidence, summary["style"], summary["language"], request)
    content, citations, reply = await stream_text(
        prompt,
        Prose(evidence, summarizer.embeddings, summary["language"]),
        reader,
        models=summarizer.models,
        emit=emit,
    )
    return {
        **parts[0],
        "content": content,
        "citations": citations,
        "model": reply.model,
        "usage": reply.usage,
    }


def _evidence(
    summaries: Sequence[VideoSummary], transcripts: Sequence[Transcript]
) -> tuple[list[str], list[Passage]]:
    """Several videos' summaries with the passages that they cite, numbered through all of them."""
    texts: list[str] = []
    evidence: list[Passage] = []
    for summary, transcript in zip(summaries, transcripts, strict=True):
        places: dict[int, int] = {}
        number_of: dict[int, int] = {}
        passages = passages_of(transcript)
        for cited in summary["citations"]:
            at = _passage_at(passages, cited["start_ms"])
            if at not in places:
                places[at] = len(evidence) + 1
                evidence.append({**passages[at], "n": places[at]})
            number_of[cited["n"]] = places[at]
        texts.append(_renumbered(summary["content"], number_of))
    return texts, evidence


def _renumbered(text: str, number_of: dict[int, int]) -> str:
    """The text with its citations' numbers exchanged for others."""

    def exchanged(mark: regex.Match[str]) -> str:
        new = [number_of[n] for n in sorted(numbers_in(mark[0])) if n in number_of]
        space = " " if new and mark[0][0].isspace() else ""
        return space + "".join(f"[{n}]" for n in dict.fromkeys(new))

    return MARK.sub(exchanged, text)


def _passage_at(passages: Sequence[Passage], start_ms: int) -> int:
    """The place of the last passage that has begun at a moment."""
    begun = [
        place
        for place, passage in enumerate(passages)
        if passage["sentences"][0]["start_ms"] <= start_ms
    ]
    return begun[-1] if begun else 0
