"""The database: how it is reached, and how a new or older one is brought up to date."""

import asyncio
import logging
import select
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from langgraph.checkpoint.postgres import PostgresSaver
from procrastinate.schema import SchemaManager
from psycopg.pq import PipelineStatus
from psycopg.rows import dict_row
from psycopg_pool import PoolTimeout
from sqlalchemy import Connection, PoolResetState, event
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect, ExceptionContext
from sqlalchemy.exc import InterfaceError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as SqlalchemyPoolTimeout
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util import greenlet_spawn

from talker import migrations
from talker.errors import DatabaseUnavailable, DiskFull, Unavailable
from talker.models import LOCAL_USER_EMAIL
from talker.pools import CountingPool

log = logging.getLogger(__name__)

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

ALONE = "alone"
"""The execution option of a connection whose statements stand alone."""

Row = tuple[Any, ...]

POOL_SIZE = 20
"""Kept open once opened."""
POOL_OVERFLOW = 4
"""More, for a moment; who comes then waits for a connection."""
POOL_WAIT_S = 10.0
"""Who has waited so long for a connection is told that the database does not answer."""

CONNECTION: dict[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""libpq's options. A host that went without a word is given up after half a minute; by itself TCP
waits for a quarter of an hour."""
LIMITS = (
    "SET statement_timeout = '2min'; SET lock_timeout = '30s';"
    " SET idle_in_transaction_session_timeout = '5min'"
)
"""What a connection's own server ends; by default it waits for ever. As a statement and not among
the options, which poolers in between refuse."""


def why_away(error: BaseException) -> Unavailable:
    """One of DATABASE_AWAY as what a person is told of it."""
    if isinstance(getattr(error, "orig", error), psycopg.errors.DiskFull):
        return DiskFull()
    return DatabaseUnavailable()


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
        pool_timeout=POOL_WAIT_S,
        # The connections used last again: few of them prepare most statements.
        pool_use_lifo=True,
        pool_reset_on_return=None,  # by `_reset`
        # Each statement stands alone unless a transaction is begun around it, by `_begin`.
        connect_args={**CONNECTION, "autocommit": True},
        hide_parameters=True,  # they are people's words, and errors are logged
    )
    event.listen(engine.sync_engine, "connect", _limit)
    event.listen(engine.sync_engine, "checkout", partial(_check, engine.dialect))
    event.listen(engine.sync_engine, "reset", _reset)
    event.listen(engine.sync_engine, "begin", _begin)
    event.listen(engine.sync_engine, "handle_error", _give_up_broken)
    return engine


def _limit(connection: DBAPIConnection, _: object) -> None:
    with closing(connection.cursor()) as cursor:
        cursor.execute(LIMITS)


def _begin(connection: Connection) -> None:
    """Begin a transaction in Postgres where SQLAlchemy begins one, unless it is to be none."""
    if ALONE not in connection.get_execution_options():
        with closing(connection.connection.cursor()) as cursor:
            cursor.execute("BEGIN")


def _check(dialect: Dialect, connection: DBAPIConnection, *_: object) -> None:
    """Raise InvalidatePoolError for a connection that the server has closed."""
    if has_news(connection.driver_connection) and not _answers(dialect, connection):
        raise InvalidatePoolError


def _answers(dialect: Dialect, connection: DBAPIConnection) -> bool:
    try:
        return dialect.do_ping(connection)
    except psycopg.Error:
        return False


def _reset(connection: DBAPIConnection, record: ConnectionPoolEntry, state: PoolResetState) -> None:
    """Roll back what a connection that is given back left open.

    One whose server went away meanwhile is given up. The pool would do that too, but log it as an
    error, though whoever used the connection is told.
    """
    if state.transaction_was_reset or not state.asyncio_safe:
        return
    try:
        connection.rollback()
    except psycopg.OperationalError as error:
        record.invalidate(error)


def _give_up_broken(context: ExceptionContext) -> None:
    """Close a connection that an error left in the middle of a pipeline.

    Work that is cancelled as psycopg's `executemany` begins one ends with an AssertionError, and
    its connection would answer the next statements with nothing, or with each other's rows.
    """
    connection = context.connection
    if connection is not None and not connection.invalidated:
        driver = connection.connection.driver_connection
        if driver is not None and is_in_pipeline(driver):
            context.is_disconnect = True
            context.invalidate_pool_on_disconnect = False


def is_in_pipeline(connection: psycopg.AsyncConnection[Any]) -> bool:
    return connection.pgconn.pipeline_status != PipelineStatus.OFF


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
        await session.connection(execution_options={ALONE: True})
        yield session


async def statement(
    sessions: async_sessionmaker[AsyncSession], query: LiteralString, values: Mapping[str, Any]
) -> list[Row]:
    """Do one statement of psycopg's, alone, and return its rows.

    For what every question asks: of the time that a statement takes here, SQLAlchemy's sessions
    and expressions are nine tenths. Raises psycopg's errors.
    """
    engine: AsyncEngine = sessions.kw["bind"]
    taken = await greenlet_spawn(engine.sync_engine.pool.connect)
    try:
        return await _rows(taken.driver_connection, query, values)
    finally:
        await greenlet_spawn(taken.close)


Rows = Callable[[LiteralString, Mapping[str, Any]], Awaitable[list[Row]]]
"""`statement` on its sessions, or `within` a session."""


async def within(
    session: AsyncSession, query: LiteralString, values: Mapping[str, Any]
) -> list[Row]:
    """The same in a session's transaction."""
    raw = await (await session.connection()).get_raw_connection()
    return await _rows(raw.driver_connection, query, values)


async def _rows(connection: Any, query: LiteralString, values: Mapping[str, Any]) -> list[Row]:
    cursor = await connection.execute(query, values)
    return await cursor.fetchall() if cursor.description else []


async def migrate(database_url: str) -> None:
    """Bring every table up to date: ours, LangGraph's checkpoints and procrastinate's queue.

    Safe to call from several processes at once and at every start. Raises DatabaseUnavailable.
    """
    await asyncio.to_thread(_migrate, database_url)


def _migrate(database_url: str) -> None:
    try:
        connection = psycopg.connect(
            database_url, autocommit=True, row_factory=dict_row, connect_timeout=5
        )
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable from error
    with connection:
        _lock(connection)
        _upgrade_own_tables(database_url, _revision(connection))
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


def _upgrade_own_tables(database_url: str, revision: str | None) -> None:
    if revision is None or revision < newest_revision():
        # Alembic and what comes with it are a tenth of what a program of ours imports.
        from talker.migrating import upgrade  # noqa: PLC0415

        upgrade(database_url)
    elif revision > newest_revision():
        # This release was brought back, and runs on the newer tables, which have all that it needs.
        log.warning("the database is a newer release's", extra={"revision": revision})


def newest_revision() -> str:
    """The last migration that this program knows: files are named for their revisions, in order."""
    versions = Path(migrations.__file__).parent / "versions"
    return max(path.name.partition("_")[0] for path in versions.glob("[0-9]*.py"))


def _revision(connection: psycopg.Connection[dict[str, Any]]) -> str | None:
    """The migration that the database is at; None for a new one."""
    row = connection.execute("SELECT to_regclass('alembic_version') AS known").fetchone()
    if row is None or row["known"] is None:
        return None
    at = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(at["version_num"]) if at else None


def _create_queue(connection: psycopg.Connection[dict[str, Any]]) -> None:
    """procrastinate's own tables, once; its later versions' changes come as migrations of ours."""
    row = connection.execute("SELECT to_regclass('procrastinate_jobs') AS jobs").fetchone()
    if row is not None and row["jobs"] is None:
        connection.execute(SchemaManager.get_schema())
