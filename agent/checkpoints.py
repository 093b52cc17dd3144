"""The conversation's memory: LangGraph's checkpoints in Postgres."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import WRITES_IDX_MAP
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from talker.resources import CHECKPOINT_CONNECTIONS, Pool

PULLED = "~__pregel_pull, "
"""How LangGraph's path of a task begins that is a node of its own, not one of a `Send`."""


class TurnSaver(AsyncPostgresSaver):
    """A saver that writes each step's result once, with the checkpoint that follows it.

    LangGraph also writes it as the step ends, which only spares doing the step again where
    others of its superstep were not finished: so for the parts of a `Send` it is kept, and so
    are interrupts, the words they were resumed with, and errors.
    """

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        special = any(channel in WRITES_IDX_MAP for channel, _ in writes)
        if special or not task_path.startswith(PULLED):
            await super().aput_writes(config, writes, task_id, task_path)


def open_checkpointer(pool: Pool) -> TurnSaver:
    """A saver that uses its whole pool at once; its tables are the migrations' business.

    Each of its operations takes one lock, which a pool does not need: a semaphore as wide as
    the pool lets them run side by side (measured: 250 against 1,300 a second and more).
    """
    saver = TurnSaver(pool, serde=JsonPlusSerializer(allowed_msgpack_modules=None))
    saver.lock = asyncio.Semaphore(CHECKPOINT_CONNECTIONS)  # type: ignore[assignment]  # used the same
    return saver


CARRIED = ("messages", "memory")
"""What one turn hands to the next. All else is written anew before it is read."""

PRUNE = text(
    "WITH mine AS ("
    "  SELECT checkpoint_ns, checkpoint_id, checkpoint -> 'channel_versions' AS versions,"
    "  checkpoint_ns = '' AND checkpoint_id = ANY(:ends) AS kept"
    "  FROM checkpoints WHERE thread_id = :thread_id AND metadata ->> 'run' = ANY(:runs)"
    "), held AS ("
    "  SELECT checkpoint_ns, one.key AS channel, one.value AS version,"
    "  bool_or(kept AND one.key = ANY(:carried)) AS wanted"
    "  FROM mine, jsonb_each_text(versions) AS one GROUP BY 1, 2, 3"
    "), blobs AS ("
    "  DELETE FROM checkpoint_blobs USING held"
    "  WHERE thread_id = :thread_id AND NOT wanted"
    "  AND checkpoint_blobs.checkpoint_ns = held.checkpoint_ns"
    "  AND checkpoint_blobs.channel = held.channel AND checkpoint_blobs.version = held.version"
    "), writes AS ("
    "  DELETE FROM checkpoint_writes USING mine"
    "  WHERE thread_id = :thread_id AND checkpoint_writes.checkpoint_ns = mine.checkpoint_ns"
    "  AND checkpoint_writes.checkpoint_id = mine.checkpoint_id"
    ") DELETE FROM checkpoints USING mine"
    "  WHERE thread_id = :thread_id AND NOT kept"
    "  AND checkpoints.checkpoint_ns = mine.checkpoint_ns"
    "  AND checkpoints.checkpoint_id = mine.checkpoint_id"
)


async def prune(
    session: AsyncSession, thread_id: str, runs: Collection[str], ends: Collection[str]
) -> None:
    """Of what runs that are over wrote into a thread, keep the ends of turns, and of these only
    what the next turn is handed.

    `runs` are their ids, as the checkpoints' metadata have them under `run`. A version of a
    channel is made by one run and read by that run alone, but for what is carried on.
    """
    places = {
        "thread_id": thread_id,
        "runs": list(runs),
        "ends": list(ends),
        "carried": list(CARRIED),
    }
    await session.execute(PRUNE, places)
