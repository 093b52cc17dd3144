"""A model's reply, passed on word by word until it ends or the person stops it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, suppress

from langchain_core.messages import BaseMessage

from agent.events import TokenEvent, writer
from agent.models import ChatModels, Reply
from agent.state import Reader


async def stream_reply(
    models: ChatModels, prompt: Sequence[BaseMessage], reader: Reader, reply: Reply
) -> None:
    """Send the reply's tokens as events and fill `reply`. Raises ModelError."""
    write = writer()
    async with aclosing(models.stream(prompt, reader.model, reply)) as stream:
        async for text in until(reader.stop, stream):
            write(TokenEvent(type="token", text=text))


async def until(stop: asyncio.Event, stream: AsyncGenerator[str]) -> AsyncIterator[str]:
    """Yield from the stream until it ends or `stop` is set, which also ends a wait for it."""
    stopped = asyncio.ensure_future(stop.wait())
    try:
        while not stop.is_set():
            piece = asyncio.ensure_future(anext(stream))
            await asyncio.wait({piece, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not piece.done():
                piece.cancel()
                with suppress(asyncio.CancelledError, StopAsyncIteration):
                    await piece
                return
            try:
                yield piece.result()
            except StopAsyncIteration:
                return
    finally:
        stopped.cancel()
