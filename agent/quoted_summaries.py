"""Summaries without a model: each video's most telling sentences, quoted."""

import asyncio

from agent.overviews import under_titles
from agent.state import SummaryPlan, SummaryVideo, VideoSummary
from agent.summaries import EXTRACTIVE, SummaryKey
from agent.summarizer import Summarizer, key_of
from agent.telling_sentences import extract
from talker.errors import ChatModelNeeded, NothingSaid
from talker.text import primary


async def quote_videos(summary: SummaryPlan, summarizer: Summarizer) -> VideoSummary:
    """The quotations from one video, or from several under their titles.

    Raises ChatModelNeeded for a study guide, and NothingSaid for a single video without words.
    """
    if summary["style"] == "study_guide":
        raise ChatModelNeeded("A study guide, with its questions and answers,")
    if len(summary["videos"]) == 1:
        return (await _quote(summary, summary["videos"][0], summarizer))[1]
    told = []
    for video in summary["videos"]:
        try:
            told.append(await _quote(summary, video, summarizer))
        except NothingSaid as silent:
            told.append((silent.title, _nothing(video, str(silent))))
    content, citations = under_titles(told)
    return {**told[0][1], "content": content, "citations": citations}


async def _quote(
    summary: SummaryPlan, video: SummaryVideo, summarizer: Summarizer
) -> tuple[str, VideoSummary]:
    """A video's title and quotations, in its own language; they are stored as others are."""
    material = await summarizer.material(summary, video)
    language = primary(material.passages[0]["language"])
    asked = key_of(summary, video)
    key = SummaryKey(asked.video_id, asked.transcript_id, language, EXTRACTIVE, asked.style)
    stored = await summarizer.summaries.find(key) if summary["span"] is None else None
    if stored is not None:
        return material.title, stored
    content, citations = await asyncio.to_thread(
        extract, material.passages, material.chapters, summary["style"]
    )
    made = VideoSummary(
        video_id=video["video_id"], content=content, citations=citations, model=None, usage=None
    )
    if summary["span"] is None:
        await summarizer.summaries.keep(key, made)
    return material.title, made


def _nothing(video: SummaryVideo, sentence: str) -> VideoSummary:
    return VideoSummary(
        video_id=video["video_id"], content=sentence, citations=[], model=None, usage=None
    )
