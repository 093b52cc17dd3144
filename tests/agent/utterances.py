"""What people type, with what they mean by it; and the library that they type it about.

Half of `utterances.jsonl` is for development. The other half is held out: rules are never changed
for what it shows.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.runtime import Runtime
from sqlalchemy import delete, update

from agent.models import ChatModels
from agent.retrieve import Find
from agent.route import route
from agent.state import AgentState, Citation, Plan, Reader
from talker.models import LibraryEntry, User, Video
from talker.resources import Resources
from tests import make

FILE = Path(__file__).with_suffix(".jsonl")

Half = Literal["development", "held_out"]

SHELF = {
    "turbulence": ("Visualizing turbulence", "3Blue1Brown"),
    "neural": ("But what is a neural network? | DL1", "3Blue1Brown"),
    "eigen": (
        "Eigenvectors and eigenvalues | Chapter 14, Essence of linear algebra",
        "3Blue1Brown",
    ),
    "bread": ("How to bake sourdough bread at home", "Ada's Kitchen"),
    "rome": ("The Fall of Rome explained", "Historia Civilis"),
    "holes": ("Czarne dziury bez tajemnic", "Astrofaza"),
    "photo": ("La fotosíntesis en 10 minutos", "Ciencia Fácil"),
    "reactor": ("Wie funktioniert ein Kernreaktor?", "Terra Lehrt"),
    "attention": ("Attention in transformers, step-by-step | DL6", "3Blue1Brown"),
    "marathon": ("Marathon training for beginners", "Run With Mo"),
}
"""Title and channel by a short name; the first was added last."""


@dataclass(frozen=True)
class Utterance:
    """`before` are the turns before it, in pairs; `cited` the videos that the last one cited, by
    their short names, as are `videos`. `span` is in seconds."""

    text: str
    language: str
    intent: str
    half: Half
    before: list[str] = field(default_factory=list)
    cited: list[str] = field(default_factory=list)
    scope: list[str] | None = None
    answer_language: str | None = None
    style: str | None = None
    template: str | None = None
    chosen_template: str | None = None
    sources: list[str] = field(default_factory=list)
    videos: list[str] | None = None
    span: list[float | None] | None = None
    last: int | None = None
    dates: bool = False
    reply: bool = False


@dataclass(frozen=True)
class Understood:
    plan: Plan
    reply: str | None
    videos: list[str] | None


def read_utterances() -> list[Utterance]:
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return [Utterance(**json.loads(line)) for line in lines]


async def fill_shelf(resources: Resources, user: User) -> dict[str, UUID]:
    """Make the videos of SHELF a person's library, each added a month after the next."""
    async with resources.sessions.begin() as session:
        await session.execute(delete(Video))
    ids: dict[str, UUID] = {}
    for number, (name, (title, channel)) in enumerate(SHELF.items()):
        added_at = datetime(2024, 12, 1, tzinfo=UTC) - timedelta(30 * number)
        ids[name] = await make.video(
            resources, user, title=title, channel=channel, duration_ms=1_800_000
        )
        async with resources.sessions.begin() as session:
            entry = update(LibraryEntry).where(LibraryEntry.video_id == ids[name])
            await session.execute(entry.values(added_at=added_at))
    return ids


async def understand(
    one: Utterance,
    ids: dict[str, UUID],
    resources: Resources,
    user: User,
    models: ChatModels,
    find: Find,
) -> Understood:
    """What the app's router makes of an utterance, after its turns before."""
    runtime: Runtime[Reader] = Runtime(context=Reader(user_id=user.id))
    found = await route(
        _state(one, ids),
        runtime,
        models=models,
        find=find,
        expect=resources.chunks.expect,
        sessions=resources.sessions,
    )
    plan: Plan = found["plan"]
    names = {str(video_id): name for name, video_id in ids.items()}
    wanted = plan["video_ids"]
    videos = None if wanted is None else [names[video_id] for video_id in wanted]
    return Understood(plan, found["reply"], videos)


def wrong(one: Utterance, understood: Understood) -> list[str]:
    """The parts of a plan that differ from what was meant, by their names."""
    plan = understood.plan
    span = plan["span"]
    pairs: dict[str, tuple[Any, Any]] = {
        "intent": (one.intent, plan["intent"]),
        "language": (one.answer_language or one.language, plan["language"]),
        "style": (one.style, plan["style"]),
        "template": (one.template, plan["template"]),
        "sources": (one.sources, plan["sources"]),
        "span": (one.span and _seconds(one.span), span and (span["start_ms"], span["end_ms"])),
        "reply": (one.reply, understood.reply is not None),
        "videos": _videos(one, understood.videos),
    }
    return [name for name, (meant, made) in pairs.items() if meant != made]


def _videos(one: Utterance, made: list[str] | None) -> tuple[Any, Any]:
    if one.dates:
        return [], made
    if one.last:
        return list(SHELF)[: one.last], made
    meant = one.videos or one.scope
    return meant and sorted(meant), made and sorted(made)


def _seconds(span: list[float | None]) -> tuple[int | None, int | None]:
    start_ms, end_ms = (None if second is None else round(second * 1000) for second in span)
    return start_ms, end_ms


def _state(one: Utterance, ids: dict[str, UUID]) -> AgentState:
    turns: list[AnyMessage] = [
        HumanMessage(text) if number % 2 == 0 else AIMessage(text)
        for number, text in enumerate(one.before)
    ]
    scope = None if one.scope is None else [str(ids[name]) for name in one.scope]
    state = AgentState(messages=[*turns, HumanMessage(one.text)], video_ids=scope)
    if one.chosen_template:
        state["template"] = one.chosen_template
    if one.before:
        state["plan"] = _plan_before(one.before[0])
        state["citations"] = [_citation(n, ids[name]) for n, name in enumerate(one.cited, 1)]
    return state


def _plan_before(question: str) -> Plan:
    return Plan(
        intent="answer",
        question=question,
        before="",
        language="en",
        video_ids=None,
        span=None,
        style=None,
        template=None,
        sources=[],
        decided_by="rules",
    )


def _citation(n: int, video_id: UUID) -> Citation:
    return Citation(
        n=n,
        video_id=str(video_id),
        youtube_id=None,
        title="",
        start_ms=0,
        end_ms=1,
        quote="",
        claim=None,
    )
