"""What a run carries from step to step, what goes in and what comes out."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Annotated, Any, Literal
from uuid import UUID

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages
from typing_extensions import TypedDict

from agent.model_calls import Caller
from talker.models import ModelCall, Purpose, SummaryStyle

CALLS_AT_ONCE = 10
"""Three hours of speech have some ten parts: they are read in the time that one takes."""

Intent = Literal[
    "answer", "summarize", "compose", "find_videos", "list_videos", "add_videos", "converse"
]


class Said(TypedDict):
    """A sentence of a passage, with the times of the segments it stands in."""

    start_ms: int
    end_ms: int
    text: str


class Passage(TypedDict):
    """A chunk as retrieved for a question; `n` counts from 1, best first; ids are strings.

    `text` is its `sentences`' words, `published_at` the video's date in ISO 8601. `shown` is the
    stretch of it that answers best, which a reader is shown and played.
    """

    n: int
    chunk_id: str
    video_id: str
    youtube_id: str | None
    title: str
    channel: str | None
    published_at: str | None
    language: str
    text: str
    score: float
    cosine: float | None
    sentences: list[Said]
    shown: Said


class Citation(TypedDict):
    """Caption words that bear out a claim, with the times of the segments they stand in.

    `claim` is the sentence of a post that they bear out; null in answers, where a number in the
    text says it.
    """

    n: int
    video_id: str
    youtube_id: str | None
    title: str
    start_ms: int
    end_ms: int
    quote: str
    claim: str | None


class Span(TypedDict):
    """A stretch of a video; null `end_ms` is its end."""

    start_ms: int
    end_ms: int | None


class Plan(TypedDict):
    """What the newest message asks for, as `route` understood it.

    `question` can be understood alone; `before` is the turn before it, where it was not rewritten.
    `language` is the person's, ISO 639-1. `video_ids` are the videos to work on, within what was
    asked about; null means the whole library. `span` is the part of each that was named.
    `style` goes with summarize, `template` (a built-in one's name or an own one's id) with
    compose, `sources` (links and ids as written) with add_videos. `decided_by` says who knew.
    """

    intent: Intent
    question: str
    before: str
    language: str
    video_ids: list[str] | None
    span: Span | None
    style: SummaryStyle | None
    template: str | None
    sources: list[str]
    decided_by: Literal["rules", "model"]


class Offered(TypedDict):
    """One source that may be loaded: `videos` is how many it names, `known` how many of them
    cost nothing; `failure` says why it is none."""

    source: str
    kind: Literal["video", "playlist", "channel"]
    youtube_id: str | None
    title: str | None
    channel: str | None
    duration_s: float | None
    videos: int
    known: int
    failure: str | None


class LoadPrice(TypedDict):
    """Credits are Supadata's; `cost_usd` is for embeddings, null where nobody tells."""

    new: int
    credits: int
    cost_usd: float | None
    seconds: float


class Offer(TypedDict):
    """What the person is asked to confirm before anything is loaded."""

    videos: list[Offered]
    price: LoadPrice


class Usage(TypedDict):
    """Summed over a run's model calls; `cost_usd` is null where the service does not say."""

    input_tokens: int
    output_tokens: int
    cost_usd: float | None


class SummaryVideo(TypedDict):
    """A video to summarise, from one of its transcripts, read in so many `parts`."""

    video_id: str
    transcript_id: str
    parts: int


class SummaryPlan(TypedDict):
    """What is to be summarised, and how; `first` is what the person is told before it.

    `model` is the one that was asked for, as summaries are stored by it.
    """

    videos: list[SummaryVideo]
    style: SummaryStyle
    language: str
    span: Span | None
    model: str
    first: str


class PartToRead(TypedDict):
    """One part of a video's transcript; `part` counts from 0."""

    summary: SummaryPlan
    video: SummaryVideo
    part: int


class VideoToSummarize(TypedDict):
    summary: SummaryPlan
    video: SummaryVideo


class PartNotes(TypedDict):
    """`usage` is null where the notes were there already."""

    part: int
    text: str
    usage: Usage | None


class VideoSummary(TypedDict):
    """`model` wrote it, null where its sentences are the speakers' own; `usage` is null where it
    was there already."""

    video_id: str
    content: str
    citations: list[Citation]
    model: str | None
    usage: Usage | None


def gathered(so_far: list[Any] | None, new: list[Any] | None) -> list[Any]:
    """Steps that run side by side add to a list; null empties it."""
    return [] if new is None else [*(so_far or []), *new]


class Question(TypedDict, total=False):
    """`messages` holds the new user message; null `video_ids` means the whole library.

    `template` was chosen by hand, and makes a post of the answer; `variables` are the values of
    its variables.
    """

    messages: Annotated[list[AnyMessage], add_messages]
    video_ids: list[str] | None
    template: str | None
    variables: dict[str, str] | None


class SummaryQuestion(TypedDict):
    """A summary asked for outside a conversation."""

    plan: Plan


class AgentState(Question, total=False):
    """`memory` is what is left of turns that are in `messages` no more. `reply` is said instead
    of a step's work, where what was named is not there. `nearest` is the best of the passages
    that were found not to answer. `unproved` counts the claims that the passages do not bear
    out, or that an answer without any source makes: an answer keeps them without a number, a post
    does not keep them."""

    memory: str
    plan: Plan
    reply: str | None
    offer: Offer | None
    passages: list[Passage]
    nearest: Passage | None
    summary: SummaryPlan | None
    part_notes: Annotated[list[PartNotes], gathered]
    video_summaries: Annotated[list[VideoSummary], gathered]
    citations: list[Citation]
    unproved: int
    model: str | None
    usage: Usage | None


def scope(state: AgentState) -> list[UUID] | None:
    """The videos to work on; null for the whole library."""
    video_ids = state["plan"]["video_ids"]
    return None if video_ids is None else [UUID(video_id) for video_id in video_ids]


class Answer(TypedDict, total=False):
    """The answer is the last of `messages`."""

    messages: Annotated[list[AnyMessage], add_messages]
    plan: Plan
    passages: list[Passage]
    citations: list[Citation]
    unproved: int
    model: str | None
    usage: Usage | None


@dataclass(frozen=True)
class Reader:
    """Who asks, which chat model they chose, and their stop button; never checkpointed.

    `calls` are the run's calls of chat models, in the order in which they ended; `at_once` bounds
    how many of them a step makes side by side; `parts` counts the parts of transcripts as they
    are read.
    """

    user_id: UUID | None = None
    model: str | None = None
    run_id: UUID | None = None
    conversation_id: UUID | None = None
    calls: list[ModelCall] = field(default_factory=list)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    at_once: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CALLS_AT_ONCE))
    parts: Iterator[int] = field(default_factory=lambda: count(1))

    def caller(self, purpose: Purpose) -> Caller:
        """Who a chat model is called for."""
        return Caller(
            user_id=self.user_id,
            run_id=self.run_id,
            conversation_id=self.conversation_id,
            model=self.model,
            purpose=purpose,
            calls=self.calls,
        )
