"""Where in a conversation words stand that a person looks for."""

import re
from collections.abc import Sequence
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from talker.models import Message

AROUND_CHARS = 60
_MARKS = re.compile(r"\*\*|`|\s?\[\d+(?:, ?\d+)*\]|^\s*(?:#+|[-*>]|\d+\.)\s+", re.MULTILINE)
"""What a reader of an answer does not see: Markdown's signs and the numbers of citations."""


class Found(BaseModel):
    """The first message in which the words stand, as one line: the words and what is about them."""

    message_id: UUID
    before: str
    words: str
    after: str


def says(words: str) -> ColumnElement[bool]:
    """Whether a message that is shown has the words, whatever their case."""
    return and_(Message.replaced_at.is_(None), Message.content.icontains(words, autoescape=True))


async def places_in(
    session: AsyncSession, conversation_ids: Sequence[UUID], words: str
) -> dict[UUID, Found]:
    """The first place of the words in each of these conversations that has them in a message."""
    first = (
        select(Message.conversation_id, Message.id, Message.content)
        .where(Message.conversation_id.in_(conversation_ids), says(words))
        .ext(distinct_on(Message.conversation_id))
        .order_by(Message.conversation_id, Message.created_at, Message.id)
    )
    return {
        row.conversation_id: place(row.id, row.content, words)
        for row in await session.execute(first)
    }


def place(message_id: UUID, content: str, words: str) -> Found:
    """The words in a text with what stands about them, cut between words where they are parted."""
    match = re.search(re.escape(words), content, re.IGNORECASE)
    # Postgres and Python may differ on the case of a rare letter: then the text begins the line.
    start, end = match.span() if match else (0, 0)
    before, after = _line(content[:start]), _line(content[end:])
    if len(before) > AROUND_CHARS:
        near = before[-AROUND_CHARS:]
        before = "…" + (near.partition(" ")[2] or near)
    if len(after) > AROUND_CHARS:
        near = after[:AROUND_CHARS]
        after = (near.rpartition(" ")[0] or near) + "…"
    return Found(message_id=message_id, before=before, words=_line(content[start:end]), after=after)


def _line(text: str) -> str:
    """A text as one line, its white space at the ends kept as one blank."""
    return re.sub(r"\s+", " ", _MARKS.sub("", text))
