"""Summaries of whole videos: every part is read, side by side, and one text written of it.

plan_summary ─┬─ read_part × parts ─ write_summary          one video
              └─ summarize_video × videos ─ write_overview  several
"""

from functools import partial
from typing import Any, Literal

from langchain_core.messages import AIMessage
from langgraph.runtime import Runtime
from langgraph.types import Send
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from agent.converse import said
from agent.events import StatusEvent, TokenEvent, writer
from agent.library import reader_id
from agent.overviews import titled, under_titles, write_together
from agent.quoted_summaries import quote_videos
from agent.sections import parts_of
from agent.state import (
    AgentState,
    PartToRead,
    Reader,
    SummaryPlan,
    SummaryVideo,
    VideoSummary,
    VideoToSummarize,
)
from agent.streaming import unless_stopped
from agent.summarizer import Summarizer, unwritten
from agent.summary_scope import videos_to_summarize
from agent.summary_writing import Emit
from agent.transcripts import transcripts_in
from agent.usage import added
from talker.database import autocommit, within
from talker.errors import NothingSaid, NothingToSummarize
from talker.models import SummaryStyle

DEFAULT_STYLE: SummaryStyle = "short"
LINE_BY_LINE: tuple[SummaryStyle, ...] = ("key_moments", "chapters")
"""Styles that several videos have one after the other; the others bring them together."""

DONE: dict[str, Any] = {"summary": None, "part_notes": None, "video_summaries": None}
"""Nothing of the work outlives it, nor does any of a run that failed."""


async def plan_summary(
    state: AgentState,
    runtime: Runtime[Reader],
    *,
    sessions: async_sessionmaker[AsyncSession],
    summarizer: Summarizer,
) -> dict[str, Any]:
    """Find what is to be summarised; answer at once where that takes no model.

    That is a summary that is stored, one of quotations where no model is configured, and
    words that say why there is none.
    """
    try:
        async with autocommit(sessions) as session:
            summary = await _summary_plan(session, state, runtime.context, summarizer)
        if not summarizer.models.configured:
            _tell("Reading what was said")
            made = await quote_videos(summary, summarizer)
            _emitter(summary)(made["content"])
            return _settled(made, summary)
        if len(summary["videos"]) == 1:
            return await _plan_one(summary, summarizer)
    except NothingToSummarize as nothing:
        return DONE | said(str(nothing))
    return DONE | {"summary": summary}


async def _summary_plan(
    session: AsyncSession, state: AgentState, reader: Reader, summarizer: Summarizer
) -> SummaryPlan:
    plan = state["plan"]
    user_id = await reader_id(partial(within, session), reader.user_id)
    videos, first = await videos_to_summarize(session, user_id, state)
    rows = await transcripts_in(session, [video.id for video in videos], plan["language"])
    return SummaryPlan(
        videos=[
            SummaryVideo(video_id=str(video.id), transcript_id=str(rows[video.id].id), parts=0)
            for video in videos
        ],
        style=plan["style"] or DEFAULT_STYLE,
        language=plan["language"],
        span=plan["span"],
        model=reader.model or summarizer.models.names[0],
        first=first,
    )


async def _plan_one(summary: SummaryPlan, summarizer: Summarizer) -> dict[str, Any]:
    """A stored summary of one video, else in how many parts the video is read."""
    [video] = summary["videos"]
    stored = await summarizer.stored(summary, video)
    if stored is not None:
        _emitter(summary)(stored["content"])
        return _settled(stored, summary)
    _tell("Opening the transcript")
    material = await summarizer.material(summary, video)
    count = len(parts_of(material.passages, material.chapters))
    return DONE | {"summary": {**summary, "videos": [{**video, "parts": count}]}}


async def next_reading(state: AgentState) -> list[Send] | Literal["write_summary", "__end__"]:
    """What is read next; the end where `plan_summary` has answered."""
    summary = state.get("summary")
    if summary is None:
        return "__end__"
    if len(summary["videos"]) > 1:
        return [
            Send("summarize_video", VideoToSummarize(summary=summary, video=video))
            for video in summary["videos"]
        ]
    [video] = summary["videos"]
    if video["parts"] == 1:
        return "write_summary"
    return [
        Send("read_part", PartToRead(summary=summary, video=video, part=part))
        for part in range(video["parts"])
    ]


async def read_part(
    state: PartToRead, runtime: Runtime[Reader], *, summarizer: Summarizer
) -> dict[str, Any]:
    """Notes on one part of a video; none when the person stops it. Raises ModelError."""
    reader = runtime.context
    work = summarizer.read(state["summary"], state["video"], state["part"], reader, _tell)
    notes = await unless_stopped(reader.stop, work)
    return {"part_notes": [notes] if notes else []}


async def write_summary(
    state: AgentState, runtime: Runtime[Reader], *, summarizer: Summarizer
) -> dict[str, Any]:
    """Stream one video's summary. Raises ModelError."""
    summary, reader = state["summary"], runtime.context
    assert summary is not None
    [video] = summary["videos"]
    if reader.stop.is_set():
        return _settled(unwritten(video), summary)
    made = await summarizer.write(
        summary, video, state.get("part_notes") or [], reader, _tell, _emitter(summary)
    )
    return _settled(made, summary)


async def summarize_video(
    state: VideoToSummarize, runtime: Runtime[Reader], *, summarizer: Summarizer
) -> dict[str, Any]:
    """One of several videos, in full; none of it when the person stops. Raises ModelError."""
    summary, video, reader = state["summary"], state["video"], runtime.context
    style = summary["style"] if summary["style"] in LINE_BY_LINE else "detailed"
    count = len(summary["videos"])
    number = summary["videos"].index(video) + 1

    def tell(detail: str) -> None:
        _tell(f"Video {number} of {count}: {detail}")

    work = summarizer.summarize({**summary, "style": style}, video, reader, tell)
    try:
        made = await unless_stopped(reader.stop, work)
    except NothingSaid as silent:
        made = {**unwritten(video), "content": str(silent)}
    return {"video_summaries": [made] if made else []}


async def write_overview(
    state: AgentState, runtime: Runtime[Reader], *, summarizer: Summarizer
) -> dict[str, Any]:
    """Bring several videos' summaries together: in one text, or one after the other.

    Raises ModelError.
    """
    summary, reader = state["summary"], runtime.context
    assert summary is not None
    by_id = {made["video_id"]: made for made in state["video_summaries"]}
    if reader.stop.is_set() or len(by_id) < len(summary["videos"]):
        return _settled(unwritten(summary["videos"][0]), summary)
    parts = [by_id[video["video_id"]] for video in summary["videos"]]
    emit = _emitter(summary)
    if summary["style"] in LINE_BY_LINE:
        content, citations = under_titles(await titled(summary, parts, summarizer))
        emit(content)
        made: VideoSummary = {**parts[0], "content": content, "citations": citations}
        made["usage"] = None
    else:
        _tell(f"Bringing {len(parts)} videos together")
        request = state["plan"]["question"]
        made = await write_together(summary, parts, request, reader, summarizer, emit)
    paid = added(made["usage"], *(part["usage"] for part in parts))
    return _settled({**made, "usage": paid}, summary)


def _settled(made: VideoSummary, summary: SummaryPlan) -> dict[str, Any]:
    """The answer, and an end of the work."""
    content = "\n\n".join(part for part in (summary["first"], made["content"]) if part)
    return DONE | {
        "messages": [AIMessage(content)],
        "citations": made["citations"],
        "unproved": 0,
        "model": made["model"],
        "usage": made["usage"],
    }


def _emitter(summary: SummaryPlan) -> Emit:
    """Sends text as tokens; before its first goes what the person must know of the rest."""
    write = writer()
    before = f"{summary['first']}\n\n" if summary["first"] else ""

    def emit(text: str) -> None:
        nonlocal before
        write(TokenEvent(type="token", text=before + text))
        before = ""

    return emit


def _tell(detail: str) -> None:
    writer()(StatusEvent(type="status", step="summarize", detail=detail))
