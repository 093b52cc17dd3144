"""The conversation's memory: LangGraph's checkpoints in Postgres."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.serde.types import ERROR
from sqlalchemy.ext.asyncio import AsyncSession

from talker.database import within
from talker.resources import CHECKPOINT_CONNECTIONS, Pool

PULLED = "~__pregel_pull, "
"""How LangGraph's path of a task begins that is a node of its own, not one of a `Send`."""
BRANCH = "branch:to:"
"""How its channels begin that only say which node comes next."""
FRESH = "00000000-0000-0000-0000-000000000000"
"""No checkpoint: a turn that starts from it remembers nothing, whatever the thread holds."""
LASTING = WRITES_IDX_MAP.keys() - {ERROR}
"""Interrupts and the words they were resumed with. A run that failed is not gone on with."""


class TurnSaver(AsyncPostgresSaver):
    """A saver that writes what a run which is taken up could not do again as fast as read it.

    Of a plain question's steps that is its answer and the turn's end: what comes before the
    answer takes less time than its own checkpoints did. A step's result is written once, with the
    checkpoint that follows it. LangGraph also writes it as the step ends, which only spares
    doing the step again where others of its superstep were not finished: so for the parts of a
    `Send` it is kept, and so is what an interrupt needs.
    """

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        if config["configurable"].get("checkpoint_id") == FRESH:
            return None  # known without a look
        return await super().aget_tuple(config)

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        values = checkpoint["channel_values"]
        changed = any(not one.startswith(BRANCH) for one in new_versions)
        if not _is_plain(values) or (changed and _is_answered(values)):
            # All of its values: those of the steps before it may not be written.
            versions = checkpoint["channel_versions"]
            return await super().aput(config, checkpoint, metadata, versions)
        place = {key: config["configurable"][key] for key in ("thread_id", "checkpoint_ns")}
        return {"configurable": {**place, "checkpoint_id": checkpoint["id"]}}

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        lasting = any(channel in LASTING for channel, _ in writes)
        if lasting or not task_path.startswith(PULLED):
            await super().aput_writes(config, writes, task_id, task_path)


def _is_plain(values: dict[str, Any]) -> bool:
    """Whether the turn is a plain question, or nothing is done of it yet."""
    if "__start__" in values or f"{BRANCH}route" in values:
        return True
    plan = values.get("plan")
    return plan is not None and plan["intent"] == "answer" and not values.get("offer")


def _is_answered(values: dict[str, Any]) -> bool:
    messages = values.get("messages") or [None]
    return "__start__" not in values and isinstance(messages[-1], AIMessage)


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

PRUNE = """
WITH here AS (
    SELECT unnest(%(conversation_ids)s::uuid[]) AS id
), gone AS (
    UPDATE runs SET checkpoint_id = NULL FROM messages
    WHERE runs.conversation_id = ANY(%(conversation_ids)s) AND runs.checkpoint_id IS NOT NULL
    AND messages.run_id = runs.id AND messages.role = 'assistant'
    AND messages.replaced_at IS NOT NULL
    RETURNING runs.id, runs.conversation_id
), newest AS (
    SELECT found.* FROM here CROSS JOIN LATERAL (
        SELECT id, conversation_id, checkpoint_id, asked ->> 'checkpoint_id' AS began_at,
        status = 'running' OR owner IS NOT NULL AS goes_on
        FROM runs WHERE conversation_id = here.id ORDER BY created_at DESC LIMIT %(back)s
    ) AS found
), ends AS (
    SELECT checkpoint_id AS id FROM newest
    WHERE checkpoint_id IS NOT NULL AND newest.id NOT IN (SELECT id FROM gone)
    UNION SELECT began_at FROM newest WHERE goes_on AND began_at IS NOT NULL
), over AS (
    SELECT id, conversation_id FROM newest WHERE NOT goes_on
    UNION SELECT id, conversation_id FROM gone
), mine AS (
    SELECT thread_id, checkpoint_ns, checkpoint_id, checkpoint -> 'channel_versions' AS versions,
    checkpoint_ns = '' AND checkpoint_id IN (SELECT id FROM ends) AS kept
    FROM checkpoints JOIN over ON thread_id = conversation_id::text
    AND metadata ->> 'run' = over.id::text
), held AS (
    SELECT thread_id, checkpoint_ns, one.key AS channel, one.value AS version,
    bool_or(kept AND one.key = ANY(%(carried)s)) AS wanted
    FROM mine, jsonb_each_text(versions) AS one GROUP BY 1, 2, 3, 4
), blobs AS (
    DELETE FROM checkpoint_blobs AS blob USING held
    WHERE NOT wanted AND blob.thread_id = held.thread_id
    AND blob.checkpoint_ns = held.checkpoint_ns
    AND blob.channel = held.channel AND blob.version = held.version
), writes AS (
    DELETE FROM checkpoint_writes AS written USING mine
    WHERE written.thread_id = mine.thread_id AND written.checkpoint_ns = mine.checkpoint_ns
    AND written.checkpoint_id = mine.checkpoint_id
)
DELETE FROM checkpoints USING mine
WHERE NOT kept AND checkpoints.thread_id = mine.thread_id
AND checkpoints.checkpoint_ns = mine.checkpoint_ns
AND checkpoints.checkpoint_id = mine.checkpoint_id
"""
PRUNED_AT_ONCE = 10
"""How many runs back pruning looks: more than one, for those whose process died before it."""


async def prune(session: AsyncSession, conversation_ids: Collection[UUID]) -> None:
    """Of what runs that are over wrote into conversations, keep the ends of turns, and of these
    only what the next turn is handed.

    A version of a channel is made by one run and read by that run alone, but for what is carried
    on. The conversations are locked already, so that no run starts from what is being dropped.
    """
    given = {
        "conversation_ids": list(conversation_ids),
        "back": PRUNED_AT_ONCE,
        "carried": list(CARRIED),
    }
    await within(session, PRUNE, given)
