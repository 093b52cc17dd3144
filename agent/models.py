"""Chat models, through OpenRouter or any server that speaks OpenAI's protocol."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk
from langchain_openai import ChatOpenAI
from openai import OpenAIError
from pydantic import BaseModel, SecretStr, ValidationError

from agent.state import Usage
from talker.errors import ModelError, ModelTimedOut, UnknownModel
from talker.model_errors import as_model_error
from talker.settings import OPENROUTER, Settings

log = logging.getLogger(__name__)

Schema = TypeVar("Schema", bound=BaseModel)

CONNECT_TIMEOUT_S = 5.0
ROUTER_TIMEOUT_S = 4.0
"""A router slower than this is done without: it stands between the person and the answer."""


class OpenRouterChat(ChatOpenAI):
    """ChatOpenAI that keeps the `cost` OpenRouter puts beside the token counts."""

    def _convert_chunk_to_generation_chunk(
        self, chunk: dict[str, Any], default_chunk_class: type, base_generation_info: Any
    ) -> ChatGenerationChunk | None:
        made = super()._convert_chunk_to_generation_chunk(
            chunk, default_chunk_class, base_generation_info
        )
        cost = (chunk.get("usage") or {}).get("cost")
        if made is not None and cost is not None:
            made.message.response_metadata["cost_usd"] = cost
        return made


@dataclass
class Reply:
    """What a streamed reply has come to: its text so far, the model that wrote it, its price."""

    text: str = ""
    model: str | None = None
    usage: Usage | None = None

    def add(self, piece: AIMessageChunk) -> str:
        text = piece.text.replace("\x00", "")  # which Postgres does not store
        self.text += text
        metadata = piece.response_metadata
        self.model = metadata.get("model_name") or self.model
        if piece.usage_metadata:
            self.usage = Usage(
                input_tokens=piece.usage_metadata["input_tokens"],
                output_tokens=piece.usage_metadata["output_tokens"],
                cost_usd=metadata.get("cost_usd"),
            )
        return text


class EmptyAnswer(ModelError):
    def __init__(self) -> None:
        super().__init__("The model gave an empty answer. Try again, or choose another model.")


class MisfitReply(ModelError):
    def __init__(self) -> None:
        super().__init__("The model's reply does not have the form that was asked for.")


class ChatModels:
    """The models of CHAT_MODELS, in order, and the router's; connections are kept open."""

    def __init__(self, settings: Settings) -> None:
        self.configured = settings.chat_configured
        self.names = settings.chat_models
        self._settings = settings
        self._router_name = settings.router_model
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(settings.model_timeout_s, connect=CONNECT_TIMEOUT_S),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=100),
        )
        self._chats: dict[tuple[str, int], OpenRouterChat] = {}

    async def aclose(self) -> None:
        await self._http.aclose()

    def check(self, name: str | None) -> None:
        """Raise UnknownModel for a name that is not offered; null means the default."""
        if name is not None and name not in self.names:
            raise UnknownModel(name, self.names)

    async def stream(
        self, prompt: Sequence[BaseMessage], chosen: str | None, reply: Reply
    ) -> AsyncGenerator[str]:
        """Yield the reply's text as it comes, filling `reply`.

        A model that fails before its first word gives way to the next of CHAT_MODELS; one that
        fails later raises, so that a broken answer never looks whole. Raises ModelError.
        """
        first = chosen or self.names[0]
        order = [first, *(name for name in self.names if name != first)]
        for position, name in enumerate(order):
            try:
                async for piece in self._chat(name).astream(list(prompt)):
                    if text := reply.add(piece):
                        yield text
                break
            except (OpenAIError, httpx.HTTPError) as error:
                failure = as_model_error(error)
                last = position == len(order) - 1
                if reply.text or last or not failure.retryable:
                    raise failure from error
                log.warning("model gave way to the next", extra={"model": name})
        reply.model = reply.model or first
        if not reply.text.strip():
            raise EmptyAnswer

    async def decide(self, prompt: Sequence[BaseMessage], schema: type[Schema]) -> Schema:
        """One short structured call to ROUTER_MODEL. Raises ModelError, also for a misfit reply."""
        router = self._chat(self._router_name, retries=0).with_structured_output(schema)
        try:
            async with asyncio.timeout(ROUTER_TIMEOUT_S):
                decision = await router.ainvoke(list(prompt))
        except (OpenAIError, httpx.HTTPError) as error:
            raise as_model_error(error) from error
        except TimeoutError as error:
            raise ModelTimedOut from error
        except (OutputParserException, ValidationError) as error:
            raise MisfitReply from error
        if not isinstance(decision, schema):
            raise MisfitReply
        return decision

    def _chat(self, name: str, *, retries: int = 2) -> OpenRouterChat:
        chat = self._chats.get((name, retries))
        if chat is None:
            key = self._settings.openrouter_api_key or SecretStr("none")
            chat = OpenRouterChat(
                model=name,
                base_url=self._settings.openrouter_base_url,
                api_key=key,
                http_async_client=self._http,
                stream_usage=True,
                max_retries=retries,
                default_headers=self._headers(),
            )
            self._chats[name, retries] = chat
        return chat

    def _headers(self) -> dict[str, str]:
        """OpenRouter's attribution headers; other servers are told nothing."""
        if self._settings.openrouter_base_url != OPENROUTER:
            return {}
        headers = {"X-OpenRouter-Title": "YoutubeTalker"}
        if self._settings.public_url:
            headers["HTTP-Referer"] = self._settings.public_url
        return headers
