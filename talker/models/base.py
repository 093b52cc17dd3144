"""What all tables share: their base, the words of their columns, and the users."""

from datetime import UTC, datetime
from typing import Any, ClassVar, Literal
from uuid import UUID, uuid4

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    MetaData,
    String,
    Text,
    Uuid,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

VideoStatus = Literal["queued", "loading", "ready", "failed"]
TranscriptKind = Literal["manual", "automatic", "generated", "uploaded"]
JobStatus = Literal["queued", "running", "paused", "done", "failed", "cancelled"]
JobStep = Literal["fetch", "chunk", "embed", "index"]
ListKind = Literal["playlist", "channel"]
RunStatus = Literal["running", "complete", "stopped", "failed"]
Role = Literal["user", "assistant"]
Rating = Literal["up", "down"]
Purpose = Literal["answer", "route", "summarize", "compose", "suggest", "memory"]
"""What a chat model is called for."""
SummaryStyle = Literal["short", "detailed", "key_moments", "chapters", "study_guide"]
UserRole = Literal["user", "admin"]
KeyScope = Literal["read", "full"]
LinkPurpose = Literal["invite", "reset", "setup"]

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
    """A person. Without a `password_hash` nobody logs in as them: the one of AUTH=local.

    Their `quota_…`s are null where the settings' hold, and 0 where there is no bound.
    """

    __tablename__ = "users"
    __table_args__ = (one_of("role", UserRole),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    email: Mapped[str] = mapped_column(String(320), unique=True)
    password_hash: Mapped[str | None]
    role: Mapped[str] = mapped_column(String(8), default="user", server_default="user")
    active: Mapped[bool] = mapped_column(default=True, server_default=true())
    quota_videos: Mapped[int | None]
    quota_hours: Mapped[float | None]
    quota_storage_mb: Mapped[float | None]
    quota_daily_usd: Mapped[float | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
