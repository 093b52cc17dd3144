"""A model's reply: what has come of it, what is wrong with it, and how long it is waited for."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, fields
from typing import TypeVar

import httpx2
from langchain_core.messages import AIMessageChunk
from openai import OpenAIError
from pydantic import BaseModel, ValidationError

from agent.state import Usage
from agent.turns import Patience
from talker.errors import (
    AnswerBrokenOff,
    AnswerCutShort,
    AnswerFiltered,
    EmptyAnswer,
    MisfitReply,
    ModelError,
    ModelTimedOut,
    UnreadableReply,
)
from talker.model_errors import as_model_error

log = logging.getLogger(__name__)

Schema = TypeVar("Schema", bound=BaseModel)

FAILURES = (TimeoutError, OpenAIError, httpx2.HTTPError, ValueError, KeyError, TypeError)
"""What a call ends with: time-outs of ours, what openai and httpx2 raise, and what a body that is
not of the protocol makes openai's and LangChain's parsers raise."""


@dataclass
class Reply:
    """What a reply has come to: its text so far, the model that wrote it, its price.

    `usage` is null until the service has counted; `fitted` is the reply in the form asked for.
    """

    text: str = ""
    model: str | None = None
    usage: Usage | None = None
    cached_tokens: int | None = None
    finish: str | None = None
    first_word_at: float | None = None
    fitted: BaseModel | None = None

    def begin(self) -> None:
        """Forget a try that came to nothing."""
        blank = Reply()
        for part in fields(self):
            setattr(self, part.name, getattr(blank, part.name))

    def add(self, piece: AIMessageChunk) -> str:
        """Take a piece in; returns the text that is new. What stands before the first word is
        dropped: until one comes, nothing has been said."""
        text = piece.text.replace("\x00", "")  # which Postgres does not store
        if not self.text:
            text = text.lstrip()
            if text:
                self.first_word_at = time.monotonic()
        self.text += text
        metadata = piece.response_metadata
        self.model = metadata.get("model_name") or self.model
        self.finish = metadata.get("finish_reason") or self.finish
        if piece.usage_metadata:
            self.usage = Usage(
                input_tokens=piece.usage_metadata["input_tokens"],
                output_tokens=piece.usage_metadata["output_tokens"],
                cost_usd=metadata.get("cost_usd"),
            )
            self.cached_tokens = piece.usage_metadata.get("input_token_details", {}).get(
                "cache_read"
            )
        return text

    def check(self) -> None:
        """Raise what is wrong with how it ended; only a whole answer passes."""
        match self.finish:
            case "length":
                raise AnswerCutShort
            case "content_filter":
                raise AnswerFiltered
            case None | "error":
                raise AnswerBrokenOff
        if not self.text:
            raise EmptyAnswer


async def words(
    pieces: AsyncGenerator[AIMessageChunk], reply: Reply, patience: Patience
) -> AsyncGenerator[str]:
    """Fill the reply, yielding its text; what goes wrong after its end does not count."""
    async with aclosing(pieces):
        while True:
            until = patience.until(begun=bool(reply.text), finished=reply.finish is not None)
            try:
                async with asyncio.timeout_at(until):
                    piece = await anext(pieces, None)
            except FAILURES as error:
                if reply.finish is not None:
                    return
                raise _as_model_error(error, begun=bool(reply.text)) from error
            if piece is None:
                return
            if text := reply.add(piece):
                yield text


def _as_model_error(error: Exception, *, begun: bool) -> ModelError:
    if isinstance(error, TimeoutError):
        return ModelTimedOut(begun=begun)
    if isinstance(error, OpenAIError | httpx2.HTTPError):
        return as_model_error(error, begun=begun)
    log.warning("model reply unreadable", extra={"error": type(error).__name__})
    return UnreadableReply()


def fitted(text: str, schema: type[Schema]) -> Schema:
    """The reply as the schema's; words or a fence around its JSON are passed over."""
    try:
        return schema.model_validate_json(text[text.find("{") : text.rfind("}") + 1])
    except ValidationError as error:
        raise MisfitReply from error
