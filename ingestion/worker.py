"""A worker: takes jobs from the queue until it is told to stop. Any number may run at once."""

import asyncio
import logging
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from procrastinate import PsycopgConnector
from procrastinate.exceptions import ConnectorException
from psycopg_pool import PoolTimeout

from ingestion.queue import HEARTBEAT_S, STALLED_S, WorkerTools, open_queue
from ingestion.transcripts import open_providers
from talker.errors import BadSettings, TalkerError
from talker.logs import start_logging
from talker.resources import Resources, open_resources
from talker.settings import Settings, load_settings

log = logging.getLogger(__name__)

DRAIN_S = 5.0
"""What jobs under way get to finish when the worker stops; then they go back to the queue."""
RESTART_S = 2.0
STOP_AGAIN_S = DRAIN_S + 2


@asynccontextmanager
async def working(resources: Resources, *, concurrency: int | None = None) -> AsyncIterator[None]:
    """A worker beside what is done inside; its jobs under way are put back when that ends."""
    worker = asyncio.create_task(run_worker(resources, concurrency=concurrency))
    try:
        yield
    finally:
        # More than once, since procrastinate forgets a stop that comes while it starts.
        while not worker.done():
            worker.cancel()
            await asyncio.wait({worker}, timeout=STOP_AGAIN_S)


async def run_worker(resources: Resources, *, concurrency: int | None = None) -> None:
    """Work the queue until cancelled; an outage of Postgres is waited out.

    `concurrency` is how many videos are loaded at once, WORKER_CONCURRENCY without it.
    """
    jobs = concurrency or resources.settings.worker_concurrency
    async with open_providers(resources.settings) as providers:
        tools = WorkerTools(resources, providers)
        while True:
            try:
                await _work(tools, jobs)
            except (ConnectorException, psycopg.Error, PoolTimeout) as error:
                log.warning("worker lost postgres", extra={"error": type(error).__name__})
            await asyncio.sleep(RESTART_S)


async def _work(tools: WorkerTools, jobs: int) -> None:
    connector = PsycopgConnector(
        conninfo=tools.resources.database_url,
        min_size=1,
        max_size=jobs + 3,
        timeout=10,
        kwargs={"connect_timeout": 5},
    )
    queue = open_queue(connector, tools)
    async with queue.open_async():
        await queue.run_worker_async(
            concurrency=jobs,
            install_signal_handlers=False,
            shutdown_graceful_timeout=DRAIN_S,
            update_heartbeat_interval=HEARTBEAT_S,
            stalled_worker_timeout=STALLED_S,
            delete_jobs="successful",
        )


async def _until_stopped(settings: Settings) -> None:
    async with open_resources(settings) as resources:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, stopped.set)
        async with working(resources):
            log.info("worker started")
            await stopped.wait()


def main() -> None:
    """The `worker` command. Exit code 2 for wrong settings, 1 for a failed start."""
    try:
        settings = load_settings()
        start_logging(settings.log_level)
        asyncio.run(_until_stopped(settings))
    except BadSettings as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    except TalkerError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
