"""What a post is written from: passages about its topic, or such as stand for whole videos."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from agent.context import inside
from agent.library import names, readable_ids, reader_id
from agent.phrases import phrase
from agent.ranking import answers_question
from agent.retrieve import find_passages, numbered
from agent.search import Search
from agent.spread import spread, telling_words
from agent.state import Passage, Plan, Span
from agent.topic import names_videos, topic
from talker.database import autocommit, statement, within
from talker.models import Chunk, Transcript
from talker.points import IndexedChunk

MAX_WHOLE = 25
"""How many videos a post without a topic may stand for."""


@dataclass
class Material:
    """The passages, numbered from 1, and what they are about, in a few words; or what is
    `missing`, as a sentence to the person."""

    passages: list[Passage] = field(default_factory=list)
    about: str = ""
    missing: str | None = None


async def gather(
    plan: Plan,
    user_id: UUID | None,
    *,
    about: str | None,
    count: int,
    judged: bool,
    search: Search,
    sessions: async_sessionmaker[AsyncSession],
) -> Material:
    """Up to `count` passages for a post.

    The topic is `about`, else what the request names, else what the turn before named. Without
    one the passages stand for whole videos; so they do where nothing near is found in a few videos
    and the passages are to be `judged` by a model: then what seemed a topic may be a wish for the
    style. Raises IndexUnavailable, IndexMismatch and ModelError's kinds for
    remote embeddings.
    """
    wanted = plan["video_ids"]
    scope = None if wanted is None else [UUID(video_id) for video_id in wanted]
    rows = partial(statement, sessions)
    reader = await reader_id(rows, user_id)
    readable = await readable_ids(rows, reader, scope)
    if not readable:
        empty = scope is None or not await readable_ids(rows, reader, None)
        return Material(
            missing=phrase("empty_library" if empty else "empty_scope", plan["language"])
        )
    sought = about or topic(plan["question"])
    if not sought and not names_videos(plan["question"]):
        sought = topic(plan["before"])
    if sought:
        kept = await find_passages(
            sought,
            user_id,
            wanted,
            search=search,
            sessions=sessions,
            span=plan["span"],
            limit=count,
        )
        cosines = [passage["cosine"] for passage in kept if passage["cosine"] is not None]
        if kept and answers_question(cosines):
            return Material(kept, sought)
        if not judged or len(readable) > MAX_WHOLE:
            return Material(missing=nothing_about(sought))
    elif len(readable) > MAX_WHOLE:
        return Material(missing=too_many(len(readable)))
    passages, whole = await _whole(readable, plan["span"], count, search, sessions)
    missing = None if passages else phrase("empty_scope", plan["language"])
    return Material(passages, whole, missing)


def nothing_about(sought: str) -> str:
    return (
        f"Your videos say nothing about “{sought}”, so there is nothing to write from. Try other "
        "words, or load a video about it."
    )


def too_many(videos: int) -> str:
    return (
        f"There are {videos} videos to write from. Say what the text should be about, or choose "
        f"up to {MAX_WHOLE} of them."
    )


async def _whole(
    video_ids: Sequence[UUID],
    span: Span | None,
    count: int,
    search: Search,
    sessions: async_sessionmaker[AsyncSession],
) -> tuple[list[Passage], str]:
    """Passages that stand for the videos, in the videos' order and each in its video's; and the
    words that tell what the videos are about."""
    async with autocommit(sessions) as session:
        chunks = _overlapping(await _chunks(session, video_ids), span)
        videos = await names(partial(within, session), video_ids)
    # In a thread: the words of 25 long videos take a second to compare.
    chosen, about = await asyncio.to_thread(lambda: (spread(chunks, count), telling_words(chunks)))
    found = await search.passages_of(chosen, about)
    passages = [numbered(n, one, videos[one.video_id]) for n, one in enumerate(found, 1)]
    return inside(passages, span), about


async def _chunks(session: AsyncSession, video_ids: Sequence[UUID]) -> list[IndexedChunk]:
    """The chunks of each video's first transcript in order, the videos in theirs."""
    query = (
        select(Chunk, Transcript.language)
        .join(Transcript, Transcript.id == Chunk.transcript_id)
        .where(Chunk.video_id.in_(video_ids))
        .order_by(Transcript.created_at, Transcript.id, Chunk.position)
    )
    first: dict[UUID, UUID] = {}
    found: dict[UUID, list[IndexedChunk]] = {video_id: [] for video_id in video_ids}
    for row, language in await session.execute(query):
        if first.setdefault(row.video_id, row.transcript_id) == row.transcript_id:
            chunk = IndexedChunk(
                id=row.id,
                video_id=row.video_id,
                position=row.position,
                language=language,
                start_ms=row.start_ms,
                end_ms=row.end_ms,
                text=row.text,
            )
            found[row.video_id].append(chunk)
    return [chunk for chunks in found.values() for chunk in chunks]


def _overlapping(chunks: Sequence[IndexedChunk], span: Span | None) -> list[IndexedChunk]:
    if span is None:
        return list(chunks)
    until_ms = span["end_ms"]
    return [
        one
        for one in chunks
        if one.end_ms > span["start_ms"] and (until_ms is None or one.start_ms < until_ms)
    ]
