"""Summaries as they are stored, and the notes that they are written from."""

import asyncio
import hashlib
from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass
from uuid import UUID
from weakref import WeakValueDictionary

from langchain_core.messages import BaseMessage
from sqlalchemy import case, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from agent.state import VideoSummary
from talker.database import autocommit
from talker.models import Summary, SummaryStyle, TranscriptNotes

EXTRACTIVE = "extractive"
"""What stands for the model of a summary that quotes the speakers."""


@dataclass(frozen=True, slots=True)
class SummaryKey:
    """One summary, whoever asks for it; `model` is the one asked for, or EXTRACTIVE."""

    video_id: UUID
    transcript_id: UUID
    language: str
    model: str
    style: SummaryStyle


class Summaries:
    """Finds and keeps summaries; one that is being made in this process is not made twice."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions
        self._locks: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    def lock(self, key: Hashable) -> asyncio.Lock:
        """Who holds it makes what `key` names; who waits for it then finds that made.

        Other processes do not wait, and at worst write a text from the same notes once more.
        """
        return self._locks.setdefault(key, asyncio.Lock())

    async def find(self, key: SummaryKey) -> VideoSummary | None:
        query = select(Summary).where(
            Summary.transcript_id == key.transcript_id,
            Summary.language == key.language,
            Summary.model == key.model,
            Summary.style == key.style,
        )
        async with autocommit(self._sessions) as session:
            row = await session.scalar(query)
        return None if row is None else as_found(row)

    async def keep(self, key: SummaryKey, made: VideoSummary) -> None:
        """Store it for everybody; nothing is stored of a video that was removed meanwhile."""
        usage = made["usage"] or {"input_tokens": None, "output_tokens": None, "cost_usd": None}
        values = {
            **asdict(key),
            "written_by": made["model"],
            "content": made["content"],
            "citations": made["citations"],
            **usage,
        }
        try:
            async with self._sessions.begin() as session:
                await session.execute(insert(Summary).values(values).on_conflict_do_nothing())
        except IntegrityError:
            return

    async def notes(self, transcript_id: UUID, model: str, prompt_hash: str) -> str | None:
        """What a model noted when it was sent the same before."""
        key = (transcript_id, model, prompt_hash)
        async with autocommit(self._sessions) as session:
            row = await session.get(TranscriptNotes, key)
        return None if row is None else row.content

    async def keep_notes(
        self, transcript_id: UUID, model: str, prompt_hash: str, content: str
    ) -> None:
        values = {
            "transcript_id": transcript_id,
            "model": model,
            "prompt_hash": prompt_hash,
            "content": content,
        }
        try:
            async with self._sessions.begin() as session:
                await session.execute(
                    insert(TranscriptNotes).values(values).on_conflict_do_nothing()
                )
        except IntegrityError:
            return


async def any_summary(
    session: AsyncSession,
    transcript_id: UUID,
    language: str,
    style: SummaryStyle,
    models: Sequence[str],
) -> Summary | None:
    """A stored summary by the first of `models` that wrote one, else the newest of any other.

    Quotations count as one in their speakers' language, and come last.
    """
    order = case(
        {model: place for place, model in enumerate(models)}, value=Summary.model, else_=99
    )
    last = Summary.model == EXTRACTIVE
    query = (
        select(Summary)
        .where(Summary.transcript_id == transcript_id, Summary.style == style)
        .where((Summary.language == language) | last)
        .order_by(last, order, Summary.created_at.desc())
    )
    return await session.scalar(query.limit(1))


def as_found(row: Summary) -> VideoSummary:
    """A stored summary; nothing is paid for it again."""
    return VideoSummary(
        video_id=str(row.video_id),
        content=row.content,
        citations=[{**citation} for citation in row.citations],  # type: ignore[typeddict-item]  # as stored
        model=row.written_by,
        usage=None,
    )


def hash_of(prompt: Sequence[BaseMessage]) -> str:
    whole = "\x00".join(message.text for message in prompt)
    return hashlib.sha256(whole.encode()).hexdigest()
