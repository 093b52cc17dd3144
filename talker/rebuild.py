"""A new index from the stored chunks, complete before it takes the current one's place."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from talker.errors import IndexIncomplete
from talker.index_store import IndexStore
from talker.points import IndexedChunk

VIDEOS_AT_ONCE = 4
"""A remote embedding model answers several at once; the local one lets them queue."""


class StoredChunks(Protocol):
    """What the database holds, which the index follows."""

    async def marks(self) -> Mapping[UUID, str]:
        """Every video that has chunks, and a mark that is another one when they are."""
        ...

    async def chunks(self, video_id: UUID) -> Sequence[IndexedChunk]:
        """A video's chunks in order; none when it was removed."""
        ...


class Rebuild:
    """Fills the collection `name`, into which nobody else writes yet.

    `on_progress` is told how many videos are in, and of how many.
    """

    def __init__(
        self,
        store: IndexStore,
        name: str,
        stored: StoredChunks,
        on_progress: Callable[[int, int], None] | None,
    ) -> None:
        self._store = store
        self._name = name
        self._stored = stored
        self._on_progress = on_progress
        self._marks: dict[UUID, str] = {}
        self._counts: dict[UUID, int] = {}

    @property
    def videos(self) -> int:
        """How many are in."""
        return len(self._marks)

    async def catch_up(self) -> int:
        """Write what was added or changed since the last time, take out what was removed.

        Returns how many videos that were. Raises IndexIncomplete when the index does not count
        what it was given.
        """
        marks = await self._stored.marks()
        removed = self._marks.keys() - marks.keys()
        for video_id in removed:
            await self._store.delete(self._name, video_id)
            del self._marks[video_id], self._counts[video_id]
        changed = [video_id for video_id in marks if self._marks.get(video_id) != marks[video_id]]
        todo = iter(changed)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(VIDEOS_AT_ONCE, len(changed))):
                    group.create_task(self._work(todo, marks))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return len(removed) + len(changed)

    async def check(self) -> None:
        """Raises IndexIncomplete unless the whole index counts what was written."""
        found, written = await self._store.count(self._name), sum(self._counts.values())
        if found != written:
            raise IndexIncomplete("of all videos together", found, written)

    async def _work(self, todo: Iterator[UUID], marks: Mapping[UUID, str]) -> None:
        for video_id in todo:
            await self._write(video_id)
            # The mark from before the chunks were read: what changed since is met once more.
            self._marks[video_id] = marks[video_id]
            if self._on_progress is not None:
                self._on_progress(len(self._marks), len(marks))

    async def _write(self, video_id: UUID) -> None:
        chunks = await self._stored.chunks(video_id)
        await self._store.write(self._name, chunks)
        if video_id in self._marks:
            await self._store.delete(self._name, video_id, keep=[chunk.id for chunk in chunks])
        found = await self._store.count(self._name, video_id)
        if found != len(chunks):
            raise IndexIncomplete(f"of the video {video_id}", found, len(chunks))
        self._counts[video_id] = found
