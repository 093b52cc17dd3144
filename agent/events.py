"""What a running graph tells the reader; the API relays these unchanged, numbered."""

from collections.abc import Callable, Sequence
from typing import Literal

from langgraph.config import get_stream_writer
from typing_extensions import TypedDict

from agent.state import Citation, Passage

Step = Literal["route", "retrieve", "answer", "summarize", "compose", "find_videos", "add_videos"]


class StatusEvent(TypedDict):
    type: Literal["status"]
    step: Step
    detail: str


class Source(TypedDict):
    n: int
    video_id: str
    youtube_id: str | None
    title: str
    start_s: float
    end_s: float
    text: str
    url: str | None


class SourcesEvent(TypedDict):
    type: Literal["sources"]
    passages: list[Source]


class TokenEvent(TypedDict):
    type: Literal["token"]
    text: str


class CitedMoment(TypedDict):
    n: int
    video_id: str
    youtube_id: str | None
    title: str
    start_s: float
    end_s: float
    quote: str
    url: str | None
    claim: str | None


class SuggestionsEvent(TypedDict):
    """Two or three questions that may follow; the API adds whose `message_id` they go with."""

    type: Literal["suggestions"]
    questions: list[str]


Writer = Callable[[StatusEvent | SourcesEvent | TokenEvent | SuggestionsEvent], None]


def writer() -> Writer:
    """Where a step sends its events; only inside a run."""
    return get_stream_writer()


def video_url(youtube_id: str | None) -> str | None:
    """YouTube's address of a video; null where a file names no YouTube video."""
    return youtube_id and f"https://www.youtube.com/watch?v={youtube_id}"


def watch_url(youtube_id: str | None, start_ms: int) -> str | None:
    """YouTube's address of a moment; null where a file names no YouTube video."""
    url = video_url(youtube_id)
    return url and f"{url}&t={start_ms // 1000}s"


def sources_event(passages: Sequence[Passage]) -> SourcesEvent:
    return SourcesEvent(type="sources", passages=[source(passage) for passage in passages])


def source(passage: Passage) -> Source:
    shown = passage["shown"]
    return Source(
        n=passage["n"],
        video_id=passage["video_id"],
        youtube_id=passage["youtube_id"],
        title=passage["title"],
        start_s=shown["start_ms"] / 1000,
        end_s=shown["end_ms"] / 1000,
        text=shown["text"],
        url=watch_url(passage["youtube_id"], shown["start_ms"]),
    )


def cited_moment(citation: Citation) -> CitedMoment:
    return CitedMoment(
        n=citation["n"],
        video_id=citation["video_id"],
        youtube_id=citation["youtube_id"],
        title=citation["title"],
        start_s=citation["start_ms"] / 1000,
        end_s=citation["end_ms"] / 1000,
        quote=citation["quote"],
        url=watch_url(citation["youtube_id"], citation["start_ms"]),
        claim=citation.get("claim"),
    )
