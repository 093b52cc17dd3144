"""From a question as sent to a run: checked, stored, started."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, LiteralString
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from agent.budget import check_budget
from agent.memory import KEPT_TURNS
from agent.models import ChatModels
from agent.route import searched_as_it_is
from api.asked import Asked, Claim, Turn
from api.notices import tell
from talker import collections, templates
from talker.cleaning import plain_name
from talker.database import within
from talker.errors import (
    BadRequest,
    BadVariables,
    Conflict,
    ConversationNotFound,
    QuestionTooLong,
    VideoNotFound,
)
from talker.models import Collection, Conversation, LibraryEntry, Message, Run, User
from talker.quotas import daily_usd

MAX_NAME = 200
UNTITLED = "New conversation"
TITLE_CHARS = 70
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202d\u202e\ud800-\udfff]")
"""Control characters, and overrides of the direction that letters are shown in."""

UNFINISHED: LiteralString = """
SELECT id, status = 'running', confirm IS NOT NULL AND accepted IS NULL FROM runs
WHERE conversation_id = %(conversation_id)s AND (status = 'running' OR owner IS NOT NULL)
"""
BEFORE: LiteralString = """
WITH earlier AS (
    SELECT * FROM messages WHERE conversation_id = %(conversation_id)s AND replaced_at IS NULL
    AND created_at < coalesce(%(before)s::timestamptz, 'infinity')
), last AS (
    SELECT runs.checkpoint_id FROM earlier JOIN runs ON runs.id = earlier.run_id
    WHERE role = 'assistant' AND content != ''
    AND (runs.checkpoint_id IS NOT NULL OR earlier.status = 'complete')
    ORDER BY earlier.created_at DESC, earlier.id LIMIT 1
)
SELECT EXISTS (SELECT FROM earlier), EXISTS (SELECT FROM last), (
    SELECT last.checkpoint_id FROM last JOIN checkpoints ON thread_id = %(thread_id)s
    AND checkpoint_ns = '' AND checkpoints.checkpoint_id = last.checkpoint_id
)
"""
STORE: LiteralString = """
WITH conversation AS (
    UPDATE conversations SET updated_at = now(), title = coalesce(%(title)s, title)
    WHERE id = %(conversation_id)s
), run AS (
    INSERT INTO runs (id, conversation_id, status, asked, owner, attempt, stop_requested,
    heartbeat_at, created_at)
    VALUES (%(run_id)s, %(conversation_id)s, 'running', %(asked)s, %(owner)s, 1, false,
    clock_timestamp(), clock_timestamp())
)
INSERT INTO messages (id, conversation_id, run_id, role, content, status, citations, suggestions,
created_at)
SELECT id, %(conversation_id)s, %(run_id)s, role, content, status, '[]', '[]',
clock_timestamp() + n * interval '1 microsecond'
FROM unnest(%(ids)s::uuid[], %(roles)s::text[], %(contents)s::text[], %(statuses)s::text[])
WITH ORDINALITY AS turn (id, role, content, status, n)
"""


Value = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]


class Ask(BaseModel):
    """A question; `video_ids` or `collection_id` narrows this question alone, `model` is one of
    /api/models. `template`, an id or a name of /api/templates, makes a post of the answer, and
    `variables` are the values of that template's variables.
    """

    model_config = ConfigDict(extra="forbid")

    content: str = Field(examples=["How many attention heads are in each block of GPT-3?"])
    video_ids: list[UUID] | None = None
    collection_id: UUID | None = None
    model: str | None = Field(default=None, max_length=MAX_NAME)
    template: str | None = Field(default=None, max_length=MAX_NAME)
    variables: dict[str, Value] | None = None


class EmptyQuestion(BadRequest):
    def __init__(self) -> None:
        super().__init__("The question is empty. Write what you want to know.")


class TwoScopes(BadRequest):
    def __init__(self) -> None:
        super().__init__("Name videos or a collection to ask about, not both.")


class ConversationBusy(Conflict):
    def __init__(self) -> None:
        super().__init__("An answer is still being written here. Wait for it, or stop it first.")


class AwaitsWord(ConversationBusy):
    """What runs there waits for the person's word, and so can be declined."""


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


async def check_template(
    session: AsyncSession, user: User, reference: str | None, variables: dict[str, str] | None
) -> str | None:
    """The template as the graph knows it: a built-in one's name or an own one's id.

    Raises TemplateNotFound, and BadVariables for values that do not fit it.
    """
    if reference is None:
        if variables:
            raise BadVariables("`variables` belong to a template. Name one in `template`.")
        return None
    found = await templates.find(session, user.id, reference)
    if isinstance(found, templates.BuiltIn):
        templates.check_values([], variables or {})
        return found.place
    templates.check_values(templates.variables_of(found.body), variables or {})
    return str(found.id)


async def prepare(
    session: AsyncSession,
    user: User,
    conversation_id: UUID,
    ask: Ask,
    *,
    models: ChatModels,
    expect: Callable[[str], None],
    max_chars: int,
) -> Claim:
    """Check a question and store it with its answer-to-be; the run starts after the commit.

    `expect` is told of a question that the run will search for, once nothing speaks against it.
    Raises BadRequest, UnknownModel, VideoNotFound, CollectionNotFound, TemplateNotFound,
    ConversationNotFound, ConversationBusy, AwaitsWord or BudgetUsedUp.
    """
    content = checked_content(ask.content, max_chars)
    models.check(ask.model)
    conversation = await own_conversation(session, user, conversation_id, lock=True)
    await check_scope(session, user, ask.video_ids, ask.collection_id)
    template = await check_template(session, user, ask.template, ask.variables)
    await refuse_while_running(session, conversation_id)
    await check_budget(session, user.id, daily_usd(user, models.daily_budget_usd))
    if template is None and searched_as_it_is(content):
        expect(content)  # not before: a service's embeddings are paid for
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
        template=template,
        variables=ask.variables,
    )
    if await go_on_from(session, asked) and conversation.title == UNTITLED:
        asked.new_title = title_from(content)
    return await store(session, conversation, asked)


def checked_content(sent: str, max_chars: int) -> str:
    """What was written, as it is stored. Raises EmptyQuestion or QuestionTooLong."""
    content = _NO_TEXT.sub("", sent).strip()
    if not content:
        raise EmptyQuestion
    if len(content) > max_chars:
        raise QuestionTooLong(len(content), max_chars)
    return content


async def refuse_while_running(session: AsyncSession, conversation_id: UUID) -> None:
    """Raise ConversationBusy, or AwaitsWord, while an answer is not there yet.

    What a run still does after its message is cut short: nobody waits for it any more.
    """
    found = await within(session, UNFINISHED, {"conversation_id": conversation_id})
    for run_id, running, waits_for_word in found:
        if running:
            raise AwaitsWord if waits_for_word else ConversationBusy
        await session.execute(update(Run).where(Run.id == run_id).values(stop_requested=True))
        await tell(session, "runs", run_id)


async def go_on_from(session: AsyncSession, asked: Asked, before: datetime | None = None) -> bool:
    """Find the end of the turn before: that of the whole conversation, or of what is older than
    `before`. Where the memory of it is not there (not written yet, or lost), its last messages
    are taken along instead. True where there is no turn before.
    """
    given = {
        "conversation_id": asked.conversation_id,
        "thread_id": str(asked.conversation_id),
        "before": before,
    }
    [(something, answered, checkpoint_id)] = await within(session, BEFORE, given)
    if not answered:
        return not something
    if checkpoint_id is not None:
        asked.checkpoint_id = checkpoint_id
        return False
    earlier = select(Message).where(
        Message.conversation_id == asked.conversation_id,
        Message.replaced_at.is_(None),
        Message.content != "",
    )
    if before is not None:
        earlier = earlier.where(Message.created_at < before)
    newest_first = earlier.order_by(Message.created_at.desc(), Message.id)
    rows = await session.scalars(newest_first.limit(KEPT_TURNS * 2))
    asked.before = [
        Turn("user" if row.role == "user" else "assistant", row.content)
        for row in reversed(rows.all())
    ]
    return False


async def store(
    session: AsyncSession, conversation: Conversation, asked: Asked, *, new_question: bool = True
) -> Claim:
    """Store the run with its answer-to-be, and the question unless it stands there already."""
    claim = Claim(asked)
    question = (asked.question_id, "user", asked.content, "complete")
    answer = (asked.answer_id, "assistant", "", "running")
    ids, roles, contents, statuses = zip(
        *((question, answer) if new_question else (answer,)), strict=True
    )
    given = {
        "conversation_id": conversation.id,
        "title": asked.new_title,
        "run_id": asked.run_id,
        "asked": Jsonb(asked.as_json()),
        "owner": claim.owner,
        "ids": list(ids),
        "roles": list(roles),
        "contents": list(contents),
        "statuses": list(statuses),
    }
    await within(session, STORE, given)
    return claim


def title_from(question: str) -> str:
    """A conversation's first title: its first question, cut at a word."""
    line = plain_name(question)
    if len(line) <= TITLE_CHARS:
        return line
    return line[: TITLE_CHARS - 1].rsplit(" ", 1)[0] + "…"
