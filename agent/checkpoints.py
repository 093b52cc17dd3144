"""The conversation's memory: LangGraph's checkpoints in Postgres."""

import asyncio

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from talker.resources import CHECKPOINT_CONNECTIONS, Pool


def open_checkpointer(pool: Pool) -> AsyncPostgresSaver:
    """A saver that uses its whole pool at once; its tables are the migrations' business.

    Each of its operations takes one lock, which a pool does not need: a semaphore as wide as
    the pool lets them run side by side (measured: 250 against 1,300 a second and more).
    """
    saver = AsyncPostgresSaver(pool, serde=JsonPlusSerializer(allowed_msgpack_modules=None))
    saver.lock = asyncio.Semaphore(CHECKPOINT_CONNECTIONS)  # type: ignore[assignment]  # used the same
    return saver
