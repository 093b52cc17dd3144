"""The database: how it is reached, and how a new or older one is brought up to date."""

import asyncio
import select
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from langgraph.checkpoint.postgres import PostgresSaver
from procrastinate.schema import SchemaManager
from psycopg.rows import dict_row
from psycopg_pool import PoolTimeout
from sqlalchemy import create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect
from sqlalchemy.exc import InterfaceError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as SqlalchemyPoolTimeout
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from talker import migrations
from talker.errors import DatabaseUnavailable
from talker.models import LOCAL_USER_EMAIL
from talker.pools import CountingPool

MIGRATION_LOCK = 7_201_146_023
"""Our key among Postgres's advisory locks: one process migrates, the others wait."""

LOCK_PAUSE_S = 0.1

DATABASE_AWAY = (
    OperationalError,
    InterfaceError,
    SqlalchemyPoolTimeout,
    psycopg.OperationalError,
    PoolTimeout,
)
"""What SQLAlchemy and psycopg raise when Postgres does not answer."""

POOL_SIZE = 20
"""Kept open once opened."""
POOL_OVERFLOW = 4
"""More, for a moment; who comes then waits for a connection."""


def sqlalchemy_url(database_url: str) -> str:
    """A plain Postgres URL as SQLAlchemy wants it, on psycopg 3."""
    return database_url.replace("postgresql://", "postgresql+psycopg://", 1)


def open_engine(database_url: str) -> AsyncEngine:
    """An engine whose pool notices that Postgres was restarted, without asking it each time."""
    engine = create_async_engine(
        sqlalchemy_url(database_url),
        poolclass=CountingPool,
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=30,
        # The connections used last again: few of them prepare most statements.
        pool_use_lifo=True,
        connect_args={"connect_timeout": 10},
        skip_autocommit_rollback=True,
        hide_parameters=True,  # they are people's words, and errors are logged
    )
    event.listen(engine.sync_engine, "checkout", partial(_check, engine.dialect))
    return engine


def _check(dialect: Dialect, connection: DBAPIConnection, *_: object) -> None:
    """Raise InvalidatePoolError for a connection that the server has closed."""
    if has_news(connection.driver_connection) and not _answers(dialect, connection):
        raise InvalidatePoolError


def _answers(dialect: Dialect, connection: DBAPIConnection) -> bool:
    try:
        return dialect.do_ping(connection)
    except psycopg.Error:
        return False


def has_news(connection: psycopg.AsyncConnection[Any]) -> bool:
    """Whether an idle connection has something to read: as a rule, that its server is gone.

    A look at the socket; a ping would be a round trip before every transaction.
    """
    if connection.closed:
        return True
    watched = select.poll()
    watched.register(connection.fileno(), select.POLLIN)
    return bool(watched.poll(0))


@asynccontextmanager
async def autocommit(sessions: async_sessionmaker[AsyncSession]) -> AsyncIterator[AsyncSession]:
    """A session each of whose statements stands alone, for those that read or are but one.

    A transaction's begin and end cost a round trip each, and where it is rolled back, as one that
    only read is, psycopg forgets what it has prepared.
    """
    async with sessions() as session:
        await session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
        yield session


async def migrate(database_url: str) -> None:
    """Bring every table up to date: ours, LangGraph's checkpoints and procrastinate's queue.

    Safe to call from several processes at once and at every start. Raises DatabaseUnavailable.
    """
    await asyncio.to_thread(_migrate, database_url)


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return config


def _migrate(database_url: str) -> None:
    try:
        connection = psycopg.connect(
            database_url, autocommit=True, row_factory=dict_row, connect_timeout=5
        )
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable from error
    with connection:
        _lock(connection)
        _upgrade_own_tables(database_url)
        PostgresSaver(connection).setup()
        _create_queue(connection)
        connection.execute(
            "INSERT INTO users (id, email, created_at) VALUES (gen_random_uuid(), %s, now())"
            " ON CONFLICT DO NOTHING",
            [LOCAL_USER_EMAIL],
        )


def _lock(connection: psycopg.Connection[dict[str, Any]]) -> None:
    """Wait for the migrations' lock, asking again and again.

    A process that waits inside Postgres would have a transaction open, for whose end the
    checkpoints' CREATE INDEX CONCURRENTLY waits in turn: a deadlock.
    """
    query = "SELECT pg_try_advisory_lock(%s) AS locked"
    while not (row := connection.execute(query, [MIGRATION_LOCK]).fetchone()) or not row["locked"]:
        time.sleep(LOCK_PAUSE_S)


def _upgrade_own_tables(database_url: str) -> None:
    engine = create_engine(sqlalchemy_url(database_url))
    with engine.connect() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()


def _create_queue(connection: psycopg.Connection[dict[str, Any]]) -> None:
    """procrastinate's own tables, once; its later versions' changes come as migrations of ours."""
    row = connection.execute("SELECT to_regclass('procrastinate_jobs') AS jobs").fetchone()
    if row is not None and row["jobs"] is None:
        connection.execute(SchemaManager.get_schema())
