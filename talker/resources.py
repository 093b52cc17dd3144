"""What a process opens once and hands down: nothing is opened or read on import."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from langchain_core.embeddings import Embeddings
from psycopg import AsyncConnection, OperationalError
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from talker.chunks import ChunkIndex
from talker.database import (
    CONNECTION,
    LIMITS,
    POOL_WAIT_S,
    has_news,
    is_in_pipeline,
    migrate,
    open_engine,
)
from talker.embedded import servers
from talker.embeddings import OpenEmbeddings, embedding_model_name, open_embeddings
from talker.metrics import Metrics
from talker.pools import PoolCollector
from talker.settings import LOCAL, Settings

CHECKPOINT_CONNECTIONS = 8

Pool = AsyncConnectionPool[AsyncConnection[DictRow]]


@dataclass(frozen=True)
class Resources:
    """`database_url` and `sessions` are for rows, `pool` for LangGraph's checkpoints."""

    settings: Settings
    database_url: str
    engine: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]
    pool: Pool
    embeddings: OpenEmbeddings
    chunks: ChunkIndex
    metrics: Metrics

    @property
    def local_embeddings(self) -> Embeddings | None:
        """The embeddings where they cost neither money nor a round trip, and so may be used to
        compare a few sentences."""
        return self.embeddings if self.settings.embedding_model == LOCAL else None


@asynccontextmanager
async def open_resources(settings: Settings) -> AsyncIterator[Resources]:
    """Servers, tables, pools and the index, ready to use; closed in reverse order.

    Raises DatabaseUnavailable or EmbeddedServerFailed; an index that is away is met at first use.
    """
    async with AsyncExitStack() as stack:
        urls = await stack.enter_async_context(servers(settings))
        await migrate(urls.database_url)
        engine = open_engine(urls.database_url)
        stack.push_async_callback(engine.dispose)
        sessions = async_sessionmaker(engine, expire_on_commit=False)
        pool = await stack.enter_async_context(open_pool(urls.database_url))
        embeddings = await asyncio.to_thread(open_embeddings, settings)  # reads the model
        stack.push_async_callback(embeddings.aclose)
        chunks = ChunkIndex(
            url=urls.qdrant_url,
            api_key=urls.qdrant_api_key,
            embeddings=embeddings,
            embedding_model=embedding_model_name(settings),
            sessions=sessions,
        )
        stack.push_async_callback(chunks.aclose)
        metrics = Metrics()
        metrics.registry.register(PoolCollector(engine, pool))
        yield Resources(
            settings=settings,
            database_url=urls.database_url,
            engine=engine,
            sessions=sessions,
            pool=pool,
            embeddings=embeddings,
            chunks=chunks,
            metrics=metrics,
        )


async def _limit(connection: AsyncConnection[DictRow]) -> None:
    await connection.execute(LIMITS, prepare=False)


async def _check(connection: AsyncConnection[DictRow]) -> None:
    """Raise psycopg.OperationalError for a connection that the server has closed."""
    if has_news(connection):
        await AsyncConnectionPool.check_connection(connection)


async def _refuse_broken(connection: AsyncConnection[DictRow]) -> None:
    """Raise OperationalError, so that the pool closes it, for a connection left in a pipeline."""
    if is_in_pipeline(connection):
        raise OperationalError("The connection was left in the middle of a pipeline.")


@asynccontextmanager
async def open_pool(database_url: str) -> AsyncIterator[Pool]:
    """A pool as LangGraph's Postgres saver needs it: autocommit, rows as dictionaries."""
    options: dict[str, Any] = {
        **CONNECTION,
        "autocommit": True,
        "row_factory": dict_row,
        "prepare_threshold": 0,
    }
    pool: Pool = AsyncConnectionPool(
        database_url,
        min_size=1,
        max_size=CHECKPOINT_CONNECTIONS,
        timeout=POOL_WAIT_S,
        kwargs=options,
        configure=_limit,
        check=_check,
        reset=_refuse_broken,
        open=False,
    )
    async with pool:
        yield pool
