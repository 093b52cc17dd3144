"""The videos that speak of something, each with its best moment: found without a model."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, LiteralString
from uuid import UUID

from langchain_core.embeddings import Embeddings
from langchain_core.messages import AIMessage
from langgraph.runtime import Runtime
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from agent.citations import citation, is_foreign
from agent.clock import clock
from agent.converse import said
from agent.events import StatusEvent, TokenEvent, sources_event, writer
from agent.extract import best_said
from agent.library import names, readable_ids, reader_id
from agent.meaning import Meaning
from agent.phrases import phrase
from agent.retrieve import Find
from agent.state import AgentState, Citation, Passage, Reader, scope
from agent.titles import has_words, name_words, subject, subject_as_written
from agent.wording import fold
from talker.database import statement

MAX_VIDEOS = 8
MAX_MOMENTS = 40
"""Passages looked at in one search, among which few videos may have most."""

SEARCHES = 2
"""The second one is among the videos of which the first had nothing."""

NEAR = 1.0
"""How far below the best passage's score another video's best may be to speak of the same, in
spreads of the cosine, as scores are. On 26 subjects of real captions, seven of them in none, the
lists that this, titles and words make have a mean F1 of 0.83; with 4.0 it was 0.64."""

FEW, MANY = 2, 1_300
AMONG_FEW, AMONG_MANY = 0.82, 0.855
"""The local model's cosine, as if in one language, that a subject nobody speaks of seldom reaches
among so many chunks: the more there are, the nearer the nearest comes by chance. Of 48 such
subjects in four languages 2 to 5 in 100 reach it on English captions, of as many that are spoken of
100 (few chunks) to 88 (many)."""

CHUNKS: LiteralString = """
SELECT count(*) FROM (
    SELECT 1 FROM chunks WHERE video_id = ANY(%(video_ids)s::uuid[]) LIMIT %(most)s
) AS counted
"""


async def find_videos(
    state: AgentState,
    runtime: Runtime[Reader],
    *,
    find: Find,
    sessions: async_sessionmaker[AsyncSession],
    embeddings: Embeddings | None,
) -> dict[str, Any]:
    """List the videos best first, with the words that were said there as citations."""
    plan = state["plan"]
    writer()(StatusEvent(type="status", step="find_videos", detail="Searching your videos"))
    rows = partial(statement, sessions)
    user_id = await reader_id(rows, runtime.context.user_id)
    readable = await readable_ids(rows, user_id, scope(state))
    wanted = plan["question"]
    about = subject_as_written(wanted)
    left, best = {str(video_id) for video_id in readable}, list[Passage]()
    for _ in range(SEARCHES):
        if not left or len(best) >= MAX_VIDEOS:
            break
        found = await find(
            about,
            runtime.context.user_id,
            sorted(left),
            before=plan["before"],
            language=plan["language"],
            span=plan["span"],
            limit=MAX_MOMENTS,
        )
        best += best_of_each(found)
        left -= {passage["video_id"] for passage in found}
    [(chunks,)] = await rows(CHUNKS, {"video_ids": readable, "most": MANY})
    passages = speaking_of_it(best, subject(fold(wanted)), chunks)
    if not passages:
        return said(phrase("found_none", plan["language"]))
    writer()(sources_event(passages))
    meaning = Meaning(embeddings) if embeddings else None
    try:
        citations = [await _moment(wanted, passage, meaning) for passage in passages]
    finally:
        if meaning:
            meaning.close()
    videos = await names(rows, {UUID(passage["video_id"]) for passage in passages})
    channels = {str(video.id): video.channel for video in videos.values()}
    lines = [_line(one, channels.get(one["video_id"])) for one in citations]
    text = "\n".join([phrase("found", plan["language"]), "", *lines])
    writer()(TokenEvent(type="token", text=text))
    return {
        "messages": [AIMessage(text)],
        "passages": passages,
        "citations": citations,
        "model": None,
        "usage": None,
    }


def best_of_each(passages: Sequence[Passage]) -> list[Passage]:
    """The first passage of each video, in their order."""
    first: dict[str, Passage] = {}
    for passage in passages:
        first.setdefault(passage["video_id"], passage)
    return list(first.values())


def speaking_of_it(best: Sequence[Passage], about: str, chunks: int) -> list[Passage]:
    """Those that speak of a subject, numbered from 1: first those whose title or words have all
    of its words, then those that are by meaning nearly as near as the best, and nearer than
    something among so many `chunks` is by chance."""
    ranked = sorted(best, key=lambda passage: -passage["score"])
    words = name_words(about)
    worded = [
        passage
        for passage in ranked
        if words and (has_words(passage["title"], words) or has_words(passage["text"], words))
    ]
    near = [
        passage
        for passage in ranked
        if passage not in worded
        and ranked[0]["score"] - passage["score"] <= NEAR
        and (passage["cosine"] is None or passage["cosine"] >= min_cosine(chunks))
    ]
    found = [*worded, *near][:MAX_VIDEOS]
    return [{**passage, "n": n} for n, passage in enumerate(found, 1)]


def min_cosine(chunks: int) -> float:
    """What a subject must reach among so many chunks to be spoken of."""
    share = math.log(max(chunks, FEW) / FEW) / math.log(MANY / FEW)
    return AMONG_FEW + (AMONG_MANY - AMONG_FEW) * min(share, 1.0)


async def _moment(wanted: str, passage: Passage, meaning: Meaning | None) -> Citation:
    """The words of a passage that speak of it most, across languages by their meaning."""
    foreign = is_foreign(wanted, passage["language"])
    about = wanted if foreign else subject(fold(wanted)) or wanted
    return citation(passage["n"], passage, await best_said(about, passage, meaning))


def _line(moment: Citation, channel: str | None) -> str:
    at = clock(moment["start_ms"])
    where = f"{channel}, {at}" if channel else at
    return f"{moment['n']}. {moment['title']} ({where}): “{moment['quote']}” [{moment['n']}]"
