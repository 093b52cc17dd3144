"""Accounts: how a person is known, and what their administrators did. No secret stands here:
of each there is only a hash."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from talker.models.base import Base, KeyScope, LinkPurpose, UserRole, now, one_of


class AccessToken(Base):
    """A login in one browser; `device` is what the browser calls itself."""

    __tablename__ = "access_tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    device: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)
    used_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]


class ApiKey(Base):
    """A program's key; `prefix` is its beginning, by which a person tells it from others."""

    __tablename__ = "api_keys"
    __table_args__ = (one_of("scope", KeyScope),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str]
    prefix: Mapped[str] = mapped_column(String(16))
    scope: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[datetime] = mapped_column(default=now)
    used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]


class OneTimeLink(Base):
    """A link that works once: to register, or to set a new password.

    A `reset` has the `user_id` whose password it sets. An `invite` may be for one `email` alone,
    and makes an account of its `role`; `setup` makes the first administrator's.
    """

    __tablename__ = "one_time_links"
    __table_args__ = (one_of("purpose", LinkPurpose), one_of("role", UserRole))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    purpose: Mapped[str] = mapped_column(String(8))
    user_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    email: Mapped[str | None] = mapped_column(String(320))
    role: Mapped[str] = mapped_column(String(8), default="user")
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]


class AuditEvent(Base):
    """What an administrator did: `actor` and `subject` are emails, which outlive the accounts;
    `command line` is the actor of `admin`."""

    __tablename__ = "audit_events"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    actor: Mapped[str]
    action: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=now, index=True)


class Attempts(Base):
    """How often something was tried since `since`; `key` says what and by whom, as a hash."""

    __tablename__ = "attempts"
    __table_args__ = (Index("ix_attempts_since", "since"),)

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int]
    since: Mapped[datetime]


class OpenSockets(Base):
    """How many sockets one process holds open for one `key`, a person or an address, as a hash.

    A process says so again and again; what it has not said for a while is void.
    """

    __tablename__ = "open_sockets"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    process: Mapped[UUID] = mapped_column(primary_key=True, index=True)
    count: Mapped[int]
    seen_at: Mapped[datetime]
