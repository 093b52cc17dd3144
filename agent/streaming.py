"""A model's reply, passed on word by word until it ends or the person stops it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from langchain_core.messages import BaseMessage

from agent.events import TokenEvent, writer
from agent.harmless import Preview
from agent.models import ChatModels, Reply
from agent.state import Reader
from talker.models import Purpose

Result = TypeVar("Result")


async def stream_reply(
    models: ChatModels,
    prompt: Sequence[BaseMessage],
    reader: Reader,
    reply: Reply,
    *,
    purpose: Purpose = "answer",
    preview: Preview | None = None,
    on_text: Callable[[], None] | None = None,
) -> None:
    """Send the reply's tokens as events and fill `reply`. Raises ModelError.

    The events can hold no link, image or tag, and what else `preview` takes out; `reply` has the
    text as it came. `on_text` is called as `reply` grows.
    """
    write, preview = writer(), preview or Preview()

    async def pass_on() -> None:
        async with aclosing(models.stream(prompt, reader.caller(purpose), reply)) as stream:
            async for text in stream:
                if shown := preview.add(text):
                    write(TokenEvent(type="token", text=shown))
                if on_text:
                    on_text()

    if not reader.stop.is_set():
        await unless_stopped(reader.stop, pass_on())
    if rest := preview.end():
        write(TokenEvent(type="token", text=rest))


async def until(stop: asyncio.Event, stream: AsyncGenerator[str]) -> AsyncIterator[str]:
    """Yield from the stream until it ends or `stop` is set, which also ends a wait for it."""
    stopped = asyncio.ensure_future(stop.wait())
    try:
        while not stop.is_set():
            piece = asyncio.ensure_future(anext(stream))
            try:
                await asyncio.wait({piece, stopped}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                # Also where this is cancelled: a stream cannot be closed while it is read.
                if left := not piece.done():
                    piece.cancel()
                    await asyncio.gather(piece, return_exceptions=True)
            if left:
                return
            try:
                yield piece.result()
            except StopAsyncIteration:
                return
    finally:
        stopped.cancel()


async def unless_stopped(stop: asyncio.Event, work: Coroutine[Any, Any, Result]) -> Result | None:
    """What the work comes to; None, and the work cancelled, when `stop` is set before."""
    working, stopped = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, stopped}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        await _cancel([working, stopped])


async def side_by_side(works: Iterable[Coroutine[Any, Any, Result]]) -> list[Result]:
    """What all of them come to, in order; the first that fails ends the others."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        return await asyncio.gather(*tasks)
    finally:
        await _cancel(tasks)


async def _cancel(tasks: Sequence[asyncio.Future[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
