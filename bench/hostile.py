"""What harm the API comes to from requests and frames made to hurt it; the runs of `tests/fuzz`
and of a socket that is sent nonsense while somebody else talks."""

import asyncio
import json
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from websockets.asyncio.client import ClientConnection, connect

from bench.report import Row
from talker.database import migrate
from talker.embedded import servers
from talker.settings import Settings
from tests import make
from tests.conftest import App, running
from tests.fuzz import fuzz
from tests.people import bearer, cookie_header, make_key, member, with_accounts

QUESTION = "How deep was the deepest dive?"
ASKED_ALONE = 10
NONSENSE = 20_261_128
NOWHERE = "00000000-0000-4000-8000-000000000000"


async def requests(count: int = 5_000) -> list[Row]:
    """Schemathesis, by somebody with a key and by nobody, `count` examples in all."""
    async with _app() as app, member(app, "known@example.org") as http:
        await make.upload(http, make.captions(make.OCEAN))
        document = (await http.get("/api/openapi.json")).json()
        operations = sum(len(methods) for methods in document["paths"].values())
        # Of a few requests there are not so many kinds: a tenth more makes up for them.
        examples = -(-count * 11 // (20 * operations))
        began = time.perf_counter()
        runs = [
            await asyncio.to_thread(fuzz, app.url, headers, examples=examples)
            for headers in (bearer(await make_key(http)), {})
        ]
    statuses = sum((run.statuses for run in runs), Counter[int]())
    for run in runs:
        for sentence in run.wrong:
            print(sentence)  # noqa: T201 - which they are is what one runs this for
    section = "Schemathesis over the OpenAPI document"
    return [
        Row(section, "requests", sum(run.requests for run in runs), goal=f"at least {count}"),
        Row(section, "answered with 500", statuses[500], goal="0"),
        Row(section, "faults and undocumented answers", sum(len(r.wrong) for r in runs), goal="0"),
        Row(section, "time", time.perf_counter() - began, "s"),
    ]


async def frames(count: int = 10_000) -> list[Row]:
    """Hostile frames to one person's socket, while another asks."""
    async with (
        _app(max_messages_per_second=0, max_messages_per_minute=0) as app,
        member(app, "hostile@example.org") as hostile,
        member(app, "calm@example.org") as calm,
    ):
        await make.upload(calm, make.captions(make.OCEAN))
        talk = await make.conversation(hostile)
        alone = [await _first_word_s(app, calm) for _ in range(ASKED_ALONE)]
        async with _socket(app, hostile, talk) as socket:
            sending = asyncio.create_task(_send(socket, count))
            beside = [await _first_word_s(app, calm) for _ in range(ASKED_ALONE)]
            while not sending.done():
                beside.append(await _first_word_s(app, calm))
            answered = await sending
            await socket.send(json.dumps({"type": "ask", "content": QUESTION}))
            async with asyncio.timeout(60):
                while json.loads(await socket.recv())["type"] != "message":
                    pass
    section = f"{count} hostile frames to one socket, while another person asks"
    return [
        Row(section, "frames answered", answered.total(), goal=str(count)),
        Row(section, "of them with internal_error", answered["internal_error"], goal="0"),
        Row(
            section,
            "first event of the other's answer, median",
            statistics.median(beside) * 1000,
            "ms",
            statistics.median(alone) * 1000,
            "without the frames",
            "ratio under 2.5",
        ),
    ]


async def _send(socket: ClientConnection, count: int) -> Counter[str]:
    """Each frame is answered by one error; how often each came."""
    dice = random.Random(NONSENSE)
    errors: Counter[str] = Counter()
    for _ in range(count):
        await socket.send(_frame(dice))
        async with asyncio.timeout(60):
            errors[json.loads(await socket.recv())["error"]] += 1
    return errors


def _frame(dice: random.Random) -> str:
    text = "".join(chr(dice.choice((0, 34, 92, 123, 0x202E, 0x1F600, 97))) for _ in range(40))
    return dice.choice(
        (
            text,
            "[" * dice.randrange(1, 20_000),
            json.dumps({"type": dice.choice(("ask", "edit", "nothing", text)), text: text}),
            json.dumps({"type": "ask", "content": "\x00" * dice.randrange(50)}),
            json.dumps({"type": "ask", "content": text, "model": text}),
            json.dumps({"type": "ask", "content": "x" * dice.randrange(8_001, 20_000)}),
            json.dumps({"type": "ask", "content": text, "video_ids": [NOWHERE]}),
            json.dumps({"type": "ask", "content": text, "template": text}),
            json.dumps({"type": "resume", "run_id": NOWHERE, "after": dice.randrange(2**62)}),
            json.dumps({"type": "resume", "run_id": NOWHERE, "after": -1}),
            json.dumps({"type": "edit", "message_id": NOWHERE, "content": "x"}),
            json.dumps({"type": "regenerate", "message_id": NOWHERE}),
            json.dumps({"type": "confirm", "accept": dice.choice((True, "perhaps"))}),
            '{"type":"ask","content":"\\ud800"}',
            '{"type":"ask","content":NaN}',
        )
    )


async def _first_word_s(app: App, http: httpx.AsyncClient) -> float:
    """Seconds until an answer has begun, on a socket of its own; waits for its end."""
    talk = await make.conversation(http)
    async with _socket(app, http, talk) as socket, asyncio.timeout(60):
        began = time.perf_counter()
        await socket.send(json.dumps({"type": "ask", "content": QUESTION}))
        first = json.loads(await socket.recv())
        took_s = time.perf_counter() - began
        assert first["type"] == "started", first
        while json.loads(await socket.recv())["type"] != "done":
            pass
    return took_s


def _socket(app: App, http: httpx.AsyncClient, talk: str) -> connect:
    url = f"{app.url.replace('http', 'ws')}/api/chat/{talk}"
    return connect(url, additional_headers=cookie_header(http))


@asynccontextmanager
async def _app(**changes: object) -> AsyncIterator[App]:
    """The app with accounts, on servers of its own; nobody counts how often it is asked."""
    with tempfile.TemporaryDirectory(prefix="talker-bench-") as folder:
        own = Settings(_env_file=None, data_dir=Path(folder))
        async with servers(own) as urls:
            await migrate(urls.database_url)
            settings = with_accounts(
                urls,
                own.data_dir,
                urls.database_url,
                max_questions_per_minute=0,
                max_requests_per_minute=0,
                **changes,
            )
            async with running(settings) as app:
                yield app
