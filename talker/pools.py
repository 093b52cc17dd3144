"""The pools of connections to Postgres, as Prometheus sees them: read when they are asked for."""

from collections.abc import Iterable
from typing import Any

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import AsyncAdaptedQueuePool
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry

ROWS, CHECKPOINTS = "rows", "checkpoints"


class CountingPool(AsyncAdaptedQueuePool):
    """SQLAlchemy's pool, which also knows how many wait for a connection."""

    waiting = 0

    def _do_get(self) -> ConnectionPoolEntry:
        self.waiting += 1
        try:
            return super()._do_get()
        finally:
            self.waiting -= 1


class PoolCollector(Collector):
    def __init__(self, engine: AsyncEngine, checkpoints: AsyncConnectionPool[Any]) -> None:
        self._engine = engine
        self._checkpoints = checkpoints

    def collect(self) -> Iterable[Metric]:
        size = GaugeMetricFamily(
            "talker_pool_connections", "Connections to Postgres that are open.", labels=["pool"]
        )
        in_use = GaugeMetricFamily(
            "talker_pool_in_use", "Connections that somebody works with.", labels=["pool"]
        )
        waiting = GaugeMetricFamily(
            "talker_pool_waiting", "How many wait for a connection.", labels=["pool"]
        )
        rows = self._engine.pool
        assert isinstance(rows, CountingPool)
        size.add_metric([ROWS], rows.checkedin() + rows.checkedout())
        in_use.add_metric([ROWS], rows.checkedout())
        waiting.add_metric([ROWS], rows.waiting)
        stats = self._checkpoints.get_stats()
        open_, idle = stats.get("pool_size", 0), stats.get("pool_available", 0)
        size.add_metric([CHECKPOINTS], open_)
        in_use.add_metric([CHECKPOINTS], open_ - idle)
        waiting.add_metric([CHECKPOINTS], stats.get("requests_waiting", 0))
        return [size, in_use, waiting]
