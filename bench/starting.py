"""How long the app takes to a page that answers, and what it holds at rest."""

import asyncio
import tempfile
from pathlib import Path

from bench.programs import app, memory_mb
from bench.report import Row

SECTION = "start"
SETTLE_S = 5


async def run() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="talker-bench-") as folder:
        data_dir = Path(folder) / "data"
        async with app(data_dir) as served:
            first_s = served.start_s
        async with app(data_dir) as served:
            again_s = served.start_s
            await asyncio.sleep(SETTLE_S)
            memory = memory_mb(data_dir, served.process)
    return [
        Row(SECTION, "first start, everything installed", first_s, "s"),
        Row(SECTION, "second start", again_s, "s", goal="at most 6 s"),
        Row(SECTION, "memory at rest, servers included", memory, "MB", goal="under 500 MB"),
    ]
