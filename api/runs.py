"""Runs: an answer in the making belongs to the server, not to the socket that asked for it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from langchain_core.messages import HumanMessage
from langgraph.graph.state import CompiledStateGraph
from sqlalchemy.exc import SQLAlchemyError

from agent.events import cited_moment
from agent.state import AgentState, Answer, Question, Reader
from api.errors import InternalError
from api.run_store import Asked, Event, RunStore
from talker.database import DATABASE_AWAY
from talker.errors import DatabaseUnavailable, ModelError, TalkerError, Unavailable

log = logging.getLogger(__name__)

Graph = CompiledStateGraph[AgentState, Reader, Question, Answer]

FLUSH_S = 0.25
"""Events reach Postgres at most this much later than the reader."""
HEARTBEAT_S = 2.0
HOUSEKEEPING_S = 5.0

NO_USAGE = {"input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0}


@dataclass
class LiveRun:
    """A run of this process: its events so far, and who waits for more."""

    asked: Asked
    events: list[Event] = field(default_factory=list)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    finished: bool = False
    text: str = ""
    written: int = 0
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    def emit(self, event: Event) -> None:
        self.events.append({**event, "run_id": str(self.asked.run_id), "seq": len(self.events) + 1})
        self._wake()

    def finish(self) -> None:
        self.emit({"type": "done"})
        self.finished = True
        self._wake()

    def _wake(self) -> None:
        self._more.set()
        self._more = asyncio.Event()

    async def read(self, after: int = 0) -> AsyncIterator[Event]:
        """Every event past `after`, waiting for new ones, to the last."""
        while True:
            more = self._more
            while after < len(self.events):
                event = self.events[after]
                after += 1
                yield event
            if self.finished:
                return
            await more.wait()


class Runs:
    """Starts runs, lets readers follow them, and settles those whose process died."""

    def __init__(self, graph: Graph, store: RunStore) -> None:
        self._graph = graph
        self._store = store
        self._live: dict[UUID, LiveRun] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, asked: Asked) -> LiveRun:
        run = LiveRun(asked)
        self._live[asked.run_id] = run
        task = asyncio.create_task(self._execute(run))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return run

    def stop(self, conversation_id: UUID) -> bool:
        """Press the stop button of a conversation's running answer; false where none runs here."""
        running = [
            run for run in self._live.values() if run.asked.conversation_id == conversation_id
        ]
        for run in running:
            run.stop.set()
        return bool(running)

    async def stop_and_wait(self, conversation_id: UUID) -> None:
        """Stop a conversation's running answer and return when it is stored."""
        live = [run for run in self._live.values() if run.asked.conversation_id == conversation_id]
        self.stop(conversation_id)
        for run in live:
            async for _ in run.read():
                pass

    async def aclose(self) -> None:
        """Stop what runs, keep what was written, and wait for it to be stored."""
        for run in self._live.values():
            run.stop.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=5)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def read(self, conversation_id: UUID, run_id: UUID, after: int) -> AsyncIterator[Event]:
        """A run's events past `after`, from memory here, else from the database.

        Raises RunNotFound for a run that is not this conversation's, or too long ago.
        """
        live = self._live.get(run_id)
        if live is not None and live.asked.conversation_id == conversation_id:
            async for event in live.read(after):
                yield event
            return
        async for event in self._store.read(conversation_id, run_id, after):
            yield event

    async def _execute(self, run: LiveRun) -> None:
        try:
            run.emit({"type": "started"})
            await self._complete(run, await self._answer(run))
        except TalkerError as error:
            await self._fail(run, error)
        except DATABASE_AWAY:
            await self._fail(run, DatabaseUnavailable())
        except asyncio.CancelledError:
            await self._fail(run, InternalError())
            raise
        except Exception:  # a bug: logged once, and the run still gets an end
            log.exception("run failed", extra={"run_id": str(run.asked.run_id)})
            await self._fail(run, InternalError())
        finally:
            run.finish()
            await self._write_rest(run)
            del self._live[run.asked.run_id]

    async def _answer(self, run: LiveRun) -> dict[str, Any]:
        """Run the graph, pass its events on, and return what its last steps left in the state."""
        asked = run.asked
        question = Question(
            messages=[HumanMessage(asked.content, id=str(asked.question_id))],
            video_ids=None if asked.video_ids is None else [str(id_) for id_ in asked.video_ids],
        )
        result: dict[str, Any] = {}
        async for part in self._graph.astream(
            question,
            {"configurable": {"thread_id": str(asked.conversation_id)}},
            context=Reader(user_id=asked.user_id, model=asked.model, stop=run.stop),
            stream_mode=["custom", "updates"],
            durability="async",
            version="v2",
        ):
            if part["type"] == "updates":
                for changed in part["data"].values():
                    result.update(changed or {})
            elif part["type"] == "custom":
                run.text += part["data"].get("text", "")
                run.emit(part["data"])
        return result

    async def _complete(self, run: LiveRun, result: dict[str, Any]) -> None:
        content = result["messages"][-1].text
        citations = [dict(cited_moment(citation)) for citation in result["citations"]]
        usage = result.get("usage") or NO_USAGE
        status = "stopped" if run.stop.is_set() else "complete"
        await self._store.settle(
            run.asked,
            status,
            content=content,
            citations=citations,
            intent=result["intent"],
            model=result.get("model"),
            **usage,
        )
        run.emit(
            {
                "type": "message",
                "id": str(run.asked.answer_id),
                "role": "assistant",
                "content": content,
                "citations": citations,
                "intent": result["intent"],
                "model": result.get("model"),
                "usage": usage,
            }
        )
        if run.asked.new_title is not None:
            run.emit({"type": "title", "title": run.asked.new_title})

    async def _fail(self, run: LiveRun, error: TalkerError) -> None:
        said = {"error": error.name(), "detail": str(error)}
        try:
            await self._store.settle(run.asked, "failed", content=run.text, error=said)
        except DATABASE_AWAY:
            log.warning("a failed run waits for the database", extra=said)
        retryable = isinstance(error, Unavailable | InternalError) or (
            isinstance(error, ModelError) and error.retryable
        )
        run.emit({"type": "error", **said, "retryable": retryable})

    async def _write(self, runs: Collection[LiveRun]) -> None:
        """Store the runs' new events, those of all runs at once."""
        fresh = [(run, event) for run in runs for event in run.events[run.written :]]
        await self._store.append([event for _, event in fresh])
        for run, event in fresh:
            run.written = max(run.written, event["seq"])

    async def _write_rest(self, run: LiveRun) -> None:
        try:
            await self._write([run])
        except DATABASE_AWAY:
            log.warning("the last events of a run were not stored")

    async def keep(self) -> None:
        """For ever: store what runs say and show that they are alive, settle those whose
        process died, forget events after an hour."""
        tick = 0
        while True:
            try:
                await self._write(list(self._live.values()))
                if tick % round(HEARTBEAT_S / FLUSH_S) == 0:
                    await self._store.beat(list(self._live))
                if tick % round(HOUSEKEEPING_S / FLUSH_S) == 0:
                    await self._store.keep_house(list(self._live))
            except DATABASE_AWAY:
                log.warning("run events wait for the database")
            except SQLAlchemyError:
                log.exception("run events were not stored")
            tick += 1
            await asyncio.sleep(FLUSH_S)
