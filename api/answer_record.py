"""What a run's steps have come to: the answer, and how it was made."""

import time
from dataclasses import dataclass, field
from typing import Any, cast

from langchain_core.messages import AIMessage
from langgraph.types import StateSnapshot, TaskPayload, TaskResultPayload

from agent.events import cited_moment
from agent.state import Passage, Plan
from api.asked import USAGE, Event
from api.live_run import LiveRun, ms_since
from talker.models import ModelCall

NO_USAGE = dict(zip(USAGE, (0, 0, 0.0), strict=True))
CALL_PARTS = (
    "purpose",
    "model",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "cost_usd",
    "first_token_ms",
    "duration_ms",
    "error",
)


@dataclass
class AnswerRecord:
    """`confirm` is what a step wants the person's word on, null where none waits."""

    run: LiveRun
    answer: AIMessage | None = None
    confirm: Event | None = None
    calls: list[ModelCall] = field(default_factory=list)
    _state: dict[str, Any] = field(default_factory=dict)
    _begun: dict[str, float] = field(default_factory=dict)
    _steps: list[dict[str, Any]] = field(default_factory=list)

    def note(self, task: TaskPayload | TaskResultPayload) -> None:
        """Take in a step's start or end."""
        if "result" in task:
            self._note_end(cast("TaskResultPayload", task))
        else:
            self._begun[task["id"]] = time.monotonic()

    def _note_end(self, task: TaskResultPayload) -> None:
        """Take in what a step changed and how long it took. The answer is the first message that
        a step of this turn gives."""
        took_ms = ms_since(self._begun.pop(task["id"], self.run.began_at))
        self._steps.append({"step": task["name"], "ms": took_ms})
        changed = dict(task["result"] or {})
        messages = changed.pop("messages", [])
        if self.answer is None and messages and isinstance(messages[-1], AIMessage):
            self.answer = messages[-1]
        if self.answer is None or messages:
            self._state.update(changed)
        for interrupt in task["interrupts"]:
            self.confirm = interrupt["value"]

    def recall(self, before: StateSnapshot) -> None:
        """Take in what an attempt before this one has left."""
        messages = before.values.get("messages", [])
        if messages and isinstance(messages[-1], AIMessage):
            self.answer = messages[-1]
        self._state.update(before.values)
        for interrupt in before.interrupts:
            self.confirm = interrupt.value

    @property
    def intent(self) -> str | None:
        plan = self._state.get("plan")
        return plan["intent"] if plan else None

    def row(self) -> dict[str, Any]:
        """The answer as its message's columns have it; what was written, where it was stopped
        before its step could give it."""
        state, plan = self._state, self._state.get("plan")
        whole = self.answer is not None
        return {
            "content": self.answer.text if self.answer else self.run.text,
            "citations": [
                dict(cited_moment(one)) for one in (state.get("citations") or [] if whole else [])
            ],
            "intent": self.intent,
            "model": state.get("model") if whole else None,
            **((state.get("usage") if whole else None) or NO_USAGE),
            "metadata_": self._metadata(plan),
        }

    def _metadata(self, plan: Plan | None) -> dict[str, Any]:
        run = self.run
        first = run.first_token_at
        return {
            "route": plan and _route(plan, run.claim.asked.content),
            "passages": [_found(passage) for passage in self._state.get("passages") or []],
            "unproved": self._state.get("unproved") or 0,
            "steps": list(self._steps),
            "calls": [{part: getattr(call, part) for part in CALL_PARTS} for call in self.calls],
            "first_token_ms": None if first is None else ms_since(run.began_at, first),
            "total_ms": ms_since(run.began_at),
            "attempt": run.claim.attempt,
        }


def _route(plan: Plan, content: str) -> dict[str, Any]:
    """The plan without what stands elsewhere: the turn before, the question where it is as
    asked; of the videos, how many."""
    route = {key: value for key, value in plan.items() if key not in ("before", "video_ids")}
    if route["question"] == content:
        del route["question"]
    videos = plan["video_ids"]
    return {**route, "videos": None if videos is None else len(videos)}


def _found(passage: Passage) -> dict[str, Any]:
    parts = ("n", "chunk_id", "video_id", "score", "cosine")
    return {part: passage[part] for part in parts}  # type: ignore[literal-required]  # a Passage's
