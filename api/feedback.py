"""What the person thought of an answer: thumbs and a word."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from api.dependencies import CurrentUser, Session
from talker.errors import BadRequest, MessageNotFound
from talker.models import Conversation, Feedback, Message, Rating, now

router = APIRouter(prefix="/messages", tags=["conversations"])

MAX_COMMENT = 2_000

Comment = Annotated[
    str,
    # Postgres stores no NUL.
    StringConstraints(strip_whitespace=True, max_length=MAX_COMMENT, pattern=r"^[^\x00]*$"),
]


class NewFeedback(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rating: Rating
    comment: Comment | None = Field(default=None, examples=["The second source is another talk."])


class FeedbackOut(BaseModel):
    rating: Rating
    comment: str | None
    created_at: datetime
    updated_at: datetime


class NothingToRate(BadRequest):
    def __init__(self) -> None:
        super().__init__("Only a finished answer can be rated.")


@router.post("/{message_id}/feedback", include_in_schema=False)
@router.put("/{message_id}/feedback")
async def give_feedback(
    message_id: UUID, new: NewFeedback, session: Session, user: CurrentUser
) -> FeedbackOut:
    """Rate an answer; a second rating takes the place of the first."""
    message = await _own_message(session, user.id, message_id)
    if message.role != "assistant" or message.status == "running":
        raise NothingToRate
    values = {"rating": new.rating, "comment": new.comment or None}
    stored = await session.scalars(
        insert(Feedback)
        .values(message_id=message_id, **values)
        .on_conflict_do_update(
            index_elements=[Feedback.message_id], set_={**values, "updated_at": now()}
        )
        .returning(Feedback)
    )
    return FeedbackOut.model_validate(stored.one(), from_attributes=True)


@router.delete("/{message_id}/feedback", status_code=204)
async def take_back_feedback(message_id: UUID, session: Session, user: CurrentUser) -> None:
    await _own_message(session, user.id, message_id)
    await session.execute(delete(Feedback).where(Feedback.message_id == message_id))


async def _own_message(session: Session, user_id: UUID, message_id: UUID) -> Message:
    message = await session.scalar(
        select(Message)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(Message.id == message_id, Conversation.user_id == user_id)
    )
    if message is None:
        raise MessageNotFound(message_id)
    return message
