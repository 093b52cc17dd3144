"""One video's summary: its transcript read part by part, its text written, and both kept."""

import asyncio
from collections.abc import Callable, Sequence
from uuid import UUID

from langchain_core.embeddings import Embeddings
from langchain_core.messages import BaseMessage
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from agent.models import ChatModels
from agent.sections import chapters_of, parts_of, passages_of
from agent.state import (
    PartNotes,
    Reader,
    SummaryPlan,
    SummaryVideo,
    Usage,
    VideoSummary,
)
from agent.streaming import side_by_side, unless_stopped
from agent.summaries import Summaries, SummaryKey, hash_of
from agent.summary_prompts import Material, part_prompt, shorter_notes_prompt
from agent.summary_writing import Emit, write
from agent.transcripts import Transcripts
from agent.usage import added
from talker.errors import NothingSaid
from talker.text import token_estimate

NOTES_TOKENS = 1_200
"""The most of one part's notes that is kept; models write half of it when they do as told."""

WRITTEN_FROM_TOKENS = 20_000
"""The most notes that a summary is written from; longer ones are made shorter first."""

SHORTENED_TOGETHER = 6
"""Parts whose notes are shortened in one call: to a sixth of them at least."""

Tell = Callable[[str], None]
"""Where it is said what is being done."""


class Summarizer:
    """What is read and written for one is there for all who may read the video.

    `embeddings` are the local ones, null where a service makes them.
    """

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        models: ChatModels,
        embeddings: Embeddings | None,
    ) -> None:
        self.models = models
        self.embeddings = embeddings
        self.transcripts = Transcripts(sessions)
        self.summaries = Summaries(sessions)

    async def material(self, summary: SummaryPlan, video: SummaryVideo) -> Material:
        """All that is said in the part of a video that was asked for. Raises NothingSaid."""
        transcript = await self.transcripts.read(UUID(video["transcript_id"]))
        passages = passages_of(transcript, summary["span"])
        if not passages:
            raise NothingSaid(transcript.video.title)
        chapters = chapters_of(transcript, passages)
        return Material(transcript.video.title, passages, chapters, ())

    async def stored(self, summary: SummaryPlan, video: SummaryVideo) -> VideoSummary | None:
        """The summary as it was made before; never of a span."""
        if summary["span"] is not None:
            return None
        return await self.summaries.find(key_of(summary, video))

    async def read(
        self, summary: SummaryPlan, video: SummaryVideo, part: int, reader: Reader, tell: Tell
    ) -> PartNotes:
        """Notes on one part of a video. Raises ModelError."""
        material = await self.material(summary, video)
        parts = parts_of(material.passages, material.chapters)
        prompt = part_prompt(
            material.title, parts[part], material.chapters, part=part, parts=len(parts)
        )

        def started() -> None:
            tell(f"Reading part {next(reader.parts)} of {len(parts)}")

        text, usage = await self._noted(prompt, summary, video, reader, started)
        if usage is None:
            next(reader.parts)
        return PartNotes(part=part, text=text, usage=usage)

    async def summarize(
        self, summary: SummaryPlan, video: SummaryVideo, reader: Reader, tell: Tell
    ) -> VideoSummary:
        """One of several videos, from its first word to its summary. Raises ModelError."""
        stored = await self.stored(summary, video)
        if stored is not None:
            return stored
        material = await self.material(summary, video)
        tell(f"Reading “{material.title}”")
        count = len(parts_of(material.passages, material.chapters))
        notes: list[PartNotes] = []
        if count > 1:
            parts = range(count)
            notes = await side_by_side(
                self.read(summary, video, part, reader, lambda _: None) for part in parts
            )
        return await self.write(summary, video, notes, reader, tell, lambda _: None)

    async def write(
        self,
        summary: SummaryPlan,
        video: SummaryVideo,
        notes: Sequence[PartNotes],
        reader: Reader,
        tell: Tell,
        emit: Emit,
    ) -> VideoSummary:
        """Write a summary and store it; who waited for the same one gets it whole, for nothing.

        That of a span is not stored. When the person stops it, what there is of it.
        Raises ModelError.
        """
        key = key_of(summary, video)
        if summary["span"] is not None:
            return await self._write(summary, video, notes, reader, tell, emit)
        lock = self.summaries.lock(key)
        while lock.locked():
            tell("Waiting for the same summary, which is being written")
            if await unless_stopped(reader.stop, _free(lock)) is None:
                return unwritten(video)
        async with lock:
            made = await self.summaries.find(key)
            if made is not None:
                emit(made["content"])
                return made
            made = await self._write(summary, video, notes, reader, tell, emit)
            if not reader.stop.is_set():
                await self.summaries.keep(key, made)
            return made

    async def _write(
        self,
        summary: SummaryPlan,
        video: SummaryVideo,
        notes: Sequence[PartNotes],
        reader: Reader,
        tell: Tell,
        emit: Emit,
    ) -> VideoSummary:
        material = await self.material(summary, video)
        shorter = await unless_stopped(
            reader.stop, self._few_enough(notes, summary, video, reader, tell)
        )
        if shorter is None:
            return unwritten(video)
        texts, usage = shorter
        tell("Writing the summary")
        made = await write(
            Material(material.title, material.passages, material.chapters, texts),
            summary["style"],
            summary["language"],
            reader,
            models=self.models,
            embeddings=self.embeddings,
            emit=emit,
        )
        paid = added(made["usage"], usage, *(one["usage"] for one in notes))
        return {**made, "usage": paid}

    async def _few_enough(
        self,
        notes: Sequence[PartNotes],
        summary: SummaryPlan,
        video: SummaryVideo,
        reader: Reader,
        tell: Tell,
    ) -> tuple[list[str], Usage | None]:
        """The notes in order, made shorter, as often as it takes, where they are too many."""
        texts = [one["text"] for one in sorted(notes, key=lambda one: one["part"])]
        usage: Usage | None = None
        while sum(map(token_estimate, texts)) > WRITTEN_FROM_TOKENS and len(texts) > 1:
            tell(f"Shortening the notes on {len(texts)} parts")
            groups = [
                texts[at : at + SHORTENED_TOGETHER]
                for at in range(0, len(texts), SHORTENED_TOGETHER)
            ]
            noted = await side_by_side(
                self._noted(shorter_notes_prompt(group), summary, video, reader, lambda: None)
                for group in groups
            )
            texts = [text for text, _ in noted]
            usage = added(usage, *(paid for _, paid in noted))
        return texts, usage

    async def _noted(
        self,
        prompt: Sequence[BaseMessage],
        summary: SummaryPlan,
        video: SummaryVideo,
        reader: Reader,
        started: Callable[[], None],
    ) -> tuple[str, Usage | None]:
        """A model's notes; those it took before, for nothing, where it was sent the same.

        `started` is called when the model is.
        """
        key = (UUID(video["transcript_id"]), summary["model"], hash_of(prompt))
        async with self.summaries.lock(key):
            known = await self.summaries.notes(*key)
            if known is not None:
                return known, None
            async with reader.at_once:
                started()
                reply = await self.models.complete(prompt, reader.caller("summarize"))
            text = _cut(reply.text)
            await self.summaries.keep_notes(*key, text)
            return text, reply.usage


def key_of(summary: SummaryPlan, video: SummaryVideo) -> SummaryKey:
    return SummaryKey(
        video_id=UUID(video["video_id"]),
        transcript_id=UUID(video["transcript_id"]),
        language=summary["language"],
        model=summary["model"],
        style=summary["style"],
    )


def unwritten(video: SummaryVideo) -> VideoSummary:
    """What there is of a summary that was stopped before its first word."""
    return VideoSummary(
        video_id=video["video_id"], content="", citations=[], model=None, usage=None
    )


async def _free(lock: asyncio.Lock) -> bool:
    """Return when nobody holds the lock."""
    async with lock:
        return True


def _cut(text: str) -> str:
    """Notes of at most NOTES_TOKENS, whole lines of them."""
    kept: list[str] = []
    tokens = 0
    for line in filter(None, map(str.strip, text.splitlines())):
        tokens += token_estimate(line)
        if tokens > NOTES_TOKENS and kept:
            break
        kept.append(line)
    return "\n".join(kept)
