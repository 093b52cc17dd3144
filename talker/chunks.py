"""The index of chunks: the only module, with `points`, that speaks Qdrant."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any
from uuid import UUID, uuid4

from langchain_core.embeddings import Embeddings
from langchain_qdrant import QdrantVectorStore, RetrievalMode
from pydantic import SecretStr
from qdrant_client import AsyncQdrantClient, QdrantClient, models
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from talker.errors import IndexMismatch, IndexUnavailable
from talker.models import SearchIndex
from talker.points import (
    DENSE,
    SPARSE,
    Bm25,
    Candidate,
    IndexedChunk,
    chunk_of,
    metadata,
    query_for,
    within,
)

BATCH_CHUNKS = 16
TIMEOUT_S = 10
_INDEX_LOCK = 7_201_146_024
"""Our key among Postgres's advisory locks: one process makes the index, the others wait."""


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
        embeddings: Embeddings,
        embedding_model: str,
        sessions: async_sessionmaker[AsyncSession],
    ) -> None:
        self._options: dict[str, Any] = {
            "url": url,
            "timeout": TIMEOUT_S,
            # As a header: the client's own `api_key` warns about http, which is how containers
            # of one network talk.
            "metadata": {"api-key": api_key.get_secret_value()} if api_key else {},
            "check_compatibility": False,
        }
        self._client = AsyncQdrantClient(**self._options)
        self._writer = QdrantClient(**self._options)
        self._embeddings = embeddings
        self._embedding_model = embedding_model
        self._sessions = sessions
        self._ensured: set[str] = set()

    @property
    def embedding_model(self) -> str:
        return self._embedding_model

    async def aclose(self) -> None:
        await self._client.close()
        self._writer.close()

    async def write(
        self, chunks: Sequence[IndexedChunk], on_progress: Callable[[int], None] | None = None
    ) -> None:
        """Embed the chunks and put them in the index, over what is there under their ids.

        `on_progress` is told after each batch how many are in. Raises ModelError's kinds when
        a remote embedding model fails.
        """
        await self._write(await self._current(), chunks, on_progress)

    async def count(self, video_id: UUID) -> int:
        """Exactly how many chunks of a video the index holds."""
        name = await self._current()
        with _translated():
            found = await self._client.count(name, count_filter=within([video_id]), exact=True)
        return found.count

    async def delete(self, video_id: UUID, keep: Collection[UUID] = ()) -> None:
        """Take a video's chunks out, except those whose ids are to be kept."""
        name = await self._current()
        kept = models.HasIdCondition(has_id=[str(chunk_id) for chunk_id in keep])
        unwanted = models.Filter(must=within([video_id]).must, must_not=[kept] if keep else None)
        with _translated():
            await self._client.delete(name, models.FilterSelector(filter=unwanted), wait=True)

    async def candidates(
        self, question: str, video_ids: Collection[UUID], *, dense: int = 100, sparse: int = 50
    ) -> list[Candidate]:
        """The chunks nearest to a question and those with most of its words, in no order.

        Nothing outside `video_ids` is ever looked at; none at all when there are none.
        """
        if not video_ids:
            return []
        name, vector = await asyncio.gather(
            self._current(), self._embeddings.aembed_query(question)
        )
        queries = [query_for(vector, DENSE, within(video_ids), dense)]
        words = Bm25("").embed_query(question)
        if words.indices:
            terms = models.SparseVector(indices=words.indices, values=words.values)
            queries.append(query_for(terms, SPARSE, within(video_ids), sparse))
        near, *worded = await self._query(name, queries)
        by_words = worded[0] if worded else {}
        if far := by_words.keys() - near.keys():
            # Their cosines too: a guess for them would decide between the two lists.
            known = within(video_ids, models.HasIdCondition(has_id=sorted(far)))
            near |= (await self._query(name, [query_for(vector, DENSE, known, len(far))]))[0]
        return [
            Candidate(
                chunk=chunk_of(point),
                dense=near[key].score if key in near else None,
                sparse=by_words[key].score if key in by_words else None,
            )
            for key, point in (by_words | near).items()
        ]

    async def _query(
        self, name: str, queries: Sequence[models.QueryRequest]
    ) -> list[dict[str, models.ScoredPoint]]:
        with _translated():
            answers = await self._client.query_batch_points(name, queries)
        return [{str(point.id): point for point in answer.points} for answer in answers]

    async def ready(self) -> None:
        """Return when the index answers; raises what the other methods would."""
        name = await self._current()
        with _translated():
            await self._client.count(name, exact=False)

    async def rebuild(self, videos: Callable[[], AsyncIterator[Sequence[IndexedChunk]]]) -> None:
        """Build a new index for the embedding model beside the old one, then switch to it.

        `videos` iterates over every video's chunks, one video at a time. It is called twice:
        a video that was loaded while the first pass ran is written after the switch.
        """
        name = await self._make()
        async for chunks in videos():
            await self._write(name, chunks)
        old = await self._switch(name)
        async for chunks in videos():
            if chunks and await self.count(chunks[0].video_id) != len(chunks):
                await self.write(chunks)
        if old is not None:
            with _translated():
                await self._client.delete_collection(old)

    async def _write(
        self,
        name: str,
        chunks: Sequence[IndexedChunk],
        on_progress: Callable[[int], None] | None = None,
    ) -> None:
        done = 0
        for language, group in groupby(chunks, key=lambda chunk: chunk.language):
            store = self._store(name, language)
            of_language = list(group)
            for at in range(0, len(of_language), BATCH_CHUNKS):
                batch = of_language[at : at + BATCH_CHUNKS]
                with _translated():
                    await asyncio.to_thread(_add, store, batch)
                done += len(batch)
                if on_progress is not None:
                    on_progress(done)

    def _store(self, name: str, language: str) -> QdrantVectorStore:
        return QdrantVectorStore(
            client=self._writer,
            collection_name=name,
            embedding=self._embeddings,
            retrieval_mode=RetrievalMode.HYBRID,
            vector_name=DENSE,
            sparse_embedding=Bm25(language),
            sparse_vector_name=SPARSE,
            validate_embeddings=False,
            validate_collection_config=False,
        )

    async def _current(self) -> str:
        """The current collection's name; the first caller ever makes it."""
        async with self._sessions() as session:
            row = await session.scalar(select(SearchIndex).where(SearchIndex.is_current))
        if row is None or row.name not in self._ensured:
            row = await self._ensure()
        self._check(row)
        return row.name

    def _check(self, row: SearchIndex) -> None:
        if row.embedding_model != self._embedding_model:
            raise IndexMismatch(row.name, row.embedding_model, self._embedding_model)

    async def _ensure(self) -> SearchIndex:
        """The current row and its collection, made where missing, by one process at a time."""
        async with self._sessions.begin() as session:
            await session.execute(select(func.pg_advisory_xact_lock(_INDEX_LOCK)))
            row = await session.scalar(select(SearchIndex).where(SearchIndex.is_current))
            if row is None:
                row = await self._new_row()
                row.is_current = True
                session.add(row)
            self._check(row)
            with _translated():
                if not await self._client.collection_exists(row.name):
                    await self._create(row.name)
        self._ensured.add(row.name)
        return row

    async def _make(self) -> str:
        row = await self._new_row()
        with _translated():
            await self._create(row.name)
        async with self._sessions.begin() as session:
            session.add(row)
        return row.name

    async def _new_row(self) -> SearchIndex:
        dimensions = len(await self._embeddings.aembed_query("dimensions"))
        return SearchIndex(
            name=f"chunks-{uuid4().hex[:12]}",
            embedding_model=self._embedding_model,
            dimensions=dimensions,
        )

    async def _create(self, name: str) -> None:
        await asyncio.to_thread(
            QdrantVectorStore.construct_instance,
            embedding=self._embeddings,
            retrieval_mode=RetrievalMode.HYBRID,
            sparse_embedding=Bm25(""),
            client_options=self._options,
            collection_name=name,
            vector_name=DENSE,
            sparse_vector_name=SPARSE,
            sparse_vector_params={"modifier": models.Modifier.IDF},
            validate_collection_config=False,
        )
        await self._client.create_payload_index(
            name, "metadata.video_id", models.PayloadSchemaType.KEYWORD, wait=True
        )

    async def _switch(self, name: str) -> str | None:
        """Make `name` current; the name of the one that was."""
        async with self._sessions.begin() as session:
            await session.execute(select(func.pg_advisory_xact_lock(_INDEX_LOCK)))
            old = await session.scalar(select(SearchIndex).where(SearchIndex.is_current))
            if old is not None:
                await session.delete(old)
                await session.flush()
            row = await session.get_one(SearchIndex, name)
            row.is_current = True
        self._ensured.add(name)
        return old.name if old is not None else None


def _add(store: QdrantVectorStore, chunks: Sequence[IndexedChunk]) -> None:
    store.add_texts(
        [chunk.text for chunk in chunks],
        metadatas=[metadata(chunk) for chunk in chunks],
        ids=[str(chunk.id) for chunk in chunks],
        batch_size=len(chunks),
        wait=True,
    )


@contextmanager
def _translated() -> Iterator[None]:
    """Qdrant away, overloaded, locked or without its collection, as IndexUnavailable."""
    try:
        yield
    except ResponseHandlingException as error:
        raise IndexUnavailable from error
    except UnexpectedResponse as error:
        status = error.status_code or 0
        if status in (401, 403, 404, 429) or status >= 500:
            raise IndexUnavailable from error
        raise
