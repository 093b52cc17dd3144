"""A worker: takes jobs from the queue until it is told to stop. Any number may run at once."""

import asyncio
import logging
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import psycopg
from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.middleware import AsyncCallNext
from procrastinate.worker import Worker
from psycopg_pool import PoolTimeout

from ingestion.provider import TranscriptProvider
from ingestion.queue import BATCH_QUEUE, HOUSEKEEPING_QUEUE, PERSONAL_QUEUE
from ingestion.services import open_services
from ingestion.tasks import HEARTBEAT_S, STALLED_S, WorkerTools, open_queue
from talker.database import CONNECTION
from talker.errors import BadSettings, TalkerError
from talker.exposition import Exposition
from talker.logs import start_logging
from talker.resources import Resources, open_resources
from talker.settings import Settings, load_settings
from talker.spans import spans_sent

log = logging.getLogger(__name__)

DRAIN_S = 5.0
"""What jobs under way get to finish when the worker stops; then they go back to the queue."""
RESTART_S = 2.0
FREE_HANDS = 2
"""Hands that take nothing from a batch, so that a person's video starts at once."""
STOP_AGAIN_S = DRAIN_S + 2
STOP_IDLE_AGAIN_S = 1.0


@asynccontextmanager
async def working(
    resources: Resources,
    providers: Sequence[TranscriptProvider],
    *,
    concurrency: int | None = None,
) -> AsyncIterator[None]:
    """A worker beside what is done inside; its jobs under way are put back when that ends."""
    tools = WorkerTools(resources, providers)
    worker = asyncio.create_task(run_worker(tools, concurrency=concurrency))
    try:
        yield
    finally:
        worker.cancel()
        await asyncio.wait({worker})


async def run_worker(tools: WorkerTools, *, concurrency: int | None = None) -> None:
    """Work the queue until cancelled; an outage of Postgres is waited out.

    `concurrency` is how many videos are loaded at once, WORKER_CONCURRENCY without it.
    """
    jobs = concurrency or tools.resources.settings.worker_concurrency
    while True:
        _heed_cancel()
        try:
            await _work(tools, jobs)
        except (ConnectorException, psycopg.Error, PoolTimeout) as error:
            log.warning("worker lost postgres", extra={"error": type(error).__name__})
        await asyncio.sleep(RESTART_S)


async def _work(tools: WorkerTools, jobs: int) -> None:
    connector = PsycopgConnector(
        conninfo=tools.resources.database_url,
        min_size=1,
        max_size=jobs + FREE_HANDS + 4,
        timeout=10,
        kwargs=CONNECTION,
    )
    try:
        await _take_turns(open_queue(connector, tools), jobs)
    finally:
        # An opening that is broken off leaves its pool, which keeps the program from ending.
        await connector.close_async()


async def _take_turns(queue: App, jobs: int) -> None:
    async with queue.open_async():
        _heed_cancel()
        work = _UnderWay()
        hands = [
            asyncio.create_task(_take(queue, jobs, [PERSONAL_QUEUE, BATCH_QUEUE], work)),
            asyncio.create_task(
                _take(queue, FREE_HANDS, [PERSONAL_QUEUE, HOUSEKEEPING_QUEUE], work)
            ),
        ]
        try:
            done, _ = await asyncio.wait(hands, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            await _rest(hands, work)
        for hand in done:
            hand.result()


def _heed_cancel() -> None:
    """Raise a cancellation that was lost.

    The pool opens with `asyncio.wait_for`, which on Python 3.11 swallows one that comes as the
    wait ends; and what fails while the queue closes takes the place of one.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class _UnderWay:
    """How many jobs the hands of a worker are at."""

    def __init__(self) -> None:
        self.jobs = 0

    async def count(self, work: AsyncCallNext, _: JobContext, __: Worker) -> object:
        self.jobs += 1
        try:
            return await work()
        finally:
            self.jobs -= 1


async def _rest(hands: Sequence[asyncio.Task[None]], work: _UnderWay) -> None:
    """Stop and let what is under way be put back.

    More than once, since a stop that comes while a hand starts may be lost. Not soon while there
    is a job under way: procrastinate takes a second stop for impatience and drops it.
    """
    while any(not hand.done() for hand in hands):
        for hand in hands:
            hand.cancel()
        await asyncio.wait(hands, timeout=STOP_AGAIN_S if work.jobs else STOP_IDLE_AGAIN_S)


async def _take(queue: App, jobs: int, queues: Sequence[str], work: _UnderWay) -> None:
    await queue.run_worker_async(
        queues=queues,
        concurrency=jobs,
        install_signal_handlers=False,
        shutdown_graceful_timeout=DRAIN_S,
        update_heartbeat_interval=HEARTBEAT_S,
        stalled_worker_timeout=STALLED_S,
        delete_jobs="successful",
        worker_middleware=[work.count],
    )


async def _until_stopped(settings: Settings) -> None:
    async with spans_sent(settings), open_resources(settings) as resources:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, stopped.set)
        exposition = Exposition(settings.data_dir, "worker", resources.metrics)
        async with (
            open_services(resources) as providers,
            working(resources, providers),
            exposition.kept(),
        ):
            log.info("worker started")
            await stopped.wait()


def main() -> None:
    """The `worker` command. Exit code 2 for wrong settings, 1 for a failed start."""
    try:
        settings = load_settings()
        start_logging(settings.log_level, settings.log_shape)
        asyncio.run(_until_stopped(settings))
    except BadSettings as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    except TalkerError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
