"""All that an account holds, as one JSON file: written while it is read, a part at a time."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.accounts.auth_routes import account_out
from api.accounts.key_routes import key_out
from api.conversations import ConversationOut, in_order, message_out, messages_of
from api.dependencies import AppResources, CurrentUser
from api.templates import own_template_out
from talker.models import (
    ApiKey,
    Collection,
    CollectionVideo,
    Conversation,
    LibraryEntry,
    Segment,
    Template,
    Transcript,
    User,
    Video,
)
from talker.resources import Resources
from talker.sources import watch_url

router = APIRouter(prefix="/auth", tags=["accounts"])

Record = dict[str, Any]


@router.get(
    "/me/export",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/json": {}}, "description": "All that is yours"}},
)
async def export_me(user: CurrentUser, resources: AppResources) -> StreamingResponse:
    """Everything of one's own as a file: account, library, collections, templates, keys (what
    they are called, not what they are) and every conversation with all its messages."""
    return StreamingResponse(
        _whole(resources, user),
        media_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="youtubetalker.json"'},
    )


async def _whole(resources: Resources, user: User) -> AsyncIterator[str]:
    yield f'{{"account": {account_out(user).model_dump_json()}'
    parts: dict[str, tuple[Any, Callable[[AsyncSession, Any], Awaitable[Record]]]] = {
        "videos": (
            select(LibraryEntry.video_id).where(LibraryEntry.user_id == user.id),
            lambda session, id_: _video(session, user, id_),
        ),
        "collections": (select(Collection.id).where(Collection.user_id == user.id), _collection),
        "templates": (select(Template.id).where(Template.user_id == user.id), _template),
        "keys": (select(ApiKey.id).where(ApiKey.user_id == user.id), _key),
        "conversations": (
            select(Conversation.id).where(Conversation.user_id == user.id),
            _conversation,
        ),
    }
    for name, (ids, read) in parts.items():
        async with resources.sessions() as session:
            found: Sequence[UUID] = (await session.scalars(ids)).all()
        yield f',\n"{name}": ['
        for number, id_ in enumerate(found):
            async with resources.sessions() as session:
                record = await read(session, id_)
            yield ("," if number else "") + "\n" + json.dumps(record, ensure_ascii=False)
        yield "]"
    yield "}\n"


async def _video(session: AsyncSession, user: User, video_id: UUID) -> Record:
    """A video; of one's own file, what was said too."""
    video = await session.get_one(Video, video_id)
    record: Record = {
        "id": str(video.id),
        "url": watch_url(video.youtube_id) if video.youtube_id else None,
        "title": video.title,
        "channel": video.channel,
        "language": video.language,
    }
    if video.owner_id == user.id:
        rows = await session.execute(
            select(Segment.start_ms, Segment.duration_ms, Segment.text)
            .join(Transcript, Transcript.id == Segment.transcript_id)
            .where(Transcript.video_id == video_id)
            .order_by(Transcript.created_at, Segment.position)
        )
        record["segments"] = [
            {"start_s": start / 1000, "duration_s": duration / 1000, "text": text}
            for start, duration, text in rows
        ]
    return record


async def _collection(session: AsyncSession, collection_id: UUID) -> Record:
    collection = await session.get_one(Collection, collection_id)
    videos = await session.scalars(
        select(CollectionVideo.video_id)
        .where(CollectionVideo.collection_id == collection_id)
        .order_by(CollectionVideo.position)
    )
    return {"name": collection.name, "video_ids": [str(id_) for id_ in videos]}


async def _template(session: AsyncSession, template_id: UUID) -> Record:
    return own_template_out(await session.get_one(Template, template_id)).model_dump(mode="json")


async def _key(session: AsyncSession, key_id: UUID) -> Record:
    return key_out(await session.get_one(ApiKey, key_id)).model_dump(mode="json")


async def _conversation(session: AsyncSession, conversation_id: UUID) -> Record:
    conversation = await session.get_one(Conversation, conversation_id)
    out = ConversationOut.model_validate(conversation, from_attributes=True)
    messages = await session.scalars(in_order(messages_of(conversation_id, replaced=True)))
    return {
        **out.model_dump(mode="json"),
        "messages": [message_out(row).model_dump(mode="json") for row in messages],
    }
