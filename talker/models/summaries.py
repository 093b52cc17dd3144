"""Summaries, and the notes on parts of a transcript that they are written from."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from talker.models.base import Base, SummaryStyle, now, one_of


class Summary(Base):
    """A video's summary, for everybody who may read the video.

    It is of one transcript, so that another one, or the same fetched anew, has its own. `model`
    is the one that was asked for, `extractive` where there was none; `written_by` the one that
    wrote it, which may be a fall-back. `citations` are as the agent makes them.
    """

    __tablename__ = "summaries"
    __table_args__ = (
        one_of("style", SummaryStyle),
        Index(
            "uq_summaries_transcript_id_language_model_style",
            "transcript_id",
            "language",
            "model",
            "style",
            unique=True,
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    video_id: Mapped[UUID] = mapped_column(ForeignKey("videos.id", ondelete="CASCADE"), index=True)
    transcript_id: Mapped[UUID] = mapped_column(ForeignKey("transcripts.id", ondelete="CASCADE"))
    language: Mapped[str] = mapped_column(String(35))
    model: Mapped[str]
    written_by: Mapped[str | None]
    style: Mapped[str] = mapped_column(String(16))
    content: Mapped[str]
    citations: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    input_tokens: Mapped[int | None]
    output_tokens: Mapped[int | None]
    cost_usd: Mapped[float | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


class TranscriptNotes(Base):
    """What a model noted on a part of a transcript; no part is read twice for the same.

    `prompt_hash` is the SHA-256 of all that the model was sent.
    """

    __tablename__ = "transcript_notes"

    transcript_id: Mapped[UUID] = mapped_column(
        ForeignKey("transcripts.id", ondelete="CASCADE"), primary_key=True
    )
    model: Mapped[str] = mapped_column(primary_key=True)
    prompt_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)
