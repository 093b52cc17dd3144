"""Chat models behind OpenRouter or another server of OpenAI's protocol: what is sent to them."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from functools import cache
from typing import Any

import httpx2
import openai
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.messages import BaseMessage, SystemMessage
from langchain_core.outputs import ChatGenerationChunk
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, SecretStr

from agent.completions import completion
from agent.model_calls import Caller
from talker.settings import Settings
from talker.tls import tls

MARKED_PREFIXES = ("anthropic/", "~anthropic/")
MARKED_MODELS = {
    "deepseek/deepseek-v3.2",
    "qwen/qwen3-max",
    "qwen/qwen-plus",
    "qwen/qwen3.6-plus",
    "qwen/qwen3-coder-plus",
    "qwen/qwen3-coder-flash",
}
"""Anthropic's and Alibaba's models cache only what is marked; the others do it by themselves.
As OpenRouter's page on prompt caching names them."""


class OpenRouterChat(ChatOpenAI):
    """ChatOpenAI that reads its streams itself, and keeps the `cost` that OpenRouter puts beside
    the token counts. What follows a run through LangChain's callbacks sees it as any model."""

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        assert isinstance(self.http_async_client, httpx2.AsyncClient)
        extra = kwargs.pop("extra_body", {})
        payload = self._get_request_payload(messages, stop=stop, **kwargs)
        streamed = {"stream": True, "stream_options": {"include_usage": True}}
        pieces = completion(
            self.http_async_client,
            f"{(self.openai_api_base or '').rstrip('/')}/chat/completions",
            headers=self._headers(),
            body={**payload, **streamed, **extra},
        )
        async with aclosing(pieces):
            async for piece in pieces:
                made = ChatGenerationChunk(message=piece)
                if run_manager:
                    await run_manager.on_llm_new_token(piece.text, chunk=made)
                yield made

    def _headers(self) -> dict[str, str]:
        key = self.openai_api_key
        assert isinstance(key, SecretStr)
        return {**(self.default_headers or {}), "Authorization": f"Bearer {key.get_secret_value()}"}


@cache
def _unused() -> httpx2.Client:
    """The blocking client that ChatOpenAI insists on; given none, it makes one for each model."""
    return httpx2.Client(verify=tls())


def open_chat(name: str, settings: Settings, http: httpx2.AsyncClient) -> OpenRouterChat:
    """A model that is asked once: who waits and who is asked next is decided above it."""
    return OpenRouterChat(
        model=name,
        base_url=settings.openrouter_base_url,
        api_key=settings.openrouter_api_key or SecretStr("none"),
        http_async_client=http,
        http_client=_unused(),
        stream_usage=True,
        max_retries=0,
        stream_chunk_timeout=None,
        default_headers=attribution(settings),
    )


def attribution(settings: Settings) -> dict[str, str]:
    """OpenRouter's attribution headers; other servers are told nothing."""
    if not settings.at_openrouter:
        return {}
    headers = {"X-OpenRouter-Title": "YoutubeTalker", "X-OpenRouter-Categories": "general-chat"}
    if settings.public_url:
        headers["HTTP-Referer"] = settings.public_url
    return headers


def extras(settings: Settings, caller: Caller, schema: type[BaseModel] | None) -> dict[str, Any]:
    """What a request's body holds beside model and messages.

    A bound, since a model that repeats itself without an end would be paid for without one. At
    OpenRouter: the conversation, which keeps its provider and so its cache; the person, so
    that a block for abuse hits one and not all; and, for a structured reply, only providers
    that can keep to its form.
    """
    extra: dict[str, Any] = {"max_tokens": settings.model_max_tokens}
    if schema is not None:
        extra["response_format"] = response_format(schema)
    if not settings.at_openrouter:
        return extra
    if caller.conversation_id is not None:
        extra["session_id"] = str(caller.conversation_id)
    if caller.user_id is not None:
        extra["user"] = hashlib.sha256(f"youtubetalker {caller.user_id}".encode()).hexdigest()[:32]
    if schema is not None:
        extra["provider"] = {"require_parameters": True}
    return extra


def response_format(schema: type[BaseModel]) -> dict[str, Any]:
    made = openai.pydantic_function_tool(schema)["function"]
    described = {"name": made["name"], "strict": True, "schema": made["parameters"]}
    return {"type": "json_schema", "json_schema": described}


def marked(prompt: Sequence[BaseMessage], name: str, settings: Settings) -> list[BaseMessage]:
    """The prompt, the end of its rules marked for caching where the provider needs that.

    The rules are the system messages in front, which stay as they are from call to call; what
    comes after them changes with every question, and writing it to the cache would cost a
    quarter more for nothing.
    """
    messages = list(prompt)
    model = name.partition(":")[0]
    if not settings.at_openrouter or not (
        model.startswith(MARKED_PREFIXES) or model in MARKED_MODELS
    ):
        return messages
    rules = next(
        (n for n, message in enumerate(messages) if not isinstance(message, SystemMessage)),
        len(messages),
    )
    if rules:
        text = messages[rules - 1].text
        part = {"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}
        messages[rules - 1] = SystemMessage([part])
    return messages
