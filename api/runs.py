"""Runs: an answer in the making belongs to the server, not to the socket that asked for it."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from uuid import UUID

import psycopg
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from api.asked import Claim, Event
from api.attempt import Attempt, Graph
from api.live_run import LiveRun
from api.run_store import LOST_AFTER, RunStore
from talker.database import DATABASE_AWAY
from talker.metrics import Metrics

log = logging.getLogger(__name__)

FLUSH_S = 0.25
"""Events reach Postgres at most this much later than the reader."""
HEARTBEAT_S = 1.5
TAKE_UP_S = 1.0
PRUNE_S = 1.0
FORGET_S = 60.0
FINISH_S = 3.0
"""How long a process that ends lets its runs finish before it hands them over."""
OVER_S = 10.0


class Runs:
    """Starts runs, lets readers follow them, and takes up those whose process died."""

    def __init__(self, graph: Graph, store: RunStore, metrics: Metrics | None = None) -> None:
        self._graph = graph
        self._metrics = metrics or Metrics()
        self._metrics.registry.register(_RunningNow(self))
        self._store = store
        self._live: dict[UUID, LiveRun] = {}
        self._tasks: dict[asyncio.Task[None], LiveRun] = {}
        self._to_prune: set[UUID] = set()
        self._nudge = asyncio.Event()
        self._due_at: dict[str, float] = {}
        self._away_at = float("-inf")
        self._closing = False
        store.notices.on_runs = self._nudge.set

    def start(self, claim: Claim) -> None:
        """Make a run here; of two attempts at it the later one stands.

        A process so busy that seconds pass between a question's commit and this call may have
        taken its own run up meanwhile, as one without a process.
        """
        before = self._live.get(claim.asked.run_id)
        if before is not None and before.claim.attempt > claim.attempt:
            return
        run = LiveRun(claim)
        self._live[claim.asked.run_id] = run
        if before is not None:
            self._lose(before)
        task = asyncio.create_task(self._make(run))
        self._tasks[task] = run
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        run = self._tasks.pop(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            where = {"run_id": str(run.claim.asked.run_id)}
            log.error("run ended in disorder", exc_info=error, extra=where)

    async def _make(self, run: LiveRun) -> None:
        asked = run.claim.asked
        try:
            await Attempt(self._graph, self._store, run, self._metrics).make()
        finally:
            if self._live.get(asked.run_id) is run:
                del self._live[asked.run_id]
        if not run.lost:
            self._to_prune.add(asked.conversation_id)

    async def read(self, conversation_id: UUID, run_id: UUID, after: int) -> AsyncIterator[Event]:
        """A run's events past `after`: from memory where it is made here, else from Postgres.

        Raises RunNotFound for a run that is not this conversation's, or too long ago.
        """
        live = self._live.get(run_id)
        if live is not None and live.claim.asked.conversation_id == conversation_id:
            if after < live.claim.after:
                for event in await self._store.events.past(run_id, after):
                    if event["seq"] <= live.claim.after:
                        after = event["seq"]
                        yield event
            async for event in live.read(after):
                after = event["seq"]
                yield event
                if event["type"] == "done":
                    return
            if not live.lost:
                return
        async for event in self._store.events.read(conversation_id, run_id, after):
            yield event

    @property
    def count(self) -> int:
        """How many are made here just now."""
        return len(self._live)

    def stop_here(self, conversation_id: UUID) -> None:
        """Stop what this process makes for a conversation, without asking Postgres first."""
        for run in self._live.values():
            if run.claim.asked.conversation_id == conversation_id:
                run.stop.set()

    async def over(self, conversation_id: UUID) -> None:
        """Return when no run of the conversation is running any more, or after a while."""
        with suppress(TimeoutError):
            async with asyncio.timeout(OVER_S):
                while run_id := await self._store.running(conversation_id):
                    with self._store.notices.expecting(run_id) as news:
                        if await self._store.running(conversation_id):
                            await self._store.notices.wait(news)

    async def aclose(self) -> None:
        """Give what runs a few seconds to finish, and hand the rest over to who comes next."""
        self._closing = True
        at_work = [task for task, run in self._tasks.items() if not run.waits]
        if at_work:
            await asyncio.wait(at_work, timeout=FINISH_S)
        left = list(self._tasks.items())
        for task, run in left:
            run.released = True
            task.cancel()
        await asyncio.gather(*(task for task, _ in left), return_exceptions=True)

    async def keep(self) -> None:
        """For ever: store what runs say, show that they are alive and hear what is asked of
        them, take up those whose process died, forget events after an hour and prune memories."""
        while True:
            nudged = self._nudge.is_set()
            self._nudge.clear()
            try:
                await self._write()
                if self._is_due("beat", HEARTBEAT_S) or nudged or not self._store.notices.listening:
                    await self._beat()
                if self._is_due("take up", TAKE_UP_S) or nudged:
                    await self._take_up()
                if self._to_prune and self._is_due("prune", PRUNE_S):
                    await self._prune()
                if self._is_due("forget", FORGET_S):
                    await self._store.decline_forgotten()
                    await self._store.events.forget()
            except DATABASE_AWAY:
                log.warning("run events wait for the database")
                self._away_at = time.monotonic()
                self._due_at.clear()
            except (SQLAlchemyError, psycopg.Error):
                log.exception("run events were not stored")
            with suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_S):
                    await self._nudge.wait()

    def _is_due(self, what: str, every_s: float) -> bool:
        now_s = time.monotonic()
        if now_s < self._due_at.get(what, 0.0):
            return False
        self._due_at[what] = now_s + every_s
        return True

    async def _write(self) -> None:
        """Store the runs' new events, those of all runs at once."""
        fresh = {id_: run.fresh() for id_, run in self._live.items() if not run.closing}
        said = {id_: one for id_, one in fresh.items() if one.events}
        if not said:
            return
        ours = await self._store.events.append(list(said.values()))
        for run_id, one in said.items():
            if (run := self._live.get(run_id)) is None or run.claim is not one.claim:
                continue
            if run_id in ours:
                run.written = max(run.written, one.events[-1]["seq"])
                run.wake()
            else:
                self._lose(run)

    async def _beat(self) -> None:
        claims = [run.claim for run in self._live.values()]
        told = {one.run_id: one for one in await self._store.beat(claims)}
        for claim in claims:
            run = self._live.get(claim.asked.run_id)
            if run is None or run.claim is not claim:
                continue
            if claim.asked.run_id in told:
                run.hear(told[claim.asked.run_id])
            elif not run.closing:
                self._lose(run)

    def _lose(self, run: LiveRun) -> None:
        """Leave a run that another process took up, or whose conversation is gone."""
        if run.finished:
            return
        run.lost = True
        for task, made in self._tasks.items():
            if made is run:
                task.cancel()

    async def _prune(self) -> None:
        """Drop what conversations whose runs have ended do not need; what is not dropped for once
        is after the next turn."""
        conversation_ids, self._to_prune = self._to_prune, set()
        await self._store.prune(conversation_ids)

    async def _take_up(self) -> None:
        """Take up runs without a process.

        Not right after Postgres was away: then the heartbeats of all are old.
        """
        since_away_s = time.monotonic() - self._away_at
        if self._closing or since_away_s < LOST_AFTER.total_seconds():
            return
        for claim in await self._store.take_up(list(self._live)):
            self.start(claim)


class _RunningNow(Collector):
    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    def collect(self) -> Iterable[Metric]:
        return [
            GaugeMetricFamily(
                "talker_running_answers", "Answers in the making.", value=self._runs.count
            )
        ]
