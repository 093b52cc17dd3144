"""A person's own templates for posts."""

from datetime import datetime
from typing import Literal
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from talker.models.base import Base, now, one_of

Place = Literal["linkedin", "blog", "x_thread", "newsletter"]
"""Where a post is to stand, which gives it its length and form; each has a built-in template."""


class Template(Base):
    """What a person wants of a kind of post, in their own words.

    `body` is instructions with `{{variables}}`, which get their values when it is used; `place`
    gives the post its form, free where it is null.
    """

    __tablename__ = "templates"
    __table_args__ = (
        one_of("place", Place),
        Index("uq_templates_user_id_name", "user_id", "name", unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str]
    description: Mapped[str]
    body: Mapped[str]
    place: Mapped[str | None] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
