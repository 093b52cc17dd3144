"""An embedding model behind OpenRouter's API, or any server that speaks it."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import openai
from langchain_openai import OpenAIEmbeddings
from pydantic import SecretStr

from talker.embeddings import OpenEmbeddings, Vector
from talker.model_errors import as_model_error
from talker.settings import Settings
from talker.tls import tls


class RemoteEmbeddings(OpenEmbeddings):
    """A model behind an OpenAI-compatible `/embeddings`; its errors are ours."""

    texts_at_once = 64
    """Ten minutes of speech take one call, which costs more time than its texts do."""

    def __init__(self, settings: Settings) -> None:
        self._http = httpx2.Client(timeout=settings.model_timeout_s, verify=tls())
        self._async_http = httpx2.AsyncClient(timeout=settings.model_timeout_s, verify=tls())
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
