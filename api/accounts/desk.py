"""What the `admin` command opens: the database alone, so that it starts in no time."""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from talker.database import migrate, open_engine
from talker.embedded import servers
from talker.errors import BadRequest, BadSettings, TalkerError, UserNotFound
from talker.logs import start_logging
from talker.settings import Settings, load_settings

INTERRUPTED = 130

Result = TypeVar("Result")


@dataclass(frozen=True)
class Desk:
    settings: Settings
    sessions: async_sessionmaker[AsyncSession]


def run(work: Callable[[Desk], Awaitable[Result]]) -> Result:
    """Do the work and close what was opened; failures are said in their own words."""
    try:
        settings = load_settings()
        start_logging(max(settings.log_level, "WARNING", key=logging.getLevelName))
        return asyncio.run(_at_desk(settings, work))
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except (BadSettings, BadRequest, UserNotFound) as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from None
    except TalkerError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(1) from None


async def _at_desk(settings: Settings, work: Callable[[Desk], Awaitable[Result]]) -> Result:
    async with servers(settings) as urls:
        await migrate(urls.database_url)
        engine = open_engine(urls.database_url)
        try:
            return await work(Desk(settings, async_sessionmaker(engine, expire_on_commit=False)))
        finally:
            await engine.dispose()
