"""The index of chunks: with `points` and `index_store` all that speaks Qdrant."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from typing import TypeVar
from uuid import UUID

from pydantic import SecretStr
from qdrant_client import models
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from talker.embeddings import OpenEmbeddings
from talker.errors import IndexUnavailable
from talker.index_store import IndexStore
from talker.points import (
    DENSE,
    SPARSE,
    Bm25,
    Candidate,
    IndexedChunk,
    chunk_of,
    overlapping,
    query_for,
    within,
)
from talker.rebuild import Rebuild, StoredChunks
from talker.search_indexes import SearchIndexes

SMALL_PASS = 4
MAX_PASSES = 10
"""Videos loaded while an index is built are written in further passes, until one has little to do:
while the last one runs, no video becomes ready."""

MAX_EXPECTED = 256
"""Questions that are embedded ahead; one that never comes is forgotten for the newest."""

Result = TypeVar("Result")


class ChunkIndex:
    """Chunks by meaning and by words, within the videos that the caller names.

    Each call finds out which collection is current, so a process notices at once when another
    one has rebuilt the index. Every method raises IndexUnavailable when Qdrant is away and
    IndexMismatch when the current index was built with another embedding model; making one
    only makes clients, so it opens while Qdrant is away.
    """

    def __init__(
        self,
        *,
        url: str,
        api_key: SecretStr | None,
        embeddings: OpenEmbeddings,
        embedding_model: str,
        sessions: async_sessionmaker[AsyncSession],
    ) -> None:
        self._store = IndexStore(url=url, api_key=api_key, embeddings=embeddings)
        self._indexes = SearchIndexes(self._store, embedding_model, sessions)
        self._embeddings = embeddings
        self._embedding_model = embedding_model
        self._expected: dict[str, asyncio.Future[list[float]]] = {}

    @property
    def embedding_model(self) -> str:
        return self._embedding_model

    async def aclose(self) -> None:
        for begun in self._expected.values():
            begun.cancel()
        await self._store.aclose()

    async def write(
        self,
        chunks: Sequence[IndexedChunk],
        on_progress: Callable[[int], None] | None = None,
        *,
        urgent: bool = False,
    ) -> None:
        """Embed the chunks and put them in the index, over what is there under their ids.

        `on_progress` is told after each batch how many are in; what is `urgent` is embedded
        before what is not. Raises ModelError's kinds when a remote embedding model fails.
        """
        await self._on_current(
            lambda name: self._store.write(name, chunks, on_progress, urgent=urgent)
        )

    async def count(self, video_id: UUID) -> int:
        """Exactly how many chunks of a video the index holds."""
        return await self._on_current(lambda name: self._store.count(name, video_id))

    async def delete(self, video_id: UUID, keep: Collection[UUID] = ()) -> None:
        """Take a video's chunks out, except those whose ids are to be kept."""
        await self._on_current(lambda name: self._store.delete(name, video_id, keep))

    def expect(self, question: str) -> None:
        """Begin to embed a question whose candidates will be asked for in a moment."""
        if question in self._expected:
            return
        if len(self._expected) == MAX_EXPECTED:
            self._expected.pop(next(iter(self._expected))).cancel()
        begun = asyncio.ensure_future(self._embeddings.aembed_query(question))
        begun.add_done_callback(partial(self._heed, question))
        self._expected[question] = begun

    def _heed(self, question: str, begun: asyncio.Future[list[float]]) -> None:
        """What went wrong is told to who waits for it; who asks later has it tried again."""
        failed = begun.cancelled() or begun.exception() is not None
        if failed and self._expected.get(question) is begun:
            del self._expected[question]

    async def candidates(
        self,
        question: str,
        video_ids: Collection[UUID],
        *,
        between: tuple[int, int | None] | None = None,
        dense: int = 100,
        sparse: int = 50,
    ) -> list[Candidate]:
        """The chunks nearest to a question and those with most of its words, in no order.

        Nothing outside `video_ids` is ever looked at; none at all when there are none. `between`
        are the milliseconds that each chunk must have a part of; a null end is the video's.
        """
        if not video_ids:
            return []
        # Beside the look for the current index.
        self.expect(question)
        embedding = self._expected.pop(question)
        where = within(video_ids, *(overlapping(*between) if between else ()))
        by_word = []
        words = Bm25("").embed_query(question)
        if words.indices:
            terms = models.SparseVector(indices=words.indices, values=words.values)
            by_word.append(query_for(terms, SPARSE, where, sparse))

        async def search(name: str) -> list[Candidate]:
            vector = await embedding
            queries = [query_for(vector, DENSE, where, dense), *by_word]
            return await self._candidates(vector, queries, video_ids, name)

        try:
            return await self._on_current(search)
        finally:
            embedding.cancel()

    async def _candidates(
        self,
        vector: list[float],
        queries: Sequence[models.QueryRequest],
        video_ids: Collection[UUID],
        name: str,
    ) -> list[Candidate]:
        near, *worded = await self._store.query(name, queries)
        by_words = worded[0] if worded else {}
        if far := by_words.keys() - near.keys():
            # Their cosines too: a guess for them would decide between the two lists.
            known = within(video_ids, models.HasIdCondition(has_id=sorted(far)))
            cosines = query_for(vector, DENSE, known, len(far))
            near |= (await self._store.query(name, [cosines]))[0]
        return [
            Candidate(
                chunk=chunk_of(point),
                dense=near[key].score if key in near else None,
                sparse=by_words[key].score if key in by_words else None,
            )
            for key, point in (by_words | near).items()
        ]

    async def ready(self) -> None:
        """Return when the index answers; raises what the other methods would."""
        await self._on_current(self._store.ready)

    async def rebuild(
        self, stored: StoredChunks, on_progress: Callable[[int, int], None] | None = None
    ) -> int:
        """Build a new index for the embedding model beside the current one, then switch to it.

        Searches and loading go on; what is loaded or removed meanwhile is followed. `on_progress`
        is told how many videos are in, and of how many; that number at the end is returned.
        Raises ReindexRunning while another one is built, and IndexIncomplete, without a switch,
        when the new one does not count what it was given.
        """
        async with self._indexes.building() as check_lock:
            await self._indexes.drop_others()
            name = await self._indexes.make()
            build = Rebuild(self._store, name, stored, on_progress)
            for _ in range(MAX_PASSES):
                if await build.catch_up() <= SMALL_PASS:
                    break
            async with self._indexes.switching_to(name):
                await build.catch_up()
                await build.check()
                await check_lock()
            await self._indexes.drop_others()
        return build.videos

    async def _on_current(self, work: Callable[[str], Awaitable[Result]]) -> Result:
        """Do it on the current index; once more when that was replaced and dropped meanwhile."""
        name = await self._indexes.current()
        try:
            return await work(name)
        except IndexUnavailable:
            current = await self._indexes.current()
            if current == name:
                raise
            return await work(current)
