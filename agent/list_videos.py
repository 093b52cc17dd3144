"""The library as a message, written from the database, without a model."""

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage
from langgraph.runtime import Runtime
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from agent.events import TokenEvent, writer
from agent.library import VideoName, newest_first, reader_id
from agent.state import AgentState, Reader, scope

MAX_LISTED = 50

LIBRARY, NARROWED = "in your library", "in what you ask about"

UNREADY = {
    "queued": "waiting to be loaded",
    "loading": "being loaded",
    "failed": "could not be loaded",
}


async def list_videos(
    state: AgentState, runtime: Runtime[Reader], *, sessions: async_sessionmaker[AsyncSession]
) -> dict[str, Any]:
    wanted = scope(state)
    async with sessions() as session:
        user_id = await reader_id(session, runtime.context.user_id)
        videos = await newest_first(session, user_id, wanted)
    text = listing(videos) if wanted is None else listing(videos, NARROWED)
    writer()(TokenEvent(type="token", text=text))
    return {"messages": [AIMessage(text)], "citations": [], "model": None, "usage": None}


def listing(videos: Sequence[tuple[VideoName, str]], where: str = LIBRARY) -> str:
    if not videos:
        return f"There is no video {where} yet. Paste a link to load one."
    count = "There is one video" if len(videos) == 1 else f"There are {len(videos)} videos"
    lines = [f"- {_line(video, status)}" for video, status in videos[:MAX_LISTED]]
    if len(videos) > MAX_LISTED:
        lines.append(f"- and {len(videos) - MAX_LISTED} more")
    return f"{count} {where}:\n\n" + "\n".join(lines)


def _line(video: VideoName, status: str) -> str:
    details = [video.channel, _length(video.duration_ms), UNREADY.get(status)]
    known = ", ".join(detail for detail in details if detail)
    return f"{video.title} ({known})" if known else video.title


def _length(duration_ms: int | None) -> str | None:
    if duration_ms is None:
        return None
    minutes, seconds = divmod(duration_ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
