"""Data for tests: caption files and loaded videos."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import httpx

from talker.models import Chunk, LibraryEntry, Segment, Transcript, User, Video
from talker.resources import Resources

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


async def video(
    resources: Resources,
    user: User,
    *,
    title: str = "A talk",
    channel: str | None = "A channel",
    texts: Mapping[str, Sequence[str]] | None = None,
    **values: Any,
) -> UUID:
    """A video in a person's library as loading leaves it in the database: one chunk a line.

    `texts` are its lines by language, in the order in which they were loaded.
    """
    async with resources.sessions.begin() as session:
        known = {"youtube_id": uuid4().hex[:11], "status": "ready", **values}
        row = Video(title=title, channel=channel, **known)
        session.add(row)
        await session.flush()
        session.add(LibraryEntry(user_id=user.id, video_id=row.id))
    for language, lines in (texts or {}).items():
        await transcript(resources, row.id, language, lines)
    return row.id


async def transcript(
    resources: Resources, video_id: UUID, language: str, lines: Sequence[str]
) -> None:
    """A transcript of a video, one segment and one chunk a line."""
    async with resources.sessions.begin() as session:
        row = Transcript(video_id=video_id, language=language, kind="manual", provider="supadata")
        session.add(row)
        await session.flush()
        session.add_all(_rows(row, lines))


def _rows(transcript: Transcript, lines: Sequence[str]) -> list[Chunk | Segment]:
    """One segment and one chunk of six seconds for each line."""
    rows: list[Chunk | Segment] = []
    for number, line in enumerate(lines):
        rows.append(
            Segment(
                transcript_id=transcript.id,
                position=number,
                start_ms=number * 6_000,
                duration_ms=6_000,
                text=line,
            )
        )
        rows.append(
            Chunk(
                id=uuid4(),
                video_id=transcript.video_id,
                transcript_id=transcript.id,
                position=number,
                first_segment=number,
                last_segment=number,
                start_ms=number * 6_000,
                end_ms=number * 6_000 + 6_000,
                text=line,
            )
        )
    return rows


async def upload(
    http: httpx.AsyncClient,
    content: bytes,
    name: str = "talk.json",
    timeout_s: float = READY_TIMEOUT_S,
) -> UUID:
    """Upload a caption file and wait until the video is ready."""
    answer = await http.post("/api/videos/upload", files={"file": (name, content)})
    assert answer.status_code == 202, answer.text
    item = answer.json()["items"][0]
    await until_ready(http, item["video_id"], timeout_s)
    return UUID(item["video_id"])


async def until_ready(
    http: httpx.AsyncClient, video_id: str, timeout_s: float = READY_TIMEOUT_S
) -> None:
    async with asyncio.timeout(timeout_s):
        while True:
            video = (await http.get(f"/api/videos/{video_id}")).json()
            if video["status"] == "ready":
                return
            assert video["status"] != "failed", video["failure"]
            await asyncio.sleep(0.05)


async def entry(resources: Resources, user: User, video_id: UUID) -> None:
    """A known video in one more person's library."""
    async with resources.sessions.begin() as session:
        session.add(LibraryEntry(user_id=user.id, video_id=video_id))


async def collection(http: httpx.AsyncClient, name: str, *video_ids: UUID | str) -> str:
    body = {"name": name, "video_ids": [str(video_id) for video_id in video_ids]}
    answer = await http.post("/api/collections", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def conversation(http: httpx.AsyncClient, **values: Any) -> str:
    answer = await http.post("/api/conversations", json=values)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def ask(
    http: httpx.AsyncClient, conversation_id: str, content: str, **values: Any
) -> list[dict[str, Any]]:
    """Ask over server-sent events; returns every event of the run."""
    url = f"/api/conversations/{conversation_id}/ask"
    return await events_of(http, url, {"content": content, **values})


async def events_of(
    http: httpx.AsyncClient, url: str, body: dict[str, Any]
) -> list[dict[str, Any]]:
    """The events that a request is answered with."""
    async with http.stream("POST", url, json=body) as answer:
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
