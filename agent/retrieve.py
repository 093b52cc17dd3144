"""The passages that bear on the question, from the videos the person may read."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol
from uuid import UUID

from langgraph.runtime import Runtime
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from agent.context import inside
from agent.events import StatusEvent, writer
from agent.library import VideoName, names, readable_ids, reader_id
from agent.search import Passage as Found
from agent.search import Search
from agent.state import AgentState, Passage, Reader, Said, Span
from talker.database import statement
from talker.spans import span as span_of

PASSAGES = 8
"""How many an answer is written from: some 1,600 tokens of transcript."""


class Find(Protocol):
    """`find_passages` with its dependencies filled in."""

    async def __call__(
        self,
        question: str,
        user_id: UUID | None,
        scope: Sequence[str] | None,
        *,
        before: str = "",
        language: str = "",
        span: Span | None = None,
        limit: int = PASSAGES,
    ) -> list[Passage]: ...


async def retrieve(state: AgentState, runtime: Runtime[Reader], *, find: Find) -> dict[str, Any]:
    """Find the passages, unless they were found beside the routing."""
    if state["passages"]:
        return {}
    writer()(StatusEvent(type="status", step="retrieve", detail="Searching your videos"))
    passages = await find(
        state["plan"]["question"],
        runtime.context.user_id,
        state["plan"]["video_ids"],
        before=state["plan"]["before"],
        span=state["plan"]["span"],
    )
    return {"passages": passages}


async def find_passages(
    question: str,
    user_id: UUID | None,
    scope: Sequence[str] | None,
    *,
    search: Search,
    sessions: async_sessionmaker[AsyncSession],
    before: str = "",
    language: str = "",
    span: Span | None = None,
    limit: int = PASSAGES,
) -> list[Passage]:
    """The best passages, numbered from 1, within the readable videos of `scope` (their ids).

    `language` is the question's where a few words do not tell; with a `span` only what lies in that
    stretch of each video.

    Raises IndexUnavailable, IndexMismatch, and ModelError's kinds for remote embeddings.
    """
    wanted = None if scope is None else [UUID(video_id) for video_id in scope]
    rows = partial(statement, sessions)
    readable = await readable_ids(rows, await reader_id(rows, user_id), wanted)
    with span_of("retrieval", {"talker.videos": len(readable)}) as around:
        found = await search.passages(
            question, readable, before=before, language=language, span=span, limit=limit
        )
        around.set_attribute("talker.passages", len(found))
    videos = await names(rows, {passage.video_id for passage in found})
    # A video that was removed meanwhile has no name any more.
    kept = [passage for passage in found if passage.video_id in videos]
    named = [numbered(n, passage, videos[passage.video_id]) for n, passage in enumerate(kept, 1)]
    return inside(named, span)


def numbered(n: int, found: Found, video: VideoName) -> Passage:
    """A found passage as the state has it."""
    return Passage(
        n=n,
        chunk_id=str(found.chunk_id),
        video_id=str(found.video_id),
        youtube_id=video.youtube_id,
        title=video.title,
        channel=video.channel,
        published_at=video.published_at.isoformat() if video.published_at else None,
        language=found.language,
        text=found.text,
        score=found.score,
        cosine=found.cosine,
        sentences=[
            Said(start_ms=s.start_ms, end_ms=s.end_ms, text=s.text) for s in found.sentences
        ],
        shown=Said(start_ms=found.shown.start_ms, end_ms=found.shown.end_ms, text=found.shown.text),
    )
