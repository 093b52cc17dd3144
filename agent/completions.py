"""Streamed chat completions as they come over the wire: from server-sent events to chunks.

openai and LangChain make four models of each chunk, a millisecond of work for every token. What an
answer needs of one is its text, and at the end a reason, a model's name and a count.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager, suppress
from typing import Any

import httpx2
import openai
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.ai import InputTokenDetails, UsageMetadata

DONE = b"[DONE]"
PAUSE_S, LONGEST_PAUSE_S = 0.001, 0.06
"""A stream's pause for each other one that is open, and the longest: it still reads as flowing."""
DRAIN_S = 0.5
"""How long the end of a body is waited for behind its last event: only then is the connection
used again."""

Fields = Mapping[str, Any]


class Pace:
    """How long a stream's words are left to gather, so that many at once can be passed on at all.

    Passing a word on costs the same whether it comes alone or with the next three. So the more
    streams a process has open, the more of their words it takes at a time; those of one that is
    alone are passed on as they come.
    """

    def __init__(self) -> None:
        self._open = 0

    @contextmanager
    def stream(self) -> Iterator[None]:
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1

    async def pause(self) -> None:
        if self._open > 1:
            await asyncio.sleep(min(PAUSE_S * (self._open - 1), LONGEST_PAUSE_S))


_PACE = Pace()
"""Of all streams, since it is the process's one event loop that they share."""


async def completion(
    http: httpx2.AsyncClient, url: str, *, headers: Mapping[str, str], body: Fields
) -> AsyncGenerator[AIMessageChunk]:
    """Post a request for a streamed completion and yield its pieces, each with the text that came
    together.

    Raises openai's APIStatusError for a refusal and its APIError for an error in mid-stream,
    httpx2's errors for the connection, and ValueError for what is not of the protocol.
    """
    async with http.stream("POST", url, headers=headers, json=body) as response:
        if response.is_error:
            await response.aread()
            raise _refusal(response)
        with _PACE.stream():
            async with (
                aclosing(_gathered(response.aiter_bytes())) as received,
                aclosing(events(received)) as found,
            ):
                async for together in found:
                    begun = False
                    for piece in _pieces(response, together):
                        yield piece
                        begun = True
                    if begun:
                        await _PACE.pause()


async def _gathered(body: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    """A body's bytes, those together that came while nobody asked for more.

    httpx2 gives the chunks of a body one by one, however many of them have arrived.
    """
    waiting, fresh = bytearray(), asyncio.Event()

    async def read() -> None:
        async for received in body:
            waiting.extend(received)
            fresh.set()

    reading = asyncio.create_task(read())
    reading.add_done_callback(lambda _: fresh.set())
    try:
        while waiting or not reading.done():
            await fresh.wait()
            fresh.clear()
            if waiting:
                received = bytes(waiting)
                waiting.clear()
                yield received
        reading.result()
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def events(body: AsyncIterator[bytes]) -> AsyncGenerator[list[bytes]]:
    """The data of the events up to `[DONE]`, of each read together; comments and other fields are
    passed over.

    Lines are found in bytes: those of a decoded text also end at signs that JSON may hold.
    """
    rest, lines = b"", list[bytes]()
    async for received in body:
        *whole, rest = (rest + received).split(b"\n")
        found = list[bytes]()
        for line in whole:
            if line.startswith(b"data:"):
                lines.append(line[5:].strip())
            elif lines and not line.strip():
                found.append(b"\n".join(lines))
                lines.clear()
        if DONE in found:
            yield found[: found.index(DONE)]
            await _drain(body)
            return
        yield found
    if rest.startswith(b"data:"):
        lines.append(rest[5:].strip())
    if lines and lines != [DONE]:
        yield [b"\n".join(lines)]


async def _drain(body: AsyncIterator[bytes]) -> None:
    with suppress(TimeoutError, httpx2.HTTPError):
        async with asyncio.timeout(DRAIN_S):
            async for _ in body:
                pass


def _pieces(response: httpx2.Response, together: Sequence[bytes]) -> Iterator[AIMessageChunk]:
    """What came together: the text as one piece, then how it ends and what was counted. Text that
    came before what is wrong is said before that is raised."""
    text = ""
    for event in together:
        try:
            more, last = _parts(response, event)
        except (openai.APIError, ValueError, KeyError, TypeError):
            if text:
                yield AIMessageChunk(content=text)
            raise
        text += more
        if text and last:
            yield AIMessageChunk(content=text)
            text = ""
        if last:
            yield last
    if text:
        yield AIMessageChunk(content=text)


def _parts(response: httpx2.Response, event: bytes) -> tuple[str, AIMessageChunk | None]:
    """The text of a chunk, and how the completion ends or its count, where it has them."""
    chunk = _fields(json.loads(event))
    if error := chunk.get("error"):
        raise _failure(response, error)
    choices = chunk.get("choices") or [{}]
    choice = _fields(choices[0])
    return _fields(choice.get("delta") or {}).get("content") or "", _last(chunk, choice)


def _last(chunk: Fields, choice: Fields) -> AIMessageChunk | None:
    """How a completion ends, or its count; None for a chunk that has neither."""
    finish, usage = choice.get("finish_reason"), chunk.get("usage")
    if not (finish or usage):
        return None
    metadata = {"finish_reason": finish, "model_name": chunk.get("model")} if finish else {}
    counted = None
    if usage:
        counted = _counted(_fields(usage))
        metadata["cost_usd"] = usage.get("cost")
    return AIMessageChunk(
        content="",
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


def _refusal(response: httpx2.Response) -> openai.APIStatusError:
    """A status that is an error, with the body's own account of it where that is JSON."""
    said: object = None
    with suppress(ValueError):
        said = response.json()
    if isinstance(said, dict):
        said = said.get("error", said)
    message = f"Error code: {response.status_code} - {said or response.text}"
    return openai.APIStatusError(message, response=response, body=said)


def _failure(response: httpx2.Response, error: object) -> openai.APIError:
    """An error in mid-stream, under a status that is none."""
    message = error.get("message") if isinstance(error, dict) else error
    return openai.APIError(str(message or "An error in mid-stream."), response.request, body=error)
