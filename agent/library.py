"""The videos a person may read: what every search and list starts from."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from talker.models import LOCAL_USER_EMAIL, LibraryEntry, User, Video


@dataclass(frozen=True, slots=True)
class VideoName:
    id: UUID
    youtube_id: str | None
    title: str
    channel: str | None
    duration_ms: int | None


async def reader_id(session: AsyncSession, user_id: UUID | None) -> UUID:
    """The person who asks; where no program said, the one person of AUTH=local."""
    if user_id is not None:
        return user_id
    return (await session.scalars(select(User.id).where(User.email == LOCAL_USER_EMAIL))).one()


async def readable_ids(
    session: AsyncSession, user_id: UUID, scope: Collection[UUID] | None
) -> list[UUID]:
    """The ready videos in a person's library, narrowed to `scope` unless that is null."""
    query = (
        select(Video.id)
        .join(LibraryEntry, LibraryEntry.video_id == Video.id)
        .where(LibraryEntry.user_id == user_id, Video.status == "ready")
    )
    if scope is not None:
        query = query.where(Video.id.in_(scope))
    return list(await session.scalars(query))


async def names(session: AsyncSession, video_ids: Collection[UUID]) -> dict[UUID, VideoName]:
    rows = await session.execute(
        select(Video.id, Video.youtube_id, Video.title, Video.channel, Video.duration_ms).where(
            Video.id.in_(video_ids)
        )
    )
    return {row.id: VideoName(*row) for row in rows}


async def newest_first(
    session: AsyncSession, user_id: UUID, scope: Collection[UUID] | None
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
