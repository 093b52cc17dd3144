"""A million messages of many people: what one person's talk takes among them, in time and space.

One real conversation is copied with all that belongs to it, its checkpoints included.
"""

import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path

import httpx

from bench.answers import asked
from bench.programs import app, disk_mb, model_service, server_memory_mb
from bench.report import Row, beside
from tests.make import ask, conversation, until_ready
from tests.programs import Onlooker

TURNS = 20
PEOPLE_PER_MILLION = 200
AT_ONCE = 500
"""Conversations copied by one statement."""
TIMES = 12
FIRST_TOKEN_MS = 400.0
QUESTIONS = (
    "When was the first great lens lit at Cordouan, and by whom?",
    "Why did metal mirrors not work well?",
    "How far away did fishermen see the light after that?",
    "Why was the lens set afloat in mercury?",
    "What is the character of a light, and who decides on it?",
)
RARE = "Tschaikowsky"
"""A word that the conversations are searched for and that one message has."""

PEOPLE = """
INSERT INTO users (id, email, created_at) SELECT gen_random_uuid(), 'person' || n, now()
FROM generate_series({first}, {last}) AS n
"""
COPIES = """
CREATE TABLE IF NOT EXISTS copies (id uuid PRIMARY KEY, user_id uuid, n int);
TRUNCATE copies;
WITH people AS (SELECT id, row_number() OVER (ORDER BY created_at, id) - 1 AS n FROM users)
INSERT INTO copies SELECT gen_random_uuid(), people.id, wanted.n
FROM generate_series({first}, {last}) AS wanted(n)
JOIN people ON people.n = wanted.n % (SELECT count(*) FROM users)
"""
MADE_ANEW = "md5(old.{column}::text || copies.id)::uuid"
"""An id for a copy, the same wherever the copied rows name it."""
COPIED = {
    "conversations": {
        "id": "copies.id",
        "user_id": "copies.user_id",
        "updated_at": "now() - copies.n * interval '1 second'",
    },
    "runs": {"id": MADE_ANEW.format(column="id"), "conversation_id": "copies.id"},
    "messages": {
        "id": MADE_ANEW.format(column="id"),
        "conversation_id": "copies.id",
        "run_id": MADE_ANEW.format(column="run_id"),
    },
    "model_calls": {
        "id": MADE_ANEW.format(column="id"),
        "user_id": "copies.user_id",
        "run_id": MADE_ANEW.format(column="run_id"),
    },
    "checkpoints": {"thread_id": "copies.id::text"},
    "checkpoint_blobs": {"thread_id": "copies.id::text"},
    "checkpoint_writes": {"thread_id": "copies.id::text"},
}
"""Tables in the order in which they name each other, and what a copied row has of its own."""
ORIGINAL = {
    "conversations": "old.id = '{talk}'",
    "runs": "old.conversation_id = '{talk}'",
    "messages": "old.conversation_id = '{talk}'",
    "model_calls": "old.run_id IN (SELECT id FROM runs WHERE conversation_id = '{talk}')",
    "checkpoints": "old.thread_id = '{talk}'",
    "checkpoint_blobs": "old.thread_id = '{talk}'",
    "checkpoint_writes": "old.thread_id = '{talk}'",
}


async def run(messages: int = 1_000_000) -> list[Row]:
    """The same at a hundredth, a tenth and all of the messages."""
    smallest, *larger = (max(2 * TURNS, messages // part) for part in (100, 10, 1))
    with tempfile.TemporaryDirectory(prefix="talker-bench-") as folder:
        data_dir = Path(folder) / "data"
        async with (
            model_service(FIRST_TOKEN_MS, 0) as url,
            app(data_dir, OPENROUTER_BASE_URL=url, CHAT_MODELS="m", ROUTER_MODEL="m") as served,
        ):
            loaded = (await served.http.post("/api/videos/sample")).json()["items"][0]
            await until_ready(served.http, loaded["video_id"])
            history = await History.begin(served.http, Onlooker(data_dir))
            await history.grow(smallest)
            first = await _measure(served.http, history.talk, data_dir, smallest)
            rows = list(first)
            for size in larger:
                await history.grow(size)
                measured = await _measure(served.http, history.talk, data_dir, size)
                rows += beside(measured, first)
    return rows


class History:
    """The conversations of many people, the local person's `talk` among them the real one."""

    def __init__(self, onlooker: Onlooker, talk: str) -> None:
        self._onlooker = onlooker
        self.talk = talk
        self._people = 1
        self._conversations = 1

    @staticmethod
    async def begin(http: httpx.AsyncClient, onlooker: Onlooker) -> "History":
        talk = await conversation(http)
        for number in range(TURNS):
            await ask(http, talk, QUESTIONS[number % len(QUESTIONS)])
        await ask(http, await conversation(http), f"Who was {RARE}?")
        return History(onlooker, talk)

    async def grow(self, messages: int) -> None:
        people = max(2, messages * PEOPLE_PER_MILLION // 1_000_000)
        await self._onlooker.execute(PEOPLE.format(first=self._people, last=people - 1))
        self._people = people
        conversations = messages // (2 * TURNS)
        for first in range(self._conversations, conversations, AT_ONCE):
            last = min(first + AT_ONCE, conversations) - 1
            await self._onlooker.execute(COPIES.format(first=first, last=last))
            for table in COPIED:
                await self._onlooker.execute(await self._copy(table))
        self._conversations = conversations
        await self._onlooker.execute("ANALYZE")

    async def _copy(self, table: str) -> str:
        named = await self._onlooker.rows(
            f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}'"
        )
        columns = [name for (name,) in named]
        values = [COPIED[table].get(name, f"old.{name}") for name in columns]
        return (
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} "
            f"FROM {table} AS old CROSS JOIN copies WHERE {ORIGINAL[table].format(talk=self.talk)}"
        )


async def _measure(http: httpx.AsyncClient, talk: str, data_dir: Path, size: int) -> list[Row]:
    section = f"{size:,} messages"
    question = count()

    async def next_turn() -> float:
        timing = await asked(http, talk, QUESTIONS[next(question) % len(QUESTIONS)])
        return timing.first_token_s

    async def get(path: str) -> float:
        began = time.perf_counter()
        (await http.get(path)).raise_for_status()
        return time.perf_counter() - began

    async def median_ms(one: Callable[[], Awaitable[float]]) -> float:
        return statistics.median([await one() for _ in range(TIMES)]) * 1000

    timed = {
        "first token of the next turn": next_turn,
        "a conversation opened": lambda: get(f"/api/conversations/{talk}/messages"),
        "the person's conversations": lambda: get("/api/conversations?limit=50"),
        "a rare word looked for in them": lambda: get(f"/api/conversations?q={RARE}"),
        "a common word looked for in them": lambda: get("/api/conversations?q=mercury"),
        "what the person has spent": lambda: get("/api/usage"),
    }
    rows = [Row(section, name, await median_ms(one), "ms") for name, one in timed.items()]
    return [
        *rows,
        Row(section, "memory of Postgres", server_memory_mb(data_dir, "postgres"), "MB"),
        Row(section, "disk of Postgres", disk_mb(data_dir / "postgres"), "MB"),
    ]
