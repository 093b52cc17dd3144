"""Conversations, their messages, and the runs that write them."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    ForeignKey,
    Index,
    String,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from talker.models.base import Base, Purpose, Rating, Role, RunStatus, now, one_of


class Conversation(Base):
    """`video_ids` or `collection_id` narrows what it is about; neither, the whole library."""

    __tablename__ = "conversations"
    __table_args__ = (Index("ix_conversations_user_id_updated_at", "user_id", "updated_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str]
    video_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid()))
    collection_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("collections.id", ondelete="SET NULL"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)


class Run(Base):
    """One answer in the making, kept so that any process can take it up.

    `asked` is what is to be answered. `owner` is the attempt that may write for the run, null
    where nobody works on it: handed over while `running`, over when not. It renews
    `heartbeat_at`, without which for a while the run is lost and taken up by another `attempt`.
    `checkpoint_id` is the end of its turn in the conversation's memory. `confirm` is the event
    with which it waits for the person's word, `accepted` that word.
    """

    __tablename__ = "runs"
    __table_args__ = (
        one_of("status", RunStatus),
        Index(
            "ix_runs_unfinished_heartbeat_at",
            "heartbeat_at",
            postgresql_where=text("status = 'running' OR owner IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    conversation_id: Mapped[UUID] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), index=True
    )
    status: Mapped[str] = mapped_column(String(16), default="running")
    asked: Mapped[dict[str, Any] | None]
    owner: Mapped[UUID | None]
    attempt: Mapped[int] = mapped_column(default=1)
    stop_requested: Mapped[bool] = mapped_column(default=False)
    confirm: Mapped[dict[str, Any] | None]
    accepted: Mapped[bool | None]
    checkpoint_id: Mapped[str | None]
    heartbeat_at: Mapped[datetime] = mapped_column(default=now)
    created_at: Mapped[datetime] = mapped_column(default=now)


class RunEvents(Base):
    """What a run told its reader, in order, so that one who comes back can catch up.

    A row holds the events that were written together; `seq` is that of the first.
    """

    __tablename__ = "run_events"

    run_id: Mapped[UUID] = mapped_column(
        ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True
    )
    seq: Mapped[int] = mapped_column(primary_key=True)
    events: Mapped[list[dict[str, Any]]]
    created_at: Mapped[datetime] = mapped_column(default=now, index=True)


class Message(Base):
    """One turn's half; the answer's row is there, `running`, from the run's start.

    `error` is `{"error", "detail"}` where the run failed. `replaced_at` is when an edit or a
    new answer put it out of the conversation; what was written stays. `suggestions` are
    questions to go on with. `metadata_` says how the answer was made.
    """

    __tablename__ = "messages"
    __table_args__ = (
        one_of("role", Role),
        one_of("status", RunStatus),
        Index("ix_messages_conversation_id_created_at", "conversation_id", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    conversation_id: Mapped[UUID] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE")
    )
    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(16))
    content: Mapped[str]
    status: Mapped[str] = mapped_column(String(16), default="complete")
    citations: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    intent: Mapped[str | None] = mapped_column(String(32))
    model: Mapped[str | None]
    input_tokens: Mapped[int | None]
    output_tokens: Mapped[int | None]
    cost_usd: Mapped[float | None]
    error: Mapped[dict[str, Any] | None]
    suggestions: Mapped[list[str]] = mapped_column(JSONB, default=list)
    metadata_: Mapped[dict[str, Any] | None] = mapped_column("metadata")
    replaced_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)

    feedback: Mapped["Feedback | None"] = relationship(lazy="raise", viewonly=True)


class Feedback(Base):
    """What the person thought of an answer."""

    __tablename__ = "feedback"
    __table_args__ = (one_of("rating", Rating),)

    message_id: Mapped[UUID] = mapped_column(
        ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True
    )
    rating: Mapped[str] = mapped_column(String(8))
    comment: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)


class ModelCall(Base):
    """One call of a chat model, however it ended, under the name that was asked for.

    Tokens and cost are the service's own count, and null where it gave none; where it broke off
    in mid-answer they are ours, and `estimated`. `cached_tokens` of the input cost less.
    `first_token_ms` is null where no word came. `error` is an error's name, or `stopped` where
    the call was given up on this side. `run_id` may name a run that is gone: what was spent
    stays until the account goes.
    """

    __tablename__ = "model_calls"
    __table_args__ = (
        one_of("purpose", Purpose),
        Index("ix_model_calls_user_id_created_at", "user_id", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    run_id: Mapped[UUID | None]
    purpose: Mapped[str] = mapped_column(String(16))
    model: Mapped[str]
    input_tokens: Mapped[int | None]
    cached_tokens: Mapped[int | None]
    output_tokens: Mapped[int | None]
    cost_usd: Mapped[float | None]
    estimated: Mapped[bool] = mapped_column(default=False)
    first_token_ms: Mapped[int | None]
    duration_ms: Mapped[int]
    error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)

    def as_json(self) -> dict[str, Any]:
        """The call as an answer's metadata shows it."""
        return {
            "purpose": self.purpose,
            "model": self.model,
            "input_tokens": self.input_tokens,
            "cached_tokens": self.cached_tokens,
            "output_tokens": self.output_tokens,
            "cost_usd": self.cost_usd,
            "estimated": self.estimated,
            "first_token_ms": self.first_token_ms,
            "duration_ms": self.duration_ms,
            "error": self.error,
        }
