"""The figures of all processes that share a DATA_DIR, whichever of them is asked.

Each process keeps its own in a file there, and who is asked puts the files together, every series
with the label `process`. A scrape reaches any one process behind a port or a balancer, so figures
that only the one reached knew would come and go. prometheus-client's own multiprocess mode is set
by a variable before its import, for the whole interpreter, and has no gauges that are read when
they are asked for, such as a pool's.
"""

import asyncio
import logging
import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from talker.metrics import Metrics

log = logging.getLogger(__name__)

WRITE_EVERY_S = 2.0
GONE_S = 30.0
"""A file this old is of a process that was killed."""


class Exposition:
    def __init__(self, data_dir: Path, program: str, metrics: Metrics) -> None:
        self._folder = data_dir / "metrics"
        self._name = f"{program}-{socket.gethostname()}-{os.getpid()}"
        self._file = self._folder / f"{self._name}.prom"
        self._metrics = metrics
        self._writing = threading.Lock()
        self._ended = False

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Keep this process's figures where the others find them."""
        keeper = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
            # What is being written in a thread must not come after this.
            with self._writing, suppress(OSError):
                self._ended = True
                self._file.unlink(missing_ok=True)

    async def _keep(self) -> None:
        told = False
        while True:
            try:
                await asyncio.to_thread(self._write)
                told = False
            except OSError as error:
                if not told:  # a full disk is said once, not every two seconds
                    log.warning("metrics not written", extra={"error": type(error).__name__})
                told = True
            await asyncio.sleep(WRITE_EVERY_S)

    def _write(self) -> None:
        with self._writing:
            if self._ended:
                return
            self._folder.mkdir(parents=True, exist_ok=True)
            fresh = self._file.with_suffix(".new")
            fresh.write_bytes(generate_latest(self._metrics.registry))
            fresh.replace(self._file)

    def everybody(self) -> list[Metric]:
        """This process's figures as they are now, and the others' as they last wrote them."""
        merged: dict[str, Metric] = {}
        _merge(merged, self._metrics.registry.collect(), self._name)
        for name, text in self._others():
            _merge(merged, text_string_to_metric_families(text), name)
        return list(merged.values())

    def _others(self) -> Iterator[tuple[str, str]]:
        for file in sorted(self._folder.glob("*.prom")):
            try:
                if time.time() - file.stat().st_mtime > GONE_S:
                    file.unlink(missing_ok=True)
                elif file != self._file:
                    yield file.stem, file.read_text()
            except OSError:
                continue  # it ended just now


class Families(Collector):
    """Families that are there already, for `generate_latest`."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families

    def text(self) -> bytes:
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)


def _merge(merged: dict[str, Metric], families: Iterable[Metric], process: str) -> None:
    for family in families:
        if family.name.endswith("_created"):  # when a counter began: what `process` changes with
            continue
        whole = merged.setdefault(
            family.name, Metric(family.name, family.documentation, family.type)
        )
        whole.samples += [
            Sample(one.name, {**one.labels, "process": process}, one.value)
            for one in family.samples
            if not one.name.endswith("_created")
        ]
