"""How near sentences are to a claim in another language, by the local embedding model."""

import asyncio
from collections.abc import Sequence

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from talker.sentences import Sentence

Vectors = NDArray[np.float64]


class Meaning:
    """Each sentence is embedded once, at some 10 ms; one for each answer."""

    def __init__(self, embeddings: Embeddings) -> None:
        self._embeddings = embeddings
        self._vectors: dict[str, list[float]] = {}
        self._one_at_a_time = asyncio.Lock()
        self._begun: set[asyncio.Task[None]] = set()

    def begin(self, sentences: Sequence[Sentence]) -> None:
        """Embed sentences while the model still writes; who compares them waits for it."""
        self._begun.add(asyncio.create_task(self._prepare(sentences)))

    def close(self) -> None:
        for task in self._begun:
            task.cancel()

    async def cosines(self, claim: str, sentences: Sequence[Sentence]) -> list[float]:
        """Of each sentence with a claim, from -1 to 1."""
        await asyncio.gather(*self._begun)
        await self._prepare(sentences)
        vector = np.array(await self._embeddings.aembed_query(claim))
        said: Vectors = np.array([self._vectors[one.text] for one in sentences])
        cosines: list[float] = (said @ vector).tolist()
        return cosines

    async def _prepare(self, sentences: Sequence[Sentence]) -> None:
        async with self._one_at_a_time:
            new = [one.text for one in sentences if one.text not in self._vectors]
            if new:
                vectors = await self._embeddings.aembed_documents(new)
                self._vectors.update(zip(new, vectors, strict=True))
