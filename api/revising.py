"""A question put in other words, or answered anew: the conversation forks there.

What stood from there on leaves the conversation, and stays in the database.
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from agent.budget import check_budget
from agent.models import ChatModels
from api.asked import ASKED, Asked, Claim
from api.asking import (
    checked_content,
    go_on_from,
    own_conversation,
    refuse_while_running,
    scope,
    store,
    title_from,
)
from talker.errors import BadRequest, MessageNotFound
from talker.models import Conversation, Message, Run, User, now
from talker.quotas import daily_usd


class Edit(BaseModel):
    """One's own message in other words; the answer to it is written anew."""

    model_config = ConfigDict(extra="forbid")

    message_id: UUID
    content: str = Field(examples=["How many attention heads are in each block of GPT-2?"])


MAX_WISH = 200


class Regenerate(BaseModel):
    """An answer to be written anew, by another model of /api/models where one is named. `wish`
    says how, such as a tone: the question stays as the person wrote it.
    """

    model_config = ConfigDict(extra="forbid")

    message_id: UUID
    model: str | None = None
    wish: str | None = Field(
        default=None, max_length=MAX_WISH, examples=["Please in a playful tone."]
    )


class NotYourWords(BadRequest):
    def __init__(self) -> None:
        super().__init__("Only your own messages can be edited. To get another answer, regenerate.")


class NotAnAnswer(BadRequest):
    def __init__(self) -> None:
        super().__init__("Only an answer can be written anew. To ask otherwise, edit the question.")


async def prepare_edit(
    session: AsyncSession,
    user: User,
    conversation_id: UUID,
    edit: Edit,
    *,
    models: ChatModels,
    max_chars: int,
) -> Claim:
    """Put the question, and all after it, out of the conversation, and ask it in its new words.

    Raises BadRequest, ConversationNotFound, MessageNotFound, ConversationBusy or BudgetUsedUp.
    """
    content = checked_content(edit.content, max_chars)
    conversation = await own_conversation(session, user, conversation_id, lock=True)
    question = await _message(session, conversation_id, edit.message_id)
    if question.role != "user":
        raise NotYourWords
    await refuse_while_running(session, conversation_id)
    await check_budget(session, user.id, daily_usd(user, models.daily_budget_usd))
    asked = await _as_before(session, user, conversation, question)
    asked.question_id = uuid4()
    asked.content = content
    first = await go_on_from(session, asked, question.created_at)
    if first and conversation.title == title_from(question.content):
        asked.new_title = title_from(content)
    await _replace(session, conversation_id, question.created_at)
    return await store(session, conversation, asked)


async def prepare_regenerate(
    session: AsyncSession,
    user: User,
    conversation_id: UUID,
    wanted: Regenerate,
    *,
    models: ChatModels,
) -> Claim:
    """Put the answer, and all after it, out of the conversation, and answer its question again.

    Raises BadRequest, UnknownModel, ConversationNotFound, MessageNotFound, ConversationBusy or
    BudgetUsedUp.
    """
    models.check(wanted.model)
    conversation = await own_conversation(session, user, conversation_id, lock=True)
    answer = await _message(session, conversation_id, wanted.message_id)
    if answer.role != "assistant":
        raise NotAnAnswer
    await refuse_while_running(session, conversation_id)
    await check_budget(session, user.id, daily_usd(user, models.daily_budget_usd))
    question = await _question_of(session, answer)
    asked = await _as_before(session, user, conversation, question)
    asked.model = wanted.model or asked.model
    if wanted.wish and (wish := wanted.wish.replace("\x00", "").strip()):
        asked.content = f"{question.content}\n{wish}"
    await go_on_from(session, asked, question.created_at)
    await _replace(session, conversation_id, answer.created_at)
    return await store(session, conversation, asked, new_question=False)


async def _message(session: AsyncSession, conversation_id: UUID, message_id: UUID) -> Message:
    message = await session.get(Message, message_id)
    if (
        message is None
        or message.conversation_id != conversation_id
        or message.replaced_at is not None
    ):
        raise MessageNotFound(message_id)
    return message


async def _question_of(session: AsyncSession, answer: Message) -> Message:
    """The message that an answer is to: the person's last one before it."""
    query = select(Message).where(
        Message.conversation_id == answer.conversation_id,
        Message.role == "user",
        Message.replaced_at.is_(None),
        Message.created_at < answer.created_at,
    )
    question = await session.scalar(query.order_by(Message.created_at.desc()).limit(1))
    if question is None:
        raise MessageNotFound(answer.id)
    return question


async def _as_before(
    session: AsyncSession, user: User, conversation: Conversation, question: Message
) -> Asked:
    """What to answer: as it was asked the first time, under a run and an answer of its own."""
    run = await session.get_one(Run, question.run_id)
    if run.asked is not None:
        asked: Asked = ASKED.validate_python(run.asked)
    else:
        scoped = await scope(session, user, conversation.video_ids, conversation.collection_id)
        asked = Asked(
            run_id=run.id,
            conversation_id=conversation.id,
            user_id=user.id,
            question_id=question.id,
            answer_id=question.id,
            content=question.content,
            video_ids=scoped,
            model=None,
        )
    return replace(
        asked,
        run_id=uuid4(),
        answer_id=uuid4(),
        new_title=None,
        checkpoint_id=None,
        before=[],
    )


async def _replace(session: AsyncSession, conversation_id: UUID, since: datetime) -> None:
    await session.execute(
        update(Message)
        .where(
            Message.conversation_id == conversation_id,
            Message.replaced_at.is_(None),
            Message.created_at >= since,
        )
        .values(replaced_at=now())
    )
