"""One process's attempt at a run: from the graph's stream to events, rows and an end."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command

from agent.checkpoints import FRESH
from agent.state import AgentState, Answer, Question, Reader
from api.answer_record import AnswerRecord
from api.asked import Event, message_event
from api.errors import InternalError
from api.live_run import LiveRun
from api.run_events import Fresh, text_since_start
from api.run_store import RunStore
from talker.database import DATABASE_AWAY, why_away
from talker.errors import ModelError, TalkerError, Unavailable
from talker.logs import about
from talker.metrics import Metrics
from talker.spans import span

log = logging.getLogger(__name__)

Given = Question | Command[bool | None] | None
Graph = CompiledStateGraph[AgentState, Reader, Question, Answer]

MAX_ATTEMPTS = 3
STOP_GRACE_S = 2.0
"""How long an answer that is being written may take to prove its citations once it is stopped."""


class RunLost(Unavailable):
    def __init__(self) -> None:
        super().__init__("The server stopped while it was writing this answer. Ask again.")


class _NotOurs(Exception):
    """The run is another attempt's by now, or its conversation was deleted."""


class Attempt:
    def __init__(self, graph: Graph, store: RunStore, run: LiveRun, metrics: Metrics) -> None:
        self._graph = graph
        self._metrics = metrics
        self._store = store
        self._run = run
        self._asked = run.claim.asked
        self._record = AnswerRecord(run)
        self._checkpoint_id: str | None = None
        self._settling = False
        self._reader = Reader(
            user_id=self._asked.user_id,
            model=self._asked.model,
            run_id=self._asked.run_id,
            conversation_id=self._asked.conversation_id,
            calls=self._record.calls,
            stop=run.stop,
        )

    async def make(self) -> None:
        """Answer, store the answer, end the run; what goes wrong is said to its readers."""
        ids = {
            "talker.run_id": str(self._asked.run_id),
            "gen_ai.conversation.id": str(self._asked.conversation_id),
        }
        about(run_id=self._asked.run_id, conversation_id=self._asked.conversation_id)
        with span("answer", ids):
            await self._make()

    async def _make(self) -> None:
        try:
            try:
                await (self._resume_end() if self._run.settled else self._answer())
            except TalkerError as error:
                await self._fail(error)
            except DATABASE_AWAY as error:
                await self._fail(why_away(error))
            except _NotOurs:
                raise
            except Exception:  # a bug: logged once, and the run still gets an end
                log.exception("run failed", extra={"run_id": str(self._asked.run_id)})
                await self._fail(InternalError())
            await self._end()
        except _NotOurs:
            self._run.lost = True
        except asyncio.CancelledError:
            if self._run.released:
                await self._store.release(await self._last_events())
            raise
        finally:
            self._run.finish()

    async def _answer(self) -> None:
        """Run the graph, with a pause wherever it wants the person's word."""
        given: Given
        given, config = await self._beginning()
        while not self._run.stop.is_set():
            if given is not None or self._record.confirm is None:
                await self._until_stopped(self._follow(given, config))
            if self._record.confirm is None or self._run.stop.is_set():
                break
            if self._run.accepted is None:
                await self._ask_for_word(self._record.confirm)
            given, config = Command(resume=self._run.accepted), self._config()
            self._record.confirm = None
        if not self._run.settled:
            await self._settle()

    async def _beginning(self) -> tuple[Question | None, RunnableConfig]:
        """The graph's input: the question; nothing where an attempt before got further."""
        run, asked = self._run, self._asked
        first = asked.question(), self._config(asked.checkpoint_id or FRESH)
        if run.claim.attempt == 1:
            run.emit({"type": "started"})
            return first
        said = await self._store.events.past(asked.run_id)
        run.emit({"type": "started"})
        if run.stop.is_set():
            run.text = text_since_start(said)
            return first
        if run.claim.attempt > MAX_ATTEMPTS:
            raise RunLost
        before = await self._graph.aget_state(self._config())
        if (before.metadata or {}).get("run") != str(asked.run_id):
            return first
        self._record.recall(before)
        self._checkpoint_id = checkpoint_id(before.config)
        if self._record.answer is not None:
            await self._settle()
        return None, self._config()

    def _config(self, checkpoint_id: str | None = None) -> RunnableConfig:
        """Where the graph goes on: from a checkpoint of the thread, by default its newest."""
        place = {"thread_id": str(self._asked.conversation_id)}
        if checkpoint_id is not None:
            place["checkpoint_id"] = checkpoint_id
        return {"configurable": place, "metadata": {"run": str(self._asked.run_id)}}

    async def _follow(self, given: Given, config: RunnableConfig) -> None:
        """Pass the graph's events on, and settle once a step has given the answer."""
        parts = self._graph.astream(
            given,
            config,
            context=self._reader,
            stream_mode=["custom", "tasks", "checkpoints"],
            durability="async",
            version="v2",
        )
        assert isinstance(parts, AsyncGenerator)
        # Left to itself the graph would end some time later, its connections still open.
        async with aclosing(parts):
            async for part in parts:
                if part["type"] == "custom":
                    await self._pass_on(part["data"])
                elif part["type"] == "tasks":
                    self._record.note(part["data"])
                elif part["type"] == "checkpoints":
                    self._checkpoint_id = checkpoint_id(part["data"]["config"])
                    if self._record.answer is not None and not self._run.settled:
                        await self._settle()

    async def _pass_on(self, event: Event) -> None:
        if event["type"] == "suggestions":
            await self._store.suggest(self._run.claim, event["questions"])
            event = {**event, "message_id": str(self._asked.answer_id)}
        self._run.emit(event)

    async def _until_stopped(self, work: Coroutine[Any, Any, None]) -> None:
        """Do the work to its end, or until the person stops it.

        A step that is writing ends by itself, with what it has. Before the first word, and after
        the message, there is nothing to wait for.
        """
        task = asyncio.create_task(work)
        stopped = asyncio.create_task(self._run.stop.wait())
        try:
            await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done() and (self._settling or (self._run.text and not self._run.settled)):
                await asyncio.wait({task}, timeout=STOP_GRACE_S)
            if task.done():
                await task
        finally:
            stopped.cancel()
            task.cancel()
            await asyncio.gather(task, stopped, return_exceptions=True)

    async def _ask_for_word(self, confirm: Event) -> None:
        """Ask the person, and wait for their word or their stop; the word may come to any
        process, so it can be given before the question is seen."""
        run = self._run
        event = {"type": "confirm", **confirm}
        if not await self._store.wait_for_word(run.claim, {**event, "seq": run.next_seq}):
            raise _NotOurs
        run.emit(event)
        waits = [asyncio.create_task(run.word.wait()), asyncio.create_task(run.stop.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _settle(self) -> None:
        """Store the answer, then say it: `message` is the truth."""
        run, answer = self._run, self._record.row()
        self._settling = True
        checkpoint_id = None if self._record.answer is None else self._checkpoint_id
        status = "stopped" if run.stop.is_set() else "complete"
        if not await self._store.settle(run.claim, status, checkpoint_id=checkpoint_id, **answer):
            raise _NotOurs
        self._settling = False
        run.settled = True
        self._count(status)
        run.emit(message_event({**answer, "id": self._asked.answer_id}))
        if self._asked.new_title is not None:
            run.emit({"type": "title", "title": self._asked.new_title})

    async def _fail(self, error: TalkerError) -> None:
        said = {"error": error.name(), "detail": str(error)}
        if self._run.settled:  # the person has the answer; what should follow it is not there
            log.warning("run failed after its message", extra=said)
            return
        try:
            if not await self._store.settle(
                self._run.claim, "failed", content=self._run.text, error=said
            ):
                raise _NotOurs
        except DATABASE_AWAY:
            log.warning("a failed run waits for the database", extra=said)
        self._count("failed", error.name())
        retryable = isinstance(error, Unavailable | InternalError) or (
            isinstance(error, ModelError) and error.retryable
        )
        self._run.emit({"type": "error", **said, "retryable": retryable})

    def _count(self, status: str, error: str | None = None) -> None:
        run = self._run
        first = run.first_token_at
        log.info("answered", extra={"status": status, "intent": self._record.intent})
        self._metrics.answered(
            intent=self._record.intent,
            status=status,
            first_token_s=None if first is None else first - run.began_at,
            seconds=time.monotonic() - run.began_at,
            error=error,
        )

    async def _resume_end(self) -> None:
        """For a run that is settled and whose process died before it said so to all."""
        said = await self._store.events.past(self._asked.run_id)
        kinds = {event["type"] for event in said}
        if "error" in kinds or "message" in kinds:
            return
        for event in await self._store.how_it_ended(self._asked):
            self._run.emit(event)

    async def _last_events(self) -> Fresh:
        self._run.closing = True
        await self._store.events.written()
        return self._run.fresh()

    async def _end(self) -> None:
        run = self._run
        run.emit({"type": "done"})
        try:
            turn_end = None if self._record.answer is None else self._checkpoint_id
            await self._store.finish(await self._last_events(), turn_end)
        except DATABASE_AWAY:
            log.warning("the last events of a run were not stored")


def checkpoint_id(config: RunnableConfig | None) -> str | None:
    found: str | None = (config or {}).get("configurable", {}).get("checkpoint_id")
    return found
