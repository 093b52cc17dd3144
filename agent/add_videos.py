"""Videos added by talking: looked up, asked about, loaded, and then asked the question."""

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, Literal, Protocol
from uuid import UUID

from langgraph.runtime import Runtime
from langgraph.types import interrupt
from typing_extensions import TypedDict

from agent.clock import clock
from agent.converse import said
from agent.events import StatusEvent, writer
from agent.phrases import phrase
from agent.route import asked_of
from agent.state import AgentState, Intent, Offer, Offered, Reader

MAX_NAMED = 5
"""So many videos are named one by one; of more, how many."""

WAIT_S = 300.0
"""A run follows a loading so long; a channel goes on without it."""

STEPS = {
    "fetch": "fetching what is said",
    "chunk": "reading it",
    "embed": "making it searchable",
    "index": "finishing",
}


class Loading(TypedDict):
    """How far the loading is: how many videos of `total` are ready or failed, and what the one
    that is worked on is at. `video_ids` are the ready ones; `failures` say title and reason."""

    total: int
    ready: int
    failed: int
    step: str | None
    progress: float
    video_ids: list[str]
    failures: list[str]


class Loader(Protocol):
    """Adds videos for a person; what `ingestion` does, without the agent's knowing it."""

    async def offer(self, user_id: UUID | None, sources: Sequence[str]) -> Offer:
        """What would be loaded and what it costs; nothing is loaded."""
        ...

    def load(self, user_id: UUID | None, sources: Sequence[str]) -> AsyncGenerator[Loading]:
        """Add the sources, and tell how far they are until all are ready or failed."""
        ...


async def offer_videos(
    state: AgentState, runtime: Runtime[Reader], *, loader: Loader | None
) -> dict[str, Any]:
    """Look up what the links name: in a step of its own, since the one that asks runs twice."""
    if loader is None:
        return {"offer": None, **said(phrase("no_loader", state["plan"]["language"]))}
    writer()(StatusEvent(type="status", step="add_videos", detail="Looking up the link"))
    return {"offer": await loader.offer(runtime.context.user_id, state["plan"]["sources"])}


async def has_offer(state: AgentState) -> Literal["add_videos", "remember"]:
    return "add_videos" if state.get("offer") else "remember"


async def add_videos(
    state: AgentState, runtime: Runtime[Reader], *, loader: Loader | None
) -> dict[str, Any]:
    """Ask the person, load, tell how far it is, and make the question that came along the plan."""
    offer, plan = state["offer"], state["plan"]
    language = plan["language"]
    assert offer is not None
    assert loader is not None
    if not any(video["videos"] for video in offer["videos"]):
        nothing = phrase("nothing_there", language)
        return said("\n\n".join(video["failure"] or nothing for video in offer["videos"]))
    asked = prompt(offer, language)
    if not interrupt({"prompt": asked, "videos": offer["videos"], "price": offer["price"]}):
        return said(phrase("nothing_loaded", language))
    loading = await _load(runtime, loader, plan["sources"])
    if plan["question"] and loading["video_ids"]:
        return {"plan": asked_of(plan, loading["video_ids"])}
    return said(outcome(loading, language))


async def question_left(state: AgentState) -> Intent:
    """What to do when the videos are loaded; `add_videos` where nothing is left to do."""
    return state["plan"]["intent"]


async def _load(runtime: Runtime[Reader], loader: Loader, sources: Sequence[str]) -> Loading:
    """Follow the loading to its end, the stop button or WAIT_S; it goes on by itself."""
    write, deadline, told = writer(), time.monotonic() + WAIT_S, ""
    last = Loading(total=0, ready=0, failed=0, step=None, progress=0, video_ids=[], failures=[])
    async with aclosing(loader.load(runtime.context.user_id, sources)) as progress:
        async for last in progress:
            if (detail := told_progress(last)) != told:
                told = detail
                write(StatusEvent(type="status", step="add_videos", detail=detail))
            if runtime.context.stop.is_set() or time.monotonic() > deadline:
                break
    return last


def prompt(offer: Offer, language: str) -> str:
    """What the person is asked: which videos, how long they are, what they cost."""
    videos = [video for video in offer["videos"] if video["videos"]]
    lines = [_named(video, language) for video in videos[:MAX_NAMED]]
    if len(videos) > MAX_NAMED:
        lines.append(phrase("more_links", language, count=len(videos) - MAX_NAMED))
    failures = [video["failure"] for video in offer["videos"] if video["failure"]]
    lines += [phrase("not_found", language, reason=failure) for failure in failures]
    asked, listed = phrase("load_this", language), [f"- {line}" for line in lines]
    return "\n".join([asked, *listed, _cost(offer, language)])


def _named(video: Offered, language: str) -> str:
    title = f"“{video['title']}”" if video["title"] else video["source"]
    length = clock(round(video["duration_s"] * 1000)) if video["duration_s"] else None
    many = video["kind"] != "video"
    count = phrase("videos", language, count=video["videos"]) if many else None
    known = phrase("known_already", language) if video["known"] == video["videos"] else None
    details = ", ".join(part for part in (video["channel"], length, count, known) if part)
    return f"{title} ({details})" if details else title


def _cost(offer: Offer, language: str) -> str:
    price = offer["price"]
    if not price["new"]:
        return phrase("free", language)
    parts = []
    if price["credits"]:
        parts.append(phrase("credits", language, count=price["credits"]))
    if price["cost_usd"]:
        parts.append(phrase("embeddings", language, usd=f"{price['cost_usd']:.4f}"))
    told = ", ".join(parts) or "0"
    return phrase("price", language, price=told, time=_about(price["seconds"]))


def _about(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{max(1, round(seconds))} s" if minutes < 2 else f"{minutes} min"


def told_progress(loading: Loading) -> str:
    if loading["total"] > 1:
        failed = f", {loading['failed']} failed" if loading["failed"] else ""
        return f"Loading: {loading['ready']} of {loading['total']} ready{failed}"
    if loading["step"] is None:
        return "Waiting to be loaded"
    return f"Loading: {STEPS[loading['step']]} ({loading['progress']:.0%})"


def outcome(loading: Loading, language: str) -> str:
    """What became of the loading, in a message."""
    ready, total = loading["ready"], loading["total"]
    left = total - ready - loading["failed"]
    lines = []
    if ready and total == 1:
        lines.append(phrase("loaded", language))
    elif ready:
        lines.append(phrase("ready_of", language, ready=ready, total=total))
    elif left:
        lines.append(phrase("none_ready", language))
    if left:
        lines.append(phrase("still_loading", language, count=left))
    return "\n\n".join([*lines, *loading["failures"]])
