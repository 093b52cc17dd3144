"""The workspace in Chromium: Lighthouse, the weight of its script, long lists and long talks."""

import asyncio
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from bench.programs import BIN, app, model_service
from bench.report import Row
from bench.talks import as_file, talks
from tests.deployment.caddy import caddy
from tests.make import ask, conversation, upload
from tests.programs import REMOTE_EMBEDDINGS

ROOT = Path(__file__).parents[1]
SECTION = "the browser"
VIDEOS = 200
TALK_MS = 60_000
AT_ONCE = 10
LINES = 50_000
LINE_S = 2.0
ENDLESS_TIMEOUT_S = 900
MESSAGES = (100, 200)
TOKEN_MS = 5
QUESTIONS = [
    "When was the first great lens lit at Cordouan, and by whom?",
    "Why did metal mirrors not work well?",
    "How far away did fishermen see the light?",
    "Why was the lens set afloat in mercury?",
]
SCRIPT_GOAL_KB = 90
OPENING_GOAL_MS = 200
TASK_GOAL_MS = 50


async def run() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="talker-bench-") as folder:
        async with (
            model_service(0, TOKEN_MS) as url,
            app(
                Path(folder) / "data",
                OPENROUTER_BASE_URL=url,
                CHAT_MODELS="m",
                ROUTER_MODEL="m",
                EMBEDDING_MODEL=REMOTE_EMBEDDINGS,
                MAX_VIDEO_HOURS="48",
            ) as served,
        ):
            long_video = await _library(served.http)
            hundred, two_hundred = [await _talk(served.http, count) for count in MESSAGES]
            # As on a server: what goes over the line is compressed.
            backend = str(served.http.base_url).rstrip("/")
            async with caddy(Path(folder), [backend]) as front:
                job = {
                    "origin": front.url,
                    "conversation": f"/c/{hundred}",
                    "longConversation": f"/c/{two_hundred}",
                    "longVideo": f"/v/{long_video}",
                }
                found = await _measured(job)
    return _rows(found)


async def _library(http: httpx.AsyncClient) -> str:
    """Fill the library; the id of the talk that goes on and on."""
    short = talks(VIDEOS - 1, TALK_MS)
    lines = [line for talk in talks(1, int(LINES * LINE_S * 1000)) for line in talk]
    endless = as_file(VIDEOS, lines)
    endless["segments"] = [
        {"start_s": at * LINE_S, "duration_s": LINE_S, "text": lines[at % len(lines)].text}
        for at in range(LINES)
    ]
    endless["duration_s"] = LINES * LINE_S
    files = [json.dumps(as_file(number, talk)).encode() for number, talk in enumerate(short)]
    for at in range(0, len(files), AT_ONCE):
        await asyncio.gather(*(upload(http, file) for file in files[at : at + AT_ONCE]))
    content = json.dumps(endless).encode()
    return str(await upload(http, content, "endless.json", ENDLESS_TIMEOUT_S))


async def _talk(http: httpx.AsyncClient, messages: int) -> str:
    talk = await conversation(http, title=f"A conversation of {messages} messages")
    for turn in range(messages // 2):
        await ask(http, talk, QUESTIONS[turn % len(QUESTIONS)])
    return talk


async def _measured(job: Mapping[str, str]) -> dict[str, Any]:
    """What `frontend/bench/main.ts` found out."""
    process = await asyncio.create_subprocess_exec(
        "node",
        "bench/main.ts",
        json.dumps(job),
        cwd=ROOT / "frontend",
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "CHROMIUM": await _chromium()},
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"frontend/bench/main.ts ended with {process.returncode}")
    found: dict[str, Any] = json.loads(said)
    return found


async def _chromium() -> str:
    script = ROOT / "scripts" / "chromium.sh"
    process = await asyncio.create_subprocess_exec(script, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    return said.decode().strip()


def _rows(found: Mapping[str, Any]) -> list[Row]:
    rows = [
        Row(
            SECTION,
            f"Lighthouse, {device}: {category}",
            score["cpu"],
            "",
            score["wall"],
            "by the clock",
            goal="at least 95",
        )
        for device, scores in found["lighthouse"].items()
        for category, score in scores.items()
    ]
    opening = found["opening"]
    rows += [
        Row(
            SECTION,
            "script of the first view, gzip",
            found["script_bytes"] / 1000,
            "kB",
            goal=f"under {SCRIPT_GOAL_KB}",
        ),
        Row(
            SECTION,
            f"the last of {MESSAGES[1]} messages shown after their data: main thread",
            opening["cpu_ms"],
            "ms",
            opening["wall_ms"],
            "the clock's time",
            goal=f"under {OPENING_GOAL_MS}",
        ),
    ]
    rows += [
        Row(
            SECTION,
            f"longest task on {LINES:,} lines: {doing}",
            task["cpu_ms"],
            "ms",
            task["wall_ms"],
            "the clock's time",
            goal=f"under {TASK_GOAL_MS}" if task["judged"] else "",
        )
        for doing, task in found["tasks"].items()
    ]
    return rows
