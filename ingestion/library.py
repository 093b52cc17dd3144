"""A person's library: taking videos out of it, and building the index anew."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from ingestion.rows import indexed_chunks
from talker.chunks import ChunkIndex
from talker.errors import VideoNotFound
from talker.models import LibraryEntry, User, Video
from talker.points import IndexedChunk
from talker.resources import Resources


async def find(session: AsyncSession, user: User, video_id: UUID) -> tuple[Video, LibraryEntry]:
    """A video in the person's library. Raises VideoNotFound for any other."""
    row = (
        await session.execute(
            select(Video, LibraryEntry)
            .join(LibraryEntry, LibraryEntry.video_id == Video.id)
            .where(Video.id == video_id, LibraryEntry.user_id == user.id)
        )
    ).one_or_none()
    if row is None:
        raise VideoNotFound(video_id)
    return row[0], row[1]


async def remove(session: AsyncSession, chunks: ChunkIndex, user: User, video_id: UUID) -> None:
    """Take a video out of the person's library; their own file's video ends there.

    Raises VideoNotFound; IndexUnavailable, and then the transaction must not be committed: rows
    go only together with their points.
    """
    video, entry = await find(session, user, video_id)
    if video.owner_id != user.id:
        await session.delete(entry)
        return
    await session.execute(delete(Video).where(Video.id == video.id))
    await chunks.delete(video.id)


async def reindex(resources: Resources) -> int:
    """Build the index anew for the embedding model that is set; the number of videos in it."""
    written = 0

    async def every_video() -> AsyncIterator[Sequence[IndexedChunk]]:
        nonlocal written
        async with resources.sessions() as session:
            ids = await session.scalars(
                select(Video.id).where(Video.status == "ready").order_by(Video.created_at)
            )
            every_id = ids.all()
        written = len(every_id)
        for video_id in every_id:
            async with resources.sessions() as session:
                chunks = await indexed_chunks(session, video_id)
            yield chunks

    await resources.chunks.rebuild(every_video)
    return written
