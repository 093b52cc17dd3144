"""A person's library: videos with their transcripts and chunks, and collections of them."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from talker.models.base import Base, ListKind, TranscriptKind, VideoStatus, now, one_of


class Video(Base):
    """A video, stored once for everybody; one that came from a file is its owner's alone.

    `youtube_id` is unique among shared videos; `content_hash` (SHA-256 of the file's segments)
    among an owner's, so that the same file twice is one video. `chapters` are
    `{"start_ms", "title"}` in order; `available` the captions that a service knows of,
    `{"language", "kind"}`, the kind null where it does not say; `described_at` is when title and
    channel came from a service.
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
    described_at: Mapped[datetime | None]
    chapters: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    available: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
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
    """`bytes` is how much its segments' texts take."""

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
    bytes: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
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
        Index(
            "ix_chunks_words",
            text("to_tsvector('simple'::regconfig, text)"),
            postgresql_using="gin",
        ),
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


class Collection(Base):
    """A named group of videos that a person made.

    One that came from a playlist or channel knows where: `source_id` is YouTube's id or handle,
    `source_limit` how many of its first videos were asked for, `seen` the YouTube ids that were
    ever among them. While `subscribed`, what is new there is added; `sync_failure` says why that
    did not work the last time.
    """

    __tablename__ = "collections"
    __table_args__ = (
        one_of("source_kind", ListKind),
        Index("uq_collections_user_id_name", "user_id", "name", unique=True),
        Index(
            "uq_collections_user_id_source",
            "user_id",
            "source_kind",
            "source_id",
            unique=True,
            postgresql_where=text("source_id IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str]
    source_kind: Mapped[str | None] = mapped_column(String(16))
    source_id: Mapped[str | None]
    source_limit: Mapped[int | None]
    seen: Mapped[list[str]] = mapped_column(ARRAY(Text()), default=list)
    language: Mapped[str | None] = mapped_column(String(200))
    subscribed: Mapped[bool] = mapped_column(default=False)
    synced_at: Mapped[datetime | None]
    sync_failure: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)


class CollectionVideo(Base):
    """`position` orders a collection's videos, as the playlist or the person did."""

    __tablename__ = "collection_videos"

    collection_id: Mapped[UUID] = mapped_column(
        ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True
    )
    video_id: Mapped[UUID] = mapped_column(
        ForeignKey("videos.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    position: Mapped[int]
    added_at: Mapped[datetime] = mapped_column(default=now)


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
