"""From a question as sent to a run: checked, stored, started."""

from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from agent.models import ChatModels
from api.run_store import LOST_AFTER, Asked, settle_lost
from talker import collections
from talker.errors import (
    BadRequest,
    Conflict,
    ConversationNotFound,
    QuestionTooLong,
    TemplateNotFound,
    VideoNotFound,
)
from talker.models import Collection, Conversation, LibraryEntry, Message, Run, User, now

UNTITLED = "New conversation"
TITLE_CHARS = 70


class Ask(BaseModel):
    """A question; `video_ids` or `collection_id` narrows this question alone, `model` is one of
    /api/models. Nobody has templates yet, so that none is found.
    """

    model_config = ConfigDict(extra="forbid")

    content: str = Field(examples=["How many attention heads are in each block of GPT-3?"])
    video_ids: list[UUID] | None = None
    collection_id: UUID | None = None
    model: str | None = None
    template: str | None = None


class EmptyQuestion(BadRequest):
    def __init__(self) -> None:
        super().__init__("The question is empty. Write what you want to know.")


class TwoScopes(BadRequest):
    def __init__(self) -> None:
        super().__init__("Name videos or a collection to ask about, not both.")


class ConversationBusy(Conflict):
    def __init__(self) -> None:
        super().__init__("An answer is still being written here. Wait for it, or stop it first.")


async def own_conversation(
    session: AsyncSession, user: User, conversation_id: UUID, *, lock: bool = False
) -> Conversation:
    """The person's conversation. Raises ConversationNotFound, also for someone else's."""
    conversation = await session.get(Conversation, conversation_id, with_for_update=lock or None)
    if conversation is None or conversation.user_id != user.id:
        raise ConversationNotFound(conversation_id)
    return conversation


async def check_collection(
    session: AsyncSession, user: User, collection_id: UUID | None
) -> Collection | None:
    """The collection. Raises CollectionNotFound for one that is not the person's."""
    return None if collection_id is None else await collections.find(session, user, collection_id)


async def check_scope(
    session: AsyncSession, user: User, video_ids: list[UUID] | None, collection_id: UUID | None
) -> None:
    """Raise TwoScopes, CollectionNotFound or VideoNotFound for what cannot be asked about."""
    if video_ids and collection_id:
        raise TwoScopes
    await check_collection(session, user, collection_id)
    await check_videos(session, user, video_ids)


async def scope(
    session: AsyncSession, user: User, video_ids: list[UUID] | None, collection_id: UUID | None
) -> list[UUID] | None:
    """The videos that something is about, a collection's as they are now; null for all of them."""
    if collection_id is not None:
        return await collections.videos_in(session, user, collection_id)
    return video_ids


async def check_videos(session: AsyncSession, user: User, video_ids: list[UUID] | None) -> None:
    """Raise VideoNotFound for one that is not in the person's library."""
    if not video_ids:
        return
    own = set(
        await session.scalars(
            select(LibraryEntry.video_id).where(
                LibraryEntry.user_id == user.id, LibraryEntry.video_id.in_(video_ids)
            )
        )
    )
    for video_id in video_ids:
        if video_id not in own:
            raise VideoNotFound(video_id)


async def prepare(
    session: AsyncSession,
    user: User,
    conversation_id: UUID,
    ask: Ask,
    *,
    models: ChatModels,
    max_chars: int,
) -> Asked:
    """Check a question and store it with its answer-to-be; the run starts after the commit.

    Raises BadRequest, UnknownModel, VideoNotFound, CollectionNotFound, ConversationNotFound or
    ConversationBusy.
    """
    content = ask.content.replace("\x00", "").strip()
    if not content:
        raise EmptyQuestion
    if len(content) > max_chars:
        raise QuestionTooLong(len(content), max_chars)
    models.check(ask.model)
    if ask.template is not None:
        raise TemplateNotFound(ask.template)
    conversation = await own_conversation(session, user, conversation_id, lock=True)
    await check_scope(session, user, ask.video_ids, ask.collection_id)
    await _refuse_while_running(session, conversation_id)
    return await _store(session, user, conversation, ask, content)


async def _refuse_while_running(session: AsyncSession, conversation_id: UUID) -> None:
    running = await session.scalars(
        select(Run).where(Run.conversation_id == conversation_id, Run.status == "running")
    )
    for run in running:
        if run.heartbeat_at > now() - LOST_AFTER:
            raise ConversationBusy
        await settle_lost(session, run)


async def _store(
    session: AsyncSession, user: User, conversation: Conversation, ask: Ask, content: str
) -> Asked:
    narrowed = ask if ask.video_ids or ask.collection_id else conversation
    asked = Asked(
        run_id=uuid4(),
        conversation_id=conversation.id,
        user_id=user.id,
        question_id=uuid4(),
        answer_id=uuid4(),
        content=content,
        video_ids=await scope(session, user, narrowed.video_ids, narrowed.collection_id),
        model=ask.model,
    )
    first = not await session.scalar(
        select(func.count()).where(Message.conversation_id == conversation.id)
    )
    if first and conversation.title == UNTITLED:
        asked.new_title = conversation.title = title_from(content)
    conversation.updated_at = now()
    session.add(Run(id=asked.run_id, conversation_id=conversation.id))
    await session.flush()
    for id_, role, text, status in (
        (asked.question_id, "user", content, "complete"),
        (asked.answer_id, "assistant", "", "running"),
    ):
        session.add(
            Message(
                id=id_,
                conversation_id=conversation.id,
                run_id=asked.run_id,
                role=role,
                content=text,
                status=status,
                created_at=now(),
            )
        )
    return asked


def title_from(question: str) -> str:
    """A conversation's first title: its first question, cut at a word."""
    line = " ".join(question.split())
    if len(line) <= TITLE_CHARS:
        return line
    return line[: TITLE_CHARS - 1].rsplit(" ", 1)[0] + "…"
