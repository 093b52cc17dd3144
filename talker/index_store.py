"""Qdrant's collections by name: made, written, asked and dropped. Which one is current is known
to `search_indexes`."""

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from itertools import groupby
from typing import Any
from uuid import UUID

from langchain_qdrant import QdrantVectorStore, RetrievalMode
from pydantic import SecretStr
from qdrant_client import AsyncQdrantClient, QdrantClient, models
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from talker.embeddings import OpenEmbeddings
from talker.errors import IndexUnavailable
from talker.points import DENSE, SPARSE, Bm25, IndexedChunk, metadata, within
from talker.tls import tls

TIMEOUT_S = 10
WRITERS = 64
"""Threads at most, made as they are needed: more than videos that a worker loads at once."""


class IndexStore:
    """Every method raises IndexUnavailable when Qdrant is away or has no such collection.

    Making one only makes clients, so it opens while Qdrant is away.
    """

    def __init__(self, *, url: str, api_key: SecretStr | None, embeddings: OpenEmbeddings) -> None:
        self._options: dict[str, Any] = {
            "url": url,
            "timeout": TIMEOUT_S,
            # As a header: the client's own `api_key` warns about http, which is how containers
            # of one network talk.
            "metadata": {"api-key": api_key.get_secret_value()} if api_key else {},
            "check_compatibility": False,
            "verify": tls(),
        }
        self._client = AsyncQdrantClient(**self._options)
        self._embeddings = embeddings
        # Writers wait for the embedding model. In the event loop's own few threads, those of a
        # batch would keep a person's video waiting, and whatever else needs a thread.
        self._writers = ThreadPoolExecutor(WRITERS, "index-writer")

    @cached_property
    def _writer(self) -> QdrantClient:
        """langchain-qdrant's client; a program that loads nothing makes none."""
        return QdrantClient(**self._options)

    async def aclose(self) -> None:
        await self._client.close()
        if "_writer" in vars(self):
            self._writer.close()
        self._writers.shutdown(wait=False, cancel_futures=True)

    async def dimensions(self) -> int:
        """How long the embedding model's vectors are; asks it."""
        return len(await self._embeddings.aembed_query("dimensions"))

    async def write(
        self,
        name: str,
        chunks: Sequence[IndexedChunk],
        on_progress: Callable[[int], None] | None = None,
        *,
        urgent: bool = False,
    ) -> None:
        """Embed the chunks and put them in, over what is there under their ids.

        `on_progress` is told after each batch how many are in. Raises ModelError's kinds when
        a remote embedding model fails.
        """
        loop = asyncio.get_running_loop()
        done, at_once = 0, self._embeddings.texts_at_once
        for language, group in groupby(chunks, key=lambda chunk: chunk.language):
            store = self._langchain(name, language, urgent=urgent)
            of_language = list(group)
            for at in range(0, len(of_language), at_once):
                batch = of_language[at : at + at_once]
                with _translated():
                    await loop.run_in_executor(self._writers, _add, store, batch)
                done += len(batch)
                if on_progress is not None:
                    on_progress(done)

    async def count(self, name: str, video_id: UUID | None = None) -> int:
        """Exactly how many chunks there are of one video, or of all."""
        of_video = within([video_id]) if video_id else None
        with _translated():
            found = await self._client.count(name, count_filter=of_video, exact=True)
        return found.count

    async def delete(self, name: str, video_id: UUID, keep: Collection[UUID] = ()) -> None:
        """Take a video's chunks out, except those whose ids are to be kept."""
        kept = models.HasIdCondition(has_id=[str(chunk_id) for chunk_id in keep])
        unwanted = models.Filter(must=within([video_id]).must, must_not=[kept] if keep else None)
        with _translated():
            await self._client.delete(name, models.FilterSelector(filter=unwanted), wait=True)

    async def query(
        self, name: str, queries: Sequence[models.QueryRequest]
    ) -> list[dict[str, models.ScoredPoint]]:
        """Each query's points by their ids.

        By the generated client: the other one's `query_batch_points` looks for texts that it is to
        embed, in a deep copy of every vector.
        """
        batch = models.QueryRequestBatch(searches=list(queries))
        with _translated():
            answer = await self._client.http.search_api.query_batch_points(
                name, query_request_batch=batch
            )
        return [{str(point.id): point for point in found.points} for found in answer.result or []]

    async def ready(self, name: str) -> None:
        """Return when the collection answers."""
        with _translated():
            await self._client.count(name, exact=False)

    async def ensure(self, name: str) -> None:
        """Make the collection where it is missing."""
        with _translated():
            if not await self._client.collection_exists(name):
                await self._create(name)

    async def drop(self, name: str) -> None:
        """Remove the collection; one that is gone already is no error."""
        with _translated():
            await self._client.delete_collection(name)

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

    def _langchain(self, name: str, language: str, *, urgent: bool) -> QdrantVectorStore:
        return QdrantVectorStore(
            client=self._writer,
            collection_name=name,
            embedding=self._embeddings.urgent if urgent else self._embeddings,
            retrieval_mode=RetrievalMode.HYBRID,
            vector_name=DENSE,
            sparse_embedding=Bm25(language),
            sparse_vector_name=SPARSE,
            validate_embeddings=False,
            validate_collection_config=False,
        )


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
