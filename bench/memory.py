"""A long conversation: what its last turns cost beside its first ones, and what it takes up."""

import statistics
import tempfile
import time
from pathlib import Path

import httpx

from bench.programs import app, model_service
from bench.report import Row
from tests.make import ask, conversation, only, until_ready
from tests.programs import Onlooker

QUESTIONS = [
    "When was the first great lens lit at Cordouan, and by whom?",
    "Why did metal mirrors not work well?",
    "And how far away did fishermen see the light after that?",
    "Why was the lens set afloat in mercury?",
    "What is the character of a light, and who decides on it?",
]
WINDOW = 10
"""Turns around the 20th and at the end that are compared."""
TABLES = (
    "checkpoints",
    "checkpoint_blobs",
    "checkpoint_writes",
    "messages",
    "runs",
    "run_events",
    "model_calls",
    "conversations",
)


async def run(turns: int = 500) -> list[Row]:
    """`turns` questions in one conversation, each right after the answer before."""
    section = f"a conversation of {turns} turns"
    with tempfile.TemporaryDirectory(prefix="talker-bench-") as folder:
        data_dir = Path(folder) / "data"
        async with (
            model_service(0, 0) as url,
            app(data_dir, OPENROUTER_BASE_URL=url, CHAT_MODELS="m", ROUTER_MODEL="m") as served,
        ):
            loaded = (await served.http.post("/api/videos/sample")).json()["items"][0]
            await until_ready(served.http, loaded["video_id"])
            onlooker = Onlooker(data_dir)
            before = await _sizes(onlooker)
            took_s, prompts = await _talk(served.http, turns)
            grown = {
                table: size - before[table] for table, size in (await _sizes(onlooker)).items()
            }
    early, late = slice(20 - WINDOW // 2, 20 + WINDOW // 2), slice(-WINDOW, None)
    whole_mb = sum(grown.values()) / 1e6
    rows = [
        Row(
            section,
            f"time of the last turn (median of {WINDOW})",
            statistics.median(took_s[late]) * 1000,
            "ms",
            statistics.median(took_s[early]) * 1000,
            "the turns around the 20th",
            "ratio at most 1.3",
        ),
        Row(
            section,
            "tokens read for the last turn",
            statistics.median(prompts[late]),
            "",
            statistics.median(prompts[early]),
            "the turns around the 20th",
            "ratio at most 1.3",
        ),
        Row(section, "database", whole_mb, "MB", goal="under 10 MB"),
    ]
    return rows + [
        Row(section, f"  of which {table}", size / 1e6, "MB")
        for table, size in sorted(grown.items(), key=lambda one: -one[1])
        if size > whole_mb * 1e4
    ]


async def _talk(http: httpx.AsyncClient, turns: int) -> tuple[list[float], list[int]]:
    """Seconds and tokens read, turn by turn."""
    talk = await conversation(http)
    took_s, prompts = [], []
    for number in range(turns):
        began = time.perf_counter()
        events = await ask(http, talk, QUESTIONS[number % len(QUESTIONS)])
        took_s.append(time.perf_counter() - began)
        prompts.append(only(events, "message")["usage"]["input_tokens"])
    return took_s, prompts


async def _sizes(onlooker: Onlooker) -> dict[str, int]:
    """Bytes of each table with its indexes, dead rows included."""
    return {
        table: (await onlooker.rows(f"SELECT pg_total_relation_size('{table}')"))[0][0]
        for table in TABLES
    }
