"""What every `ingest` command shares: its options, and what it opens and closes."""

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from ingestion.reports import Totals
from talker.errors import BadRequest, BadSettings, TalkerError, UserNotFound
from talker.logs import start_logging
from talker.resources import Resources, open_resources
from talker.settings import Settings, load_settings

INTERRUPTED = 130

UserOption = Annotated[
    str, typer.Option("--user", metavar="EMAIL", help="Whose library; needed with accounts.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
JobsOption = Annotated[
    int | None, typer.Option("--jobs", min=1, help="Videos loaded at once.", show_default=False)
]

IN_THE_QUEUE = (
    "What is not loaded yet stays in the queue: it goes on with the app, `worker`, or the same "
    "command again."
)

Result = TypeVar("Result")


def run(
    work: Callable[[Resources], Awaitable[Result]], *, when_stopped: str = IN_THE_QUEUE
) -> Result:
    """Open what is needed, do the work, close it; say failures in their own words.

    `when_stopped` tells who breaks it off what becomes of the rest.
    """
    try:
        settings = load_settings()
        start_logging(max(settings.log_level, "WARNING", key=logging.getLevelName))
        return asyncio.run(_with_resources(settings, work))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.stderr.write(f"Stopped. {when_stopped}\n")
        raise typer.Exit(INTERRUPTED) from None
    except (BadSettings, BadRequest, UserNotFound) as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from None
    except TalkerError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(1) from None


async def _with_resources(
    settings: Settings, work: Callable[[Resources], Awaitable[Result]]
) -> Result:
    this = asyncio.current_task()
    if this is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    async with open_resources(settings) as resources:
        return await work(resources)


def exit_by(totals: Totals) -> None:
    raise typer.Exit(1 if totals.failed or totals.left else 0)
