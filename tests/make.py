"""Data for tests: caption files and loaded videos."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import httpx

READY_TIMEOUT_S = 60

OCEAN = [
    "Today we talk about the deep ocean and the animals that live there.",
    "The anglerfish carries a small lamp on its head that glows because of bacteria.",
    "It waits in the dark until a smaller fish comes close to the light.",
    "At four thousand metres the pressure is four hundred times that at the surface.",
    "Whale falls feed whole communities of worms and crabs for fifty years.",
    "Most of the sea floor has never been seen by anybody.",
    "Submarines made of thick titanium carry three people down to the trenches.",
    "The deepest dive on record went down ten thousand nine hundred and thirty five metres.",
]
BREAD = [
    "Welcome to the kitchen, where we bake a loaf of sourdough bread.",
    "A starter is flour and water in which wild yeast and bacteria grow.",
    "Feed the starter twice a day with equal weights of flour and water.",
    "The dough rests for twelve hours in the fridge so that it gets its sour taste.",
    "Bake it in a hot iron pot at two hundred and fifty degrees for forty minutes.",
    "Steam keeps the crust soft while the loaf rises in the oven.",
]


def captions(
    lines: Sequence[str],
    *,
    youtube_id: str | None = None,
    title: str = "A talk",
    language: str = "en",
    channel: str = "A channel",
    line_s: float = 6.0,
) -> bytes:
    """A caption file in our JSON form: one line every `line_s` seconds."""
    segments = [
        {"start_s": number * line_s, "duration_s": line_s, "text": line}
        for number, line in enumerate(lines)
    ]
    url = youtube_id and f"https://www.youtube.com/watch?v={youtube_id}"
    document = {
        "video_id": youtube_id,
        "url": url,
        "title": title,
        "channel": channel,
        "language": language,
        "duration_s": len(lines) * line_s,
        "segments": segments,
    }
    return json.dumps(document).encode()


async def upload(http: httpx.AsyncClient, content: bytes, name: str = "talk.json") -> UUID:
    """Upload a caption file and wait until the video is ready."""
    answer = await http.post("/api/videos/upload", files={"file": (name, content)})
    assert answer.status_code == 202, answer.text
    item = answer.json()["items"][0]
    await until_ready(http, item["video_id"])
    return UUID(item["video_id"])


async def until_ready(http: httpx.AsyncClient, video_id: str) -> None:
    async with asyncio.timeout(READY_TIMEOUT_S):
        while True:
            video = (await http.get(f"/api/videos/{video_id}")).json()
            if video["status"] == "ready":
                return
            assert video["status"] != "failed", video["failure"]
            await asyncio.sleep(0.05)


async def conversation(http: httpx.AsyncClient, **values: Any) -> str:
    answer = await http.post("/api/conversations", json=values)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def ask(
    http: httpx.AsyncClient, conversation_id: str, content: str, **values: Any
) -> list[dict[str, Any]]:
    """Ask over server-sent events; returns every event of the run."""
    url = f"/api/conversations/{conversation_id}/ask"
    async with http.stream("POST", url, json={"content": content, **values}) as answer:
        if answer.status_code != 200:
            await answer.aread()
            raise AssertionError(answer.text)
        lines = [line async for line in answer.aiter_lines() if line.startswith("data: ")]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


def only(events: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """The one event of a kind."""
    found = [event for event in events if event["type"] == kind]
    assert len(found) == 1, [event["type"] for event in events]
    return found[0]
