"""Runs: an answer in the making belongs to the server, not to the socket that asked for it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from langchain_core.messages import HumanMessage
from langgraph.graph.state import CompiledStateGraph
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from agent.events import cited_moment
from agent.state import AgentState, Answer, Question, Reader
from api.errors import InternalError
from talker.database import DATABASE_AWAY
from talker.errors import DatabaseUnavailable, ModelError, RunNotFound, TalkerError, Unavailable
from talker.models import Conversation, Message, Run, RunEvent, now

log = logging.getLogger(__name__)

Event = dict[str, Any]
Graph = CompiledStateGraph[AgentState, Reader, Question, Answer]

FLUSH_S = 0.25
"""Events reach Postgres at most this much later than the reader."""
HEARTBEAT_S = 2.0
LOST_AFTER = timedelta(seconds=10)
EVENTS_KEPT = timedelta(hours=1)
HOUSEKEEPING_S = 5.0
POLL_S = 0.25
SETTLE_TRIES = 20
SETTLE_PAUSE_S = 0.5

LOST = {
    "error": "run_lost",
    "detail": "The server stopped while it was writing this answer. Ask again.",
}
NO_USAGE = {"input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0}


@dataclass
class Asked:
    """What one run is to answer; the rows are committed before it starts."""

    run_id: UUID
    conversation_id: UUID
    user_id: UUID
    question_id: UUID
    answer_id: UUID
    content: str
    video_ids: list[UUID] | None
    model: str | None
    new_title: str | None = None


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

    def __init__(self, graph: Graph, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._graph = graph
        self._sessions = sessions
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
        async with self._sessions() as session:
            run = await session.get(Run, run_id)
        if run is None or run.conversation_id != conversation_id:
            raise RunNotFound(run_id)
        if now() - run.created_at > EVENTS_KEPT and run.status != "running":
            raise RunNotFound(run_id)
        async for event in self._read_stored(run_id, after):
            yield event

    async def _read_stored(self, run_id: UUID, after: int) -> AsyncIterator[Event]:
        while True:
            async with self._sessions() as session:
                rows = await session.scalars(
                    select(RunEvent)
                    .where(RunEvent.run_id == run_id, RunEvent.seq > after)
                    .order_by(RunEvent.seq)
                )
            for row in rows:
                after = row.seq
                yield row.event
                if row.event["type"] == "done":
                    return
            await asyncio.sleep(POLL_S)

    async def _execute(self, run: LiveRun) -> None:
        keeper = asyncio.create_task(self._keep(run))
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
        except Exception:
            log.exception("run failed", extra={"run_id": str(run.asked.run_id)})
            await self._fail(run, InternalError())
        finally:
            run.finish()
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper
            await self._store_rest(run)
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
        await self._settle(
            run,
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
            await self._settle(run, "failed", content=run.text, error=said)
        except DATABASE_AWAY:
            log.warning("a failed run waits for the database", extra=said)
        retryable = isinstance(error, Unavailable | InternalError) or (
            isinstance(error, ModelError) and error.retryable
        )
        run.emit({"type": "error", **said, "retryable": retryable})

    async def _settle(self, run: LiveRun, status: str, **values: Any) -> None:
        """Store how a run ended; a database that is restarting is waited for."""
        for _ in range(SETTLE_TRIES):
            try:
                return await self._settle_once(run, status, **values)
            except DATABASE_AWAY:
                await asyncio.sleep(SETTLE_PAUSE_S)
        return await self._settle_once(run, status, **values)

    async def _settle_once(self, run: LiveRun, status: str, **values: Any) -> None:
        async with self._sessions.begin() as session:
            await session.execute(
                update(Message)
                .where(Message.id == run.asked.answer_id)
                .values(status=status, **values)
            )
            await session.execute(
                update(Run).where(Run.id == run.asked.run_id).values(status=status)
            )
            await session.execute(
                update(Conversation)
                .where(Conversation.id == run.asked.conversation_id)
                .values(updated_at=now())
            )

    async def _keep(self, run: LiveRun) -> None:
        """Write events as they come and show that the run is alive."""
        ticks = 0
        while True:
            await asyncio.sleep(FLUSH_S)
            ticks += 1
            try:
                await self._store(run)
                if ticks % int(HEARTBEAT_S / FLUSH_S) == 0:
                    await self._heartbeat(run)
            except DATABASE_AWAY:
                log.warning("run events wait for the database")
            except IntegrityError:
                return  # the conversation was deleted

    async def _store(self, run: LiveRun) -> None:
        fresh = run.events[run.written :]
        if not fresh:
            return
        rows = [
            {"run_id": run.asked.run_id, "seq": event["seq"], "event": event} for event in fresh
        ]
        async with self._sessions.begin() as session:
            await session.execute(insert(RunEvent).on_conflict_do_nothing(), rows)
        run.written += len(fresh)

    async def _store_rest(self, run: LiveRun) -> None:
        try:
            await self._store(run)
        except (*DATABASE_AWAY, IntegrityError) as error:
            log.warning("last events not stored", extra={"error": type(error).__name__})

    async def _heartbeat(self, run: LiveRun) -> None:
        async with self._sessions.begin() as session:
            await session.execute(
                update(Run).where(Run.id == run.asked.run_id).values(heartbeat_at=now())
            )

    async def keep_house(self) -> None:
        """For ever: settle runs whose process died, forget events after an hour."""
        while True:
            try:
                await self._settle_lost()
            except DATABASE_AWAY:
                log.warning("housekeeping waits for the database")
            await asyncio.sleep(HOUSEKEEPING_S)

    async def _settle_lost(self) -> None:
        async with self._sessions.begin() as session:
            lost = await session.scalars(
                select(Run)
                .where(Run.status == "running", Run.heartbeat_at < now() - LOST_AFTER)
                .where(Run.id.not_in(list(self._live)))
                .with_for_update(skip_locked=True)
            )
            for run in lost:
                await settle_lost(session, run)
            await session.execute(delete(RunEvent).where(RunEvent.created_at < now() - EVENTS_KEPT))


async def settle_lost(session: AsyncSession, run: Run) -> None:
    """Say of a run whose process died that it failed, to its message and to who waits for it."""
    run.status = "failed"
    await session.execute(
        update(Message)
        .where(Message.run_id == run.id, Message.status == "running")
        .values(status="failed", error=LOST)
    )
    last = await session.scalar(
        select(RunEvent.seq).where(RunEvent.run_id == run.id).order_by(RunEvent.seq.desc()).limit(1)
    )
    seq = (last or 0) + 1
    events: list[Event] = [{"type": "error", **LOST, "retryable": True}, {"type": "done"}]
    for offset, event in enumerate(events):
        numbered = {**event, "run_id": str(run.id), "seq": seq + offset}
        session.add(RunEvent(run_id=run.id, seq=seq + offset, event=numbered))
    log.warning("run lost", extra={"run_id": str(run.id)})
