"""A person's library: taking videos out of it, and building the index anew."""

from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy import Text, cast, delete, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from ingestion.rows import indexed_chunks
from talker.chunks import ChunkIndex
from talker.collections import take_out_of_all
from talker.errors import VideoNotFound
from talker.models import Chunk, LibraryEntry, User, Video
from talker.points import IndexedChunk
from talker.resources import Resources
from talker.search_indexes import hold_switch


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
    """Take a video out of the person's library and collections; their own file's ends there.

    Raises VideoNotFound; IndexUnavailable, and then the transaction must not be committed: rows
    go only together with their points.
    """
    await hold_switch(session)
    video, entry = await find(session, user, video_id)
    if video.owner_id != user.id:
        await session.delete(entry)
        await take_out_of_all(session, user, video_id)
        return
    await session.execute(delete(Video).where(Video.id == video.id))
    await chunks.delete(video.id)


async def remove_named(resources: Resources, user: User, names: Sequence[str]) -> list[str]:
    """Remove videos by our id or YouTube's; the names of none in the library are returned."""
    async with resources.sessions() as session:
        rows = await session.execute(
            select(Video.id, Video.youtube_id)
            .join(LibraryEntry, LibraryEntry.video_id == Video.id)
            .where(LibraryEntry.user_id == user.id)
        )
        videos = [(id_, {str(id_), youtube_id}) for id_, youtube_id in rows]
    missing = []
    for name in names:
        found = [id_ for id_, known in videos if name in known]
        if not found:
            missing.append(name)
        for id_ in found:
            async with resources.sessions.begin() as session:
                await remove(session, resources.chunks, user, id_)
    return missing


async def reindex(
    resources: Resources, on_progress: Callable[[int, int], None] | None = None
) -> int:
    """Build the index anew for the embedding model that is set; the number of videos in it.

    `on_progress` is told how many are in, and of how many. Raises ReindexRunning and
    IndexIncomplete.
    """
    return await resources.chunks.rebuild(_Stored(resources.sessions), on_progress)


class _Stored:
    """Every video's chunks, whatever its status: one that is loaded again stays searchable."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions

    async def marks(self) -> dict[UUID, str]:
        # A chunk's id follows from its transcript and text, so the ids are all that can change.
        ids = cast(func.array_agg(aggregate_order_by(Chunk.id, Chunk.id)), Text)
        query = (
            select(Video.id, func.md5(ids))
            .join(Chunk, Chunk.video_id == Video.id)
            .group_by(Video.id)
            .order_by(Video.created_at, Video.id)
        )
        async with self._sessions() as session:
            return {row[0]: row[1] for row in await session.execute(query)}

    async def chunks(self, video_id: UUID) -> list[IndexedChunk]:
        async with self._sessions() as session:
            return await indexed_chunks(session, video_id)
