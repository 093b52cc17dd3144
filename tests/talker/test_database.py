import asyncio
import sys
import time
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from psycopg.waiting import MAX_BUSY_TIME
from sqlalchemy import create_engine, event, func, literal, select, text
from sqlalchemy.ext.asyncio import async_sessionmaker

from agent.checkpoints import open_checkpointer
from talker.database import (
    autocommit,
    is_in_pipeline,
    newest_revision,
    open_engine,
    sqlalchemy_url,
    statement,
)
from talker.embedded import ServerUrls
from talker.migrating import alembic_config
from talker.models import Base
from talker.pools import CountingPool
from talker.resources import open_pool

MIGRATE = (
    "import asyncio, sys; from talker.database import migrate; asyncio.run(migrate(sys.argv[1]))"
)


def tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {row[0] for row in rows}


async def test_the_migrations_make_what_the_models_say(database_url: str) -> None:
    engine = create_engine(sqlalchemy_url(database_url))
    with engine.connect() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.check(config)  # raises when autogenerate finds a difference
    engine.dispose()
    assert set(Base.metadata.tables) <= tables(database_url)


def test_the_newest_revision_is_the_head_that_alembic_finds() -> None:
    assert ScriptDirectory.from_config(alembic_config()).get_heads() == [newest_revision()]


async def test_the_migrations_go_down_to_nothing_and_up_again(database_url: str) -> None:
    engine = create_engine(sqlalchemy_url(database_url))
    config = alembic_config()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert not set(Base.metadata.tables) & tables(database_url)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()
    assert set(Base.metadata.tables) <= tables(database_url)


async def test_four_processes_may_migrate_an_empty_database_at_once(embedded: ServerUrls) -> None:
    name = f"empty_{uuid4().hex}"
    with psycopg.connect(embedded.database_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        url = f"{embedded.database_url.rpartition('/')[0]}/{name}"
        processes = [
            await asyncio.create_subprocess_exec(sys.executable, "-c", MIGRATE, url)
            for _ in range(4)
        ]
        assert [await process.wait() for process in processes] == [0, 0, 0, 0]
        assert {"videos", "checkpoints", "procrastinate_jobs"} <= tables(url)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


async def test_checkpoints_use_more_than_one_connection_at_once(database_url: str) -> None:
    async with open_pool(database_url) as pool:
        saver = open_checkpointer(pool)

        async def hold() -> int:
            async with saver._cursor() as cursor:
                await cursor.execute("SELECT pg_sleep(0.5), pg_backend_pid() AS pid")
                row = await cursor.fetchone()
            assert row is not None
            return int(row["pid"])

        assert len(set(await asyncio.gather(*(hold() for _ in range(8))))) > 1


def close_the_others(url: str) -> None:
    """End all connections to a database from its side, as its restart does; none is left then."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


async def test_a_connection_that_postgres_closed_is_not_used_again(database_url: str) -> None:
    engine = open_engine(database_url)
    sessions = async_sessionmaker(engine)
    async with open_pool(database_url) as pool:
        for _ in range(2):
            async with sessions() as session:
                assert await session.scalar(select(1)) == 1
            async with pool.connection() as connection:
                await connection.execute("SELECT 1")
            close_the_others(database_url)
    await engine.dispose()


async def test_what_only_reads_has_no_transaction_and_what_comes_after_it_has_one(
    database_url: str,
) -> None:
    engine = open_engine(database_url)
    sessions = async_sessionmaker(engine)
    async with autocommit(sessions) as session:
        first, second = [(await session.scalars(select(func.now()))).one() for _ in range(2)]
        assert first < second
    async with sessions() as session:
        first, second = [(await session.scalars(select(func.now()))).one() for _ in range(2)]
        assert first == second
    await engine.dispose()


def keep_busy() -> None:
    time.sleep(MAX_BUSY_TIME)


async def test_work_that_is_cancelled_as_it_begins_a_pipeline_leaves_no_broken_connection(
    database_url: str,
) -> None:
    engine = open_engine(database_url)
    used: list[psycopg.AsyncConnection] = []
    event.listen(engine.sync_engine, "checkout", lambda one, *_: used.append(one.driver_connection))
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE numbers (n int)"))

    async def work() -> None:
        async with engine.begin() as connection:
            rows = [{"n": number} for number in range(20)]
            keep_busy()  # then psycopg lets others run first, between two steps of a pipeline
            await connection.execute(text("INSERT INTO numbers VALUES (:n)"), rows)

    task = asyncio.create_task(work())
    while not is_in_pipeline(used[-1]):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    for _ in range(3):
        async with engine.begin() as connection:
            assert await connection.scalar(select(literal(42))) == 42
    await engine.dispose()


async def test_a_checkpoint_connection_left_in_a_pipeline_is_not_used_again(
    database_url: str,
) -> None:
    async with open_pool(database_url) as pool:
        async with pool.connection() as connection:
            connection.pgconn.enter_pipeline_mode()
        async with pool.connection() as other:
            assert other is not connection
            found = await (await other.execute("SELECT 42 AS found")).fetchone()
            assert found == {"found": 42}


async def test_a_connection_lost_in_the_middle_of_a_statement_is_given_up_without_a_traceback(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    engine = open_engine(database_url)
    sessions = async_sessionmaker(engine)
    for _ in range(2):
        with pytest.raises(psycopg.OperationalError):
            await statement(sessions, "SELECT pg_terminate_backend(pg_backend_pid())", {})
        assert await statement(sessions, "SELECT 42", {}) == [(42,)]
    assert [record.message for record in caplog.records if record.exc_info] == []
    pool = engine.pool
    assert isinstance(pool, CountingPool)
    assert pool.checkedout() == 0
    await engine.dispose()
