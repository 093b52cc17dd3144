"""Tables. Instants are UTC; times inside a video are whole milliseconds from its start."""

from datetime import UTC, datetime
from typing import Any, ClassVar, Literal
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Float,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

VideoStatus = Literal["queued", "loading", "ready", "failed"]
TranscriptKind = Literal["manual", "automatic", "generated", "uploaded"]
JobStatus = Literal["queued", "running", "paused", "done", "failed", "cancelled"]
JobStep = Literal["fetch", "chunk", "embed", "index"]
RunStatus = Literal["running", "complete", "stopped", "failed"]
Role = Literal["user", "assistant"]

LOCAL_USER_EMAIL = "local@localhost"
"""The one person of AUTH=local; made by the migrations' step, so that it is always there."""


def now() -> datetime:
    return datetime.now(UTC)


def one_of(column: str, values: Any) -> CheckConstraint:
    """A check that keeps a text column to the words of its Literal."""
    words = ", ".join(f"'{value}'" for value in values.__args__)
    return CheckConstraint(f"{column} IN ({words})", name=column)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        UUID: Uuid(),
        datetime: DateTime(timezone=True),
        str: Text(),
        dict[str, Any]: JSONB(),
        list[dict[str, Any]]: JSONB(),
    }


class User(Base):
    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    email: Mapped[str] = mapped_column(String(320), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)


class Video(Base):
    """A video, stored once for everybody; one that came from a file is its owner's alone.

    `youtube_id` is unique among shared videos; `content_hash` (SHA-256 of the file's segments)
    among an owner's, so that the same file twice is one video.
    """

    __tablename__ = "videos"
    __table_args__ = (
        one_of("status", VideoStatus),
        CheckConstraint(
            "(owner_id IS NULL) = (content_hash IS NULL)", name="files_have_owner_and_hash"
        ),
        CheckConstraint("owner_id IS NOT NULL OR youtube_id IS NOT NULL", name="has_source"),
        Index(
            "uq_videos_shared_youtube_id",
            "youtube_id",
            unique=True,
            postgresql_where=text("owner_id IS NULL"),
        ),
        Index("uq_videos_owner_id_content_hash", "owner_id", "content_hash", unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    youtube_id: Mapped[str | None] = mapped_column(String(11))
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    content_hash: Mapped[str | None] = mapped_column(String(64))
    title: Mapped[str]
    channel: Mapped[str | None]
    language: Mapped[str | None] = mapped_column(String(35))
    duration_ms: Mapped[int | None] = mapped_column(BigInteger)
    published_at: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(String(16), default="queued")
    failure: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)


class LibraryEntry(Base):
    """A user's right to read a video; without one the video does not exist for them."""

    __tablename__ = "library_entries"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    video_id: Mapped[UUID] = mapped_column(
        ForeignKey("videos.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    added_at: Mapped[datetime] = mapped_column(default=now)


class Transcript(Base):
    __tablename__ = "transcripts"
    __table_args__ = (
        one_of("kind", TranscriptKind),
        Index("uq_transcripts_video_id_language", "video_id", "language", unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    video_id: Mapped[UUID] = mapped_column(ForeignKey("videos.id", ondelete="CASCADE"))
    language: Mapped[str] = mapped_column(String(35))
    kind: Mapped[str] = mapped_column(String(16))
    provider: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(default=now)


class Segment(Base):
    """One timed caption line as fetched; `position` counts from 0 within its transcript."""

    __tablename__ = "segments"

    transcript_id: Mapped[UUID] = mapped_column(
        ForeignKey("transcripts.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    start_ms: Mapped[int]
    duration_ms: Mapped[int]
    text: Mapped[str]


class Chunk(Base):
    """Neighbouring segments joined for retrieval; its id is also its point's in the index.

    `first_segment` to `last_segment` are segment positions, both included.
    """

    __tablename__ = "chunks"
    __table_args__ = (
        Index("uq_chunks_transcript_id_position", "transcript_id", "position", unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    video_id: Mapped[UUID] = mapped_column(ForeignKey("videos.id", ondelete="CASCADE"), index=True)
    transcript_id: Mapped[UUID] = mapped_column(ForeignKey("transcripts.id", ondelete="CASCADE"))
    position: Mapped[int]
    first_segment: Mapped[int]
    last_segment: Mapped[int]
    start_ms: Mapped[int]
    end_ms: Mapped[int]
    text: Mapped[str]


class IngestionJob(Base):
    """The work of loading one video; `source` is what the person gave, `progress` 0 to 1.

    `credits` are what the transcript service charged for it.
    """

    __tablename__ = "ingestion_jobs"
    __table_args__ = (
        one_of("status", JobStatus),
        one_of("step", JobStep),
        Index("ix_ingestion_jobs_user_id_created_at", "user_id", "created_at"),
        Index(
            "uq_ingestion_jobs_active_video_id",
            "video_id",
            unique=True,
            postgresql_where=text("status IN ('queued', 'running', 'paused')"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    video_id: Mapped[UUID] = mapped_column(ForeignKey("videos.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    source: Mapped[str]
    language: Mapped[str | None] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(16), default="queued")
    step: Mapped[str | None] = mapped_column(String(16))
    progress: Mapped[float] = mapped_column(Float, default=0.0)
    attempt: Mapped[int] = mapped_column(default=0)
    credits: Mapped[int] = mapped_column(default=0)
    failure: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)


class Conversation(Base):
    """`video_ids` narrows what it is about; null means the person's whole library."""

    __tablename__ = "conversations"
    __table_args__ = (Index("ix_conversations_user_id_updated_at", "user_id", "updated_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str]
    video_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid()))
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)


class Run(Base):
    """One answer in the making. The process that makes it renews `heartbeat_at`; without it
    for a while the run is lost and said to have failed."""

    __tablename__ = "runs"
    __table_args__ = (
        one_of("status", RunStatus),
        Index(
            "ix_runs_running_heartbeat_at",
            "heartbeat_at",
            postgresql_where=text("status = 'running'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    conversation_id: Mapped[UUID] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), index=True
    )
    status: Mapped[str] = mapped_column(String(16), default="running")
    heartbeat_at: Mapped[datetime] = mapped_column(default=now)
    created_at: Mapped[datetime] = mapped_column(default=now)


class RunEvent(Base):
    """What a run told its reader, in order, so that one who comes back can catch up."""

    __tablename__ = "run_events"

    run_id: Mapped[UUID] = mapped_column(
        ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True
    )
    seq: Mapped[int] = mapped_column(primary_key=True)
    event: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=now, index=True)


class Message(Base):
    """One turn's half; the answer's row is there, `running`, from the run's start.

    `error` is `{"error", "detail"}` where the run failed.
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
    created_at: Mapped[datetime] = mapped_column(default=now)


class SearchIndex(Base):
    """A collection in Qdrant and the embedding model that filled it; one is current."""

    __tablename__ = "search_indexes"
    __table_args__ = (
        Index(
            "uq_search_indexes_current", "is_current", unique=True, postgresql_where="is_current"
        ),
    )

    name: Mapped[str] = mapped_column(primary_key=True)
    embedding_model: Mapped[str]
    dimensions: Mapped[int]
    is_current: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=now)
