"""Streamed chat completions as they come over the wire: from server-sent events to chunks.

openai and LangChain make four models of each chunk, a millisecond of work for every token. What an
answer needs of one is its text, and at the end a reason, a model's name and a count.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, suppress
from typing import Any

import httpx
import openai
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.ai import InputTokenDetails, UsageMetadata

DONE = b"[DONE]"
DRAIN_S = 0.5
"""How long the end of a body is waited for behind its last event: only then is the connection
used again."""

Fields = Mapping[str, Any]


async def completion(
    http: httpx.AsyncClient, url: str, *, headers: Mapping[str, str], body: Fields
) -> AsyncGenerator[AIMessageChunk]:
    """Post a request for a streamed completion and yield its pieces.

    Raises openai's APIStatusError for a refusal and its APIError for an error in mid-stream,
    httpx's errors for the connection, and ValueError for what is not of the protocol.
    """
    async with http.stream("POST", url, headers=headers, json=body) as response:
        if response.is_error:
            await response.aread()
            raise _refusal(response)
        async with aclosing(events(response.aiter_bytes())) as found:
            async for event in found:
                chunk = _fields(json.loads(event))
                if error := chunk.get("error"):
                    raise _failure(response, error)
                if piece := _piece(chunk):
                    yield piece


async def events(body: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    """The data of each event up to `[DONE]`; comments and other fields are passed over.

    Lines are found in bytes: those of a decoded text also end at signs that JSON may hold.
    """
    rest, lines = b"", list[bytes]()
    async for received in body:
        *whole, rest = (rest + received).split(b"\n")
        for line in whole:
            if line.startswith(b"data:"):
                lines.append(line[5:].strip())
            elif lines and not line.strip():
                event = b"\n".join(lines)
                lines.clear()
                if event == DONE:
                    await _drain(body)
                    return
                yield event
    if rest.startswith(b"data:"):
        lines.append(rest[5:].strip())
    if lines and lines != [DONE]:
        yield b"\n".join(lines)


async def _drain(body: AsyncIterator[bytes]) -> None:
    with suppress(TimeoutError, httpx.HTTPError):
        async with asyncio.timeout(DRAIN_S):
            async for _ in body:
                pass


def _piece(chunk: Fields) -> AIMessageChunk | None:
    """A chunk's text, or its count, or how it ends; None where it has none of them."""
    choices = chunk.get("choices") or [{}]
    choice = _fields(choices[0])
    text = _fields(choice.get("delta") or {}).get("content") or ""
    finish, usage = choice.get("finish_reason"), chunk.get("usage")
    if not (text or finish or usage):
        return None
    metadata = {"finish_reason": finish, "model_name": chunk.get("model")} if finish else {}
    counted = None
    if usage:
        counted = _counted(_fields(usage))
        metadata["cost_usd"] = usage.get("cost")
    return AIMessageChunk(
        content=text,
        response_metadata={key: value for key, value in metadata.items() if value is not None},
        usage_metadata=counted,
    )


def _counted(usage: Fields) -> UsageMetadata:
    read, written = usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0
    counted = UsageMetadata(
        input_tokens=read,
        output_tokens=written,
        total_tokens=usage.get("total_tokens") or read + written,
    )
    cached = _fields(usage.get("prompt_tokens_details") or {}).get("cached_tokens")
    if cached is not None:
        counted["input_token_details"] = InputTokenDetails(cache_read=cached)
    return counted


def _fields(value: object) -> Fields:
    if not isinstance(value, dict):
        raise ValueError(f"An object was expected, not {type(value).__name__}.")
    return value


# openai has an httpx of its own by now; of a response its errors only take what both have.
def _refusal(response: Any) -> openai.APIStatusError:
    """A status that is an error, with the body's own account of it where that is JSON."""
    said: object = None
    with suppress(ValueError):
        said = response.json()
    if isinstance(said, dict):
        said = said.get("error", said)
    message = f"Error code: {response.status_code} - {said or response.text}"
    return openai.APIStatusError(message, response=response, body=said)


def _failure(response: Any, error: object) -> openai.APIError:
    """An error in mid-stream, under a status that is none."""
    message = error.get("message") if isinstance(error, dict) else error
    return openai.APIError(str(message or "An error in mid-stream."), response.request, body=error)
