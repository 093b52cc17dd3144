"""Loading: what was added, its jobs, and how the transcript services are doing."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    Float,
    ForeignKey,
    Index,
    String,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from talker.models.base import Base, JobStatus, JobStep, now, one_of


class IngestionBatch(Base):
    """What one person added at one time; `source` names it: a link, or how many there were."""

    __tablename__ = "ingestion_batches"
    __table_args__ = (Index("ix_ingestion_batches_user_id_created_at", "user_id", "created_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    source: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)


class IngestionJob(Base):
    """The work of loading one transcript of a video, tried again in place.

    `source` is what the person gave, `progress` 0 to 1, `attempt` how often it was tried (before
    somebody last queued it, `attempts_before` times), `credits` what the transcript services
    charged for it. `transcript_id` is the transcript once there is one; until then `service_job`
    is the work that a service does for us, `{"provider", "id", ...}`, so that a new worker asks
    for its end and does not pay again. With `generate`, captions are made from the sound where
    there are none.
    """

    __tablename__ = "ingestion_jobs"
    __table_args__ = (
        one_of("status", JobStatus),
        one_of("step", JobStep),
        Index("ix_ingestion_jobs_user_id_created_at", "user_id", "created_at"),
        Index("ix_ingestion_jobs_updated_at", "updated_at"),
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
    batch_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("ingestion_batches.id", ondelete="SET NULL"), index=True
    )
    source: Mapped[str]
    language: Mapped[str | None] = mapped_column(String(200))
    generate: Mapped[bool] = mapped_column(default=False)
    priority: Mapped[int] = mapped_column(default=0)
    transcript_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("transcripts.id", ondelete="SET NULL")
    )
    service_job: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    status: Mapped[str] = mapped_column(String(16), default="queued")
    step: Mapped[str | None] = mapped_column(String(16))
    progress: Mapped[float] = mapped_column(Float, default=0.0)
    attempt: Mapped[int] = mapped_column(default=0)
    attempts_before: Mapped[int] = mapped_column(default=0)
    credits: Mapped[int] = mapped_column(default=0)
    failure: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)


class ServiceState(Base):
    """A transcript service's rate limit and circuit breaker, shared by every process.

    `free_at` is when the next call has its turn. Until `resting_until` nothing is asked, for the
    reason in `failure`; then one call is made to see whether it works again, and while it is
    `probing` the others wait. `failures` counts the failed calls since the last one that was
    answered, `rests` how often in a row it had to rest. `batches_from` is when the plan may have
    batches again after it was said to have none.
    """

    __tablename__ = "service_states"

    service: Mapped[str] = mapped_column(String(16), primary_key=True)
    free_at: Mapped[datetime] = mapped_column(default=now)
    resting_until: Mapped[datetime | None]
    failure: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    failures: Mapped[int] = mapped_column(default=0)
    rests: Mapped[int] = mapped_column(default=0)
    probing: Mapped[bool] = mapped_column(default=False)
    batches_from: Mapped[datetime | None]


class ServiceCharge(Base):
    """Credits that a service took for one request, kept when the job is gone."""

    __tablename__ = "service_charges"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    job_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("ingestion_jobs.id", ondelete="SET NULL"), index=True
    )
    service: Mapped[str] = mapped_column(String(16))
    request: Mapped[str]
    credits: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=now)


class StoredListing(Base):
    """A playlist's or channel's videos as listed a moment ago, so that the price and the loading
    that follows it cost one listing. `listing` is ingestion's `Listing` as JSON."""

    __tablename__ = "listings"

    source: Mapped[str] = mapped_column(primary_key=True)
    listing: Mapped[dict[str, Any]]
    listed_at: Mapped[datetime] = mapped_column(default=now)
