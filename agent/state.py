"""What a run carries from step to step, what goes in and what comes out."""

import asyncio
from dataclasses import dataclass, field
from typing import Annotated, Literal
from uuid import UUID

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages
from typing_extensions import TypedDict

Intent = Literal["answer", "converse", "list_videos"]


class Said(TypedDict):
    """A sentence of a passage, with the times of the segments it stands in."""

    start_ms: int
    end_ms: int
    text: str


class Passage(TypedDict):
    """A chunk as retrieved for a question; `n` counts from 1, best first; ids are strings.

    `shown` is the stretch of it that answers best, which a reader is shown and played.
    """

    n: int
    chunk_id: str
    video_id: str
    youtube_id: str | None
    title: str
    language: str
    text: str
    score: float
    cosine: float | None
    sentences: list[Said]
    shown: Said


class Citation(TypedDict):
    """Caption words that bear out a claim, with the times of the segments they stand in."""

    n: int
    video_id: str
    youtube_id: str | None
    title: str
    start_ms: int
    end_ms: int
    quote: str


class Usage(TypedDict):
    """Summed over a run's model calls; `cost_usd` is null where the service does not say."""

    input_tokens: int
    output_tokens: int
    cost_usd: float | None


class Question(TypedDict, total=False):
    """`messages` holds the new user message; null `video_ids` means the whole library."""

    messages: Annotated[list[AnyMessage], add_messages]
    video_ids: list[str] | None


class AgentState(Question, total=False):
    intent: Intent
    question: str
    before: str
    passages: list[Passage]
    citations: list[Citation]
    model: str | None
    usage: Usage | None


def scope(state: Question) -> list[UUID] | None:
    """The videos that the question is about; null for the whole library."""
    video_ids = state.get("video_ids")
    return None if video_ids is None else [UUID(video_id) for video_id in video_ids]


class Answer(TypedDict, total=False):
    """The answer is the last of `messages`."""

    messages: Annotated[list[AnyMessage], add_messages]
    intent: Intent
    citations: list[Citation]
    model: str | None
    usage: Usage | None


@dataclass(frozen=True)
class Reader:
    """Who asks, which chat model they chose, and their stop button; never checkpointed."""

    user_id: UUID | None = None
    model: str | None = None
    stop: asyncio.Event = field(default_factory=asyncio.Event)
