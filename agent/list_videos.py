"""The library as a message, written from the database, without a model."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from langgraph.runtime import Runtime
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from agent.clock import clock
from agent.converse import said
from agent.library import VideoName, newest_first, reader_id
from agent.phrases import Phrase, phrase
from agent.state import AgentState, Reader, scope
from talker.database import autocommit, within

MAX_LISTED = 50

UNREADY: dict[str, Phrase] = {
    "queued": "waiting",
    "loading": "being_loaded",
    "failed": "not_loaded",
}


async def list_videos(
    state: AgentState, runtime: Runtime[Reader], *, sessions: async_sessionmaker[AsyncSession]
) -> dict[str, Any]:
    wanted = scope(state)
    async with autocommit(sessions) as session:
        user_id = await reader_id(partial(within, session), runtime.context.user_id)
        videos = await newest_first(session, user_id, wanted)
    narrowed = wanted is not None
    return said(listing(videos, state["plan"]["language"], narrowed=narrowed))


def listing(
    videos: Sequence[tuple[VideoName, str]], language: str, *, narrowed: bool = False
) -> str:
    """How many videos there are, and the first of them by name."""
    if not videos:
        return phrase("empty_scope" if narrowed else "no_video", language)
    count = phrase("count_narrowed" if narrowed else "count", language, count=len(videos))
    lines = [f"- {_line(video, status, language)}" for video, status in videos[:MAX_LISTED]]
    if len(videos) > MAX_LISTED:
        lines.append(f"- {phrase('more', language, count=len(videos) - MAX_LISTED)}")
    return f"{count}\n\n" + "\n".join(lines)


def _line(video: VideoName, status: str, language: str) -> str:
    length = None if video.duration_ms is None else clock(video.duration_ms)
    unready = phrase(UNREADY[status], language) if status in UNREADY else None
    known = ", ".join(detail for detail in (video.channel, length, unready) if detail)
    return f"{video.title} ({known})" if known else video.title
