"""A chunk as a point of the index: what is stored with it, and how points are asked for."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from langchain_qdrant import SparseEmbeddings, SparseVector
from qdrant_client import models

from talker.text import any_stem, content_words, term_id, weights

DENSE, SPARSE = "dense", "bm25"

HNSW_EF, OVERSAMPLING = 512, 2.0
"""How widely a server looks that searches a graph of quantised vectors. Among 100,000 simulated
vectors 96 of the nearest 100 are found so, by its own defaults 65 to 91."""


@dataclass(frozen=True, slots=True)
class IndexedChunk:
    """`position` counts a transcript's chunks from 0, so that neighbours are known as such."""

    id: UUID
    video_id: UUID
    position: int
    language: str
    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk found for a question, with its cosine and its BM25 score.

    `dense` is None only for a chunk that was deleted while the question was asked, `sparse` for
    one that was not among those with the most of the question's words.
    """

    chunk: IndexedChunk
    dense: float | None
    sparse: float | None


class Bm25(SparseEmbeddings):
    """BM25's weights as langchain-qdrant takes sparse vectors; one for each language."""

    def __init__(self, language: str) -> None:
        self._language = language

    def embed_documents(self, texts: list[str]) -> list[SparseVector]:
        found = [weights(text, self._language) for text in texts]
        return [SparseVector(indices=list(w), values=list(w.values())) for w in found]

    def embed_query(self, text: str) -> SparseVector:
        ids = sorted({term_id(stem) for word in content_words(text) for stem in any_stem(word)})
        return SparseVector(indices=ids, values=[1.0] * len(ids))


def within(video_ids: Collection[UUID], *also: models.Condition) -> models.Filter:
    wanted = models.MatchAny(any=[str(video_id) for video_id in video_ids])
    return models.Filter(must=[models.FieldCondition(key="metadata.video_id", match=wanted), *also])


def overlapping(start_ms: int, end_ms: int | None) -> list[models.Condition]:
    """What chunks must fulfil to have a part of a stretch; null `end_ms` is the video's end."""
    later = models.FieldCondition(key="metadata.end_ms", range=models.Range(gt=start_ms))
    if end_ms is None:
        return [later]
    earlier = models.FieldCondition(key="metadata.start_ms", range=models.Range(lt=end_ms))
    return [earlier, later]


def query_for(
    query: list[float] | models.SparseVector, using: str, where: models.Filter, limit: int
) -> models.QueryRequest:
    quantised = models.QuantizationSearchParams(rescore=True, oversampling=OVERSAMPLING)
    widely = models.SearchParams(hnsw_ef=HNSW_EF, quantization=quantised)
    return models.QueryRequest(
        query=query,
        using=using,
        filter=where,
        limit=limit,
        params=widely if using == DENSE else None,
        with_payload=True,
    )


def chunk_of(point: models.ScoredPoint) -> IndexedChunk:
    payload = point.payload or {}
    metadata = payload["metadata"]
    return IndexedChunk(
        id=UUID(str(point.id)),
        video_id=UUID(metadata["video_id"]),
        position=metadata["position"],
        language=metadata["language"],
        start_ms=metadata["start_ms"],
        end_ms=metadata["end_ms"],
        text=payload["page_content"],
    )


def metadata(chunk: IndexedChunk) -> dict[str, Any]:
    """What langchain-qdrant stores beside the text, under `metadata`."""
    return {
        "video_id": str(chunk.video_id),
        "position": chunk.position,
        "language": chunk.language,
        "start_ms": chunk.start_ms,
        "end_ms": chunk.end_ms,
    }
