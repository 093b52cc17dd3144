"""The videos a person may read: what every search and list starts from."""

from collections.abc import Collection as Ids
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from talker.database import Rows
from talker.models import (
    LOCAL_USER_EMAIL,
    Collection,
    CollectionVideo,
    LibraryEntry,
    Video,
)

BY_EMAIL: LiteralString = "SELECT id FROM users WHERE email = %(email)s"
READABLE: LiteralString = """
SELECT videos.id FROM videos JOIN library_entries ON video_id = videos.id
WHERE library_entries.user_id = %(user_id)s AND status = 'ready'
AND (%(scope)s::uuid[] IS NULL OR videos.id = ANY(%(scope)s))
"""
NAMES: LiteralString = """
SELECT id, youtube_id, title, channel, duration_ms, published_at FROM videos
WHERE id = ANY(%(video_ids)s::uuid[])
"""
CHANNELS: LiteralString = """
SELECT DISTINCT channel FROM videos JOIN library_entries ON video_id = videos.id
WHERE library_entries.user_id = %(user_id)s AND channel IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class VideoName:
    id: UUID
    youtube_id: str | None
    title: str
    channel: str | None
    duration_ms: int | None
    published_at: datetime | None = None


async def reader_id(rows: Rows, user_id: UUID | None) -> UUID:
    """The person who asks; where no program said, the one person of AUTH=local."""
    if user_id is not None:
        return user_id
    [(local_id,)] = await rows(BY_EMAIL, {"email": LOCAL_USER_EMAIL})
    return UUID(str(local_id))


async def readable_ids(rows: Rows, user_id: UUID, scope: Ids[UUID] | None) -> list[UUID]:
    """The ready videos in a person's library, narrowed to `scope` unless that is null."""
    given = {"user_id": user_id, "scope": None if scope is None else list(scope)}
    return [id_ for (id_,) in await rows(READABLE, given)]


async def names(rows: Rows, video_ids: Ids[UUID]) -> dict[UUID, VideoName]:
    found = await rows(NAMES, {"video_ids": list(video_ids)})
    return {row[0]: VideoName(*row) for row in found}


async def newest_first(
    session: AsyncSession, user_id: UUID, scope: Ids[UUID] | None
) -> Sequence[tuple[VideoName, str]]:
    """Every video in the library, ready or not, with its status."""
    query = (
        select(
            Video.id, Video.youtube_id, Video.title, Video.channel, Video.duration_ms, Video.status
        )
        .join(LibraryEntry, LibraryEntry.video_id == Video.id)
        .where(LibraryEntry.user_id == user_id)
        .order_by(LibraryEntry.added_at.desc(), Video.id)
    )
    if scope is not None:
        query = query.where(Video.id.in_(scope))
    return [(VideoName(*row[:5]), row.status) for row in await session.execute(query)]


@dataclass(frozen=True, slots=True)
class Shelved:
    """A video that can be asked about, with what a person may name it by."""

    id: UUID
    youtube_id: str | None
    title: str
    channel: str | None
    duration_ms: int | None
    added_at: datetime
    published_at: datetime | None


async def shelf(session: AsyncSession, user_id: UUID, scope: Ids[UUID] | None) -> list[Shelved]:
    """The ready videos in a person's library, newest first, narrowed to `scope` unless null."""
    query = (
        select(
            Video.id,
            Video.youtube_id,
            Video.title,
            Video.channel,
            Video.duration_ms,
            LibraryEntry.added_at,
            Video.published_at,
        )
        .join(LibraryEntry, LibraryEntry.video_id == Video.id)
        .where(LibraryEntry.user_id == user_id, Video.status == "ready")
        .order_by(LibraryEntry.added_at.desc(), Video.id)
    )
    if scope is not None:
        query = query.where(Video.id.in_(scope))
    return [Shelved(*row) for row in await session.execute(query)]


async def channels_of(rows: Rows, user_id: UUID) -> list[str]:
    """The channels that the videos in a person's library are of, each once."""
    found = await rows(CHANNELS, {"user_id": user_id})
    return [channel for (channel,) in found if channel]


async def collections_of(session: AsyncSession, user_id: UUID) -> dict[str, list[UUID]]:
    """The ids of the videos in each of a person's collections, by the collections' names."""
    rows = await session.execute(
        select(Collection.name, CollectionVideo.video_id)
        .join(CollectionVideo, CollectionVideo.collection_id == Collection.id)
        .where(Collection.user_id == user_id)
        .order_by(CollectionVideo.position)
    )
    found: dict[str, list[UUID]] = {}
    for name, video_id in rows:
        found.setdefault(name, []).append(video_id)
    return found
