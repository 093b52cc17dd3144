"""The answer path, beside the bare stream of the same model service in the same run."""

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.programs import app, memory_mb, model_service
from bench.report import Row, p95_ms
from tests.make import conversation, until_ready
from tests.model_server import tokens
from tests.programs import service

SECTION = "answers (a model that takes 400 ms to the first token, 15 ms for each)"
FIRST_TOKEN_MS, TOKEN_MS = 400.0, 15.0
QUESTIONS = [
    "When was the first great lens lit at Cordouan?",
    "Why did metal mirrors not work well?",
    "How far away did fishermen see the light?",
    "Why was the lens set afloat in mercury?",
    "What is the character of a light?",
    "How big was a lens of the first order?",
    "What did the tower of Cordouan burn?",
]
REPEATS = 14
TOGETHER = (10, 50, 100)
GOAL_TOGETHER = 50
FIRST_QUESTION = "first token, first question"


class AskFailed(Exception):
    """An `error` event where an answer should be."""


@dataclass(frozen=True)
class Timing:
    first_token_s: float
    tokens_per_s: float


async def _timed(texts: AsyncIterator[str], began: float) -> Timing:
    """The model's tokens are counted, however many of them come together."""
    came = [(time.perf_counter() - began, sum(1 for _ in tokens(text))) async for text in texts]
    if not came:
        raise AskFailed("no token came")
    (first_s, _), (last_s, _) = came[0], came[-1]
    after_first = sum(count for _, count in came[1:])
    return Timing(first_s, after_first / (last_s - first_s) if last_s > first_s else 0.0)


async def _bare(http: httpx.AsyncClient, url: str) -> Timing:
    """The model's own stream, read with nothing in between."""
    prompt = (
        "\n[1] from the video “x”:\n" + "word " * 20 + ".\n[2] from the video “x”:\nSo it is.\n"
    )
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": prompt}]}
    began = time.perf_counter()

    async def pieces() -> AsyncIterator[str]:
        async with http.stream("POST", f"{url}/chat/completions", json=body) as answer:
            async for line in answer.aiter_lines():
                if line.startswith("data: {"):
                    choices = json.loads(line.removeprefix("data: "))["choices"]
                    if choices and (text := choices[0]["delta"]["content"]):
                        yield text

    return await _timed(pieces(), began)


async def asked(http: httpx.AsyncClient, talk: str, question: str) -> Timing:
    began = time.perf_counter()

    async def pieces() -> AsyncIterator[str]:
        url = f"/api/conversations/{talk}/ask"
        async with http.stream("POST", url, json={"content": question}) as answer:
            answer.raise_for_status()
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    event = json.loads(line.removeprefix("data: "))
                    if event["type"] == "error":
                        raise AskFailed(event["detail"])
                    if event["type"] == "token":
                        yield event["text"]

    return await _timed(pieces(), began)


async def run() -> list[Row]:
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="talker-bench-") as folder:
        data_dir = Path(folder) / "data"
        async with (
            model_service(FIRST_TOKEN_MS, TOKEN_MS) as url,
            service("bench.pass_through", "--model", url) as passing,
            app(data_dir, OPENROUTER_BASE_URL=url, CHAT_MODELS="m", ROUTER_MODEL="m") as served,
            httpx.AsyncClient(timeout=120, limits=httpx.Limits(max_connections=None)) as bare,
        ):
            http = served.http
            loaded = (await http.post("/api/videos/sample")).json()["items"][0]
            await until_ready(http, loaded["video_id"])
            await _warm(http, bare, url)
            rows += await _alone(http, bare, url)
            for together in TOGETHER:
                rows += await _together(http, bare, (url, passing), together, rows[0].ours)
            memory = memory_mb(data_dir, served.process)
            rows.append(Row(SECTION, "memory after 100 chats at once", memory, "MB"))
    return rows


async def _warm(http: httpx.AsyncClient, bare: httpx.AsyncClient, url: str) -> None:
    for question in QUESTIONS:  # so that Postgres and psycopg know every statement
        await asked(http, await conversation(http), question)
        await _bare(bare, url)


async def _alone(http: httpx.AsyncClient, bare: httpx.AsyncClient, url: str) -> list[Row]:
    """One chat at a time, in turn with the bare stream, so that both meet the same machine."""
    ours, follow_ups, theirs = [], [], []
    for number in range(REPEATS):
        talk = await conversation(http)
        question = QUESTIONS[number % len(QUESTIONS)]
        ours.append(await asked(http, talk, question))
        follow_ups.append(await asked(http, talk, "And why was that?"))
        theirs.append(await _bare(bare, url))
    bare_ms = _first_ms(theirs)
    first, later = _first_ms(ours), _first_ms(follow_ups)
    rate, bare_rate = _rate(ours), _rate(theirs)
    call, stream = "the bare model call", "the bare stream"
    return [
        Row(SECTION, FIRST_QUESTION, first, "ms", bare_ms, call, "ratio at most 1.15"),
        Row(SECTION, "first token, follow-up", later, "ms", bare_ms, call, "ratio at most 2.2"),
        Row(SECTION, "tokens a second", rate, "", bare_rate, stream, "ratio at least 0.95"),
    ]


async def _together(
    http: httpx.AsyncClient,
    bare: httpx.AsyncClient,
    urls: tuple[str, str],
    count: int,
    alone_ms: float,
) -> list[Row]:
    """Many chats at once, right after as many calls at once: of the model, and of a server that
    only passes them on."""
    model, passing = urls
    talks = [await conversation(http) for _ in range(count)]
    theirs, _ = await _at_once(lambda _: _bare(bare, model), count)
    passed, _ = await _at_once(lambda _: _bare(bare, passing), count)
    ours, errors = await _at_once(
        lambda number: asked(http, talks[number], QUESTIONS[number % len(QUESTIONS)]), count
    )
    chats = f"{count} chats at once"
    first, bare_first = _p95_ms(ours), _p95_ms(theirs)
    goal = "ratio under 3" if count == GOAL_TOGETHER else ""
    rate, bare_rate = _rate(ours), _rate(theirs)
    return [
        Row(SECTION, f"errors of {chats}", errors, goal="0"),
        Row(SECTION, f"first token, p95 of {chats}", first, "ms", alone_ms, "one chat", goal),
        Row(SECTION, "  beside bare calls", first, "ms", bare_first, f"{count} at once"),
        Row(SECTION, "  beside calls passed on", first, "ms", _p95_ms(passed), f"{count} at once"),
        Row(SECTION, f"tokens a second in {chats}", rate, "", bare_rate, "the bare streams"),
    ]


async def _at_once(one: Callable[[int], Awaitable[Timing]], count: int) -> tuple[list[Timing], int]:
    """What was timed, and how many failed."""
    ended = await asyncio.gather(*(one(n) for n in range(count)), return_exceptions=True)
    failed = [end for end in ended if isinstance(end, AskFailed | httpx.HTTPError)]
    timings = [end for end in ended if isinstance(end, Timing)]
    if len(timings) + len(failed) < count:
        raise ExceptionGroup("the bench itself", [e for e in ended if isinstance(e, Exception)])
    return timings, len(failed)


def _p95_ms(timings: Sequence[Timing]) -> float:
    return p95_ms([timing.first_token_s for timing in timings])


def _first_ms(timings: Sequence[Timing]) -> float:
    return statistics.median(timing.first_token_s for timing in timings) * 1000


def _rate(timings: Sequence[Timing]) -> float:
    return statistics.median(timing.tokens_per_s for timing in timings)
