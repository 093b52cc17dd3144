"""Conversations and their messages."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import joinedload

from agent.clock import clock
from api.asking import UNTITLED, check_scope, own_conversation
from api.dependencies import AppTalking, CurrentUser, Limit, Offset, Session, named
from api.feedback import FeedbackOut
from api.finding import Found, places_in, says
from api.problems import problems
from talker.models import Conversation, Message

router = APIRouter(prefix="/conversations", tags=["conversations"])

MAX_TITLE = 200
MADE = ("usage", "metadata")
"""Fields of a message that are not columns of the same name."""


class ConversationOut(BaseModel):
    id: UUID
    title: str
    video_ids: list[UUID] | None
    collection_id: UUID | None
    created_at: datetime
    updated_at: datetime


Title = Annotated[str, BeforeValidator(named), Field(min_length=1, max_length=MAX_TITLE)]


class FoundConversation(ConversationOut):
    """`found` is null where nothing was looked for, or the title alone has the words."""

    found: Found | None = None


class ConversationList(BaseModel):
    items: list[FoundConversation]
    total: int


class NewConversation(BaseModel):
    """`video_ids` or `collection_id` narrows what it is about; without them, the whole library."""

    model_config = ConfigDict(extra="forbid")

    title: Title | None = None
    video_ids: list[UUID] | None = None
    collection_id: UUID | None = None


class ConversationChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: Title


class CitationOut(BaseModel):
    """`claim` is the sentence of a post that the quote bears out; null in answers."""

    n: int
    video_id: UUID
    youtube_id: str | None
    title: str
    start_s: float
    end_s: float
    quote: str
    url: str | None
    claim: str | None = None


class UsageOut(BaseModel):
    input_tokens: int
    output_tokens: int
    cost_usd: float | None


class ErrorOut(BaseModel):
    error: str
    detail: str


class MessageOut(BaseModel):
    id: UUID
    run_id: UUID
    role: Literal["user", "assistant"]
    content: str
    status: Literal["running", "complete", "stopped", "failed"]
    citations: list[CitationOut]
    intent: str | None
    model: str | None
    usage: UsageOut | None
    error: ErrorOut | None
    suggestions: list[str]
    metadata: dict[str, Any] | None
    feedback: FeedbackOut | None
    replaced_at: datetime | None
    created_at: datetime


class MessageList(BaseModel):
    items: list[MessageOut]
    total: int


@router.get("")
async def list_conversations(
    session: Session,
    user: CurrentUser,
    q: Annotated[str, Query(max_length=200)] = "",
    limit: Limit = 50,
    offset: Offset = 0,
) -> ConversationList:
    """The person's conversations, the last used first; `q` looks in titles and messages."""
    own = select(Conversation).where(Conversation.user_id == user.id)
    words = q.strip()
    if words:
        own = own.where(_mentions(words))
    total = await session.scalar(select(func.count()).select_from(own.subquery()))
    rows = await session.scalars(
        own.order_by(Conversation.updated_at.desc(), Conversation.id).limit(limit).offset(offset)
    )
    items = [FoundConversation.model_validate(row, from_attributes=True) for row in rows]
    if words:
        places = await places_in(session, [item.id for item in items], words)
        for item in items:
            item.found = places.get(item.id)
    return ConversationList(items=items, total=total or 0)


@router.post("", status_code=201, responses=problems(404))
async def create_conversation(
    session: Session, user: CurrentUser, new: NewConversation | None = None
) -> ConversationOut:
    new = new or NewConversation()
    await check_scope(session, user, new.video_ids, new.collection_id)
    conversation = Conversation(
        user_id=user.id,
        title=new.title or UNTITLED,
        video_ids=new.video_ids or None,
        collection_id=new.collection_id,
    )
    session.add(conversation)
    await session.flush()
    return _out(conversation)


@router.get("/{conversation_id}")
async def read_conversation(
    conversation_id: UUID, session: Session, user: CurrentUser
) -> ConversationOut:
    return _out(await own_conversation(session, user, conversation_id))


@router.patch("/{conversation_id}")
async def rename_conversation(
    conversation_id: UUID, change: ConversationChange, session: Session, user: CurrentUser
) -> ConversationOut:
    conversation = await own_conversation(session, user, conversation_id)
    conversation.title = change.title
    await session.flush()
    return _out(conversation)


@router.delete("/{conversation_id}", status_code=204)
async def delete_conversation(
    conversation_id: UUID,
    session: Session,
    user: CurrentUser,
    talking: AppTalking,
    request: Request,
) -> None:
    """Delete the conversation, its messages and the agent's memory of it."""
    await talking.stop_and_wait(user, conversation_id)
    conversation = await own_conversation(session, user, conversation_id)
    await session.delete(conversation)
    await request.app.state.checkpointer.adelete_thread(str(conversation_id))


@router.get("/{conversation_id}/messages")
async def list_messages(
    conversation_id: UUID,
    session: Session,
    user: CurrentUser,
    limit: Limit = 500,
    offset: Offset = 0,
    replaced: bool = False,
) -> MessageList:
    """The messages in order; an answer that is still being written has the status `running`.

    `replaced` shows those as well that an edit or a new answer put out of the conversation.
    """
    await own_conversation(session, user, conversation_id)
    shown = messages_of(conversation_id, replaced=replaced)
    total = await session.scalar(select(func.count()).select_from(shown.subquery()))
    rows = await session.scalars(in_order(shown).limit(limit).offset(offset))
    return MessageList(items=[message_out(row) for row in rows], total=total or 0)


@router.get("/{conversation_id}/export", response_class=Response)
async def export_conversation(
    conversation_id: UUID,
    session: Session,
    user: CurrentUser,
    format: Literal["markdown", "json"] = "markdown",  # noqa: A002 - the query's name is public
) -> Response:
    """The whole conversation as a file, its citations as links to the second."""
    conversation = await own_conversation(session, user, conversation_id)
    rows = (await session.scalars(in_order(messages_of(conversation_id)))).all()
    if format == "json":
        whole = {
            **_out(conversation).model_dump(mode="json"),
            "messages": [message_out(row).model_dump(mode="json") for row in rows],
        }
        content, kind, ending = json.dumps(whole, ensure_ascii=False, indent=1), "json", "json"
    else:
        content, kind, ending = as_markdown(conversation, rows), "markdown", "md"
    return Response(
        content,
        media_type=f"{'application' if kind == 'json' else 'text'}/{kind}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{conversation_id}.{ending}"'},
    )


def messages_of(conversation_id: UUID, *, replaced: bool = False) -> Select[Message]:
    query = select(Message).where(Message.conversation_id == conversation_id)
    query = query.options(joinedload(Message.feedback))
    return query if replaced else query.where(Message.replaced_at.is_(None))


def in_order(messages: Select[Message]) -> Select[Message]:
    return messages.order_by(Message.created_at, Message.id)


def _mentions(words: str) -> ColumnElement[bool]:
    """In the title or a message. Not as `exists`, for which Postgres may look through everybody's
    messages at once: each conversation's own are found by their index."""
    said = select(Message.id).where(Message.conversation_id == Conversation.id, says(words))
    return or_(
        Conversation.title.icontains(words, autoescape=True),
        said.limit(1).scalar_subquery().is_not(None),
    )


def _out(row: Conversation) -> ConversationOut:
    return ConversationOut.model_validate(row, from_attributes=True)


def message_out(row: Message) -> MessageOut:
    usage = None
    if row.input_tokens is not None and row.output_tokens is not None:
        usage = UsageOut(
            input_tokens=row.input_tokens,
            output_tokens=row.output_tokens,
            cost_usd=row.cost_usd,
        )
    return MessageOut.model_validate(
        {
            **{name: getattr(row, name) for name in MessageOut.model_fields if name not in MADE},
            "usage": usage,
            "metadata": row.metadata_,
        },
        from_attributes=True,
    )


def as_markdown(conversation: Conversation, messages: Sequence[Message]) -> str:
    """Questions as headings, answers as they stand, each citation a line with its link."""
    parts = [f"# {conversation.title}"]
    for message in messages:
        if message.role == "user":
            parts.append(f"## {' '.join(message.content.split())}")
            continue
        parts.append(message.content or "(no answer)")
        lines = [
            f"- [{cited['n']}] “{cited['quote']}” – {cited['title']}, "
            f"{clock(round(cited['start_s'] * 1000))}"
            + (f", <{cited['url']}>" if cited["url"] else "")
            for cited in message.citations
        ]
        if lines:
            parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"
