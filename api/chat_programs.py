"""Chat for programs: the socket's messages as requests, a run's events as server-sent events."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from sse_starlette import EventSourceResponse

from api.asked import Event
from api.asking import Ask
from api.dependencies import AppTalking, CurrentUser
from api.problems import OF_MODELS, problems
from api.revising import Edit, Regenerate
from api.streams import EventStream

_JSON = json.JSONEncoder(ensure_ascii=False)

router = APIRouter(prefix="/conversations/{conversation_id}", tags=["chat"])

EVENTS: dict[str, Any] = {
    "response_class": EventSourceResponse,
    "responses": {
        200: {"content": {"text/event-stream": {}}, "description": "The run's events"},
        **problems(409),
        **OF_MODELS,
    },
}


class Word(BaseModel):
    model_config = ConfigDict(extra="forbid")

    accept: bool


class Stopped(BaseModel):
    stopped: bool


@router.post("/ask", **EVENTS)
async def ask(
    conversation_id: UUID, question: Ask, user: CurrentUser, talking: AppTalking
) -> EventSourceResponse:
    """Ask, and read the run's events as one JSON object a `data:` line, `done` the last.

    The run goes on when the reader goes away; its message is stored either way.
    """
    run_id = await talking.ask(user, conversation_id, question)
    return _events(talking.runs.read(conversation_id, run_id, 0))


@router.post("/edit", **EVENTS)
async def edit(
    conversation_id: UUID, changed: Edit, user: CurrentUser, talking: AppTalking
) -> EventSourceResponse:
    """Put one's own message in other words; the events are those of `ask`. The messages from
    there on leave the conversation."""
    run_id = await talking.edit(user, conversation_id, changed)
    return _events(talking.runs.read(conversation_id, run_id, 0))


@router.post("/regenerate", **EVENTS)
async def regenerate(
    conversation_id: UUID, wanted: Regenerate, user: CurrentUser, talking: AppTalking
) -> EventSourceResponse:
    """Have an answer written anew; the events are those of `ask`. The answer and what came after
    it leave the conversation."""
    run_id = await talking.regenerate(user, conversation_id, wanted)
    return _events(talking.runs.read(conversation_id, run_id, 0))


@router.post("/confirm", **EVENTS)
async def confirm(
    conversation_id: UUID, word: Word, user: CurrentUser, talking: AppTalking
) -> EventSourceResponse:
    """Say yes or no to what a run asked with `confirm`, and read its events from there on."""
    run_id, asked_at = await talking.confirm(user, conversation_id, accept=word.accept)
    return _events(talking.runs.read(conversation_id, run_id, asked_at))


@router.post("/stop")
async def stop(conversation_id: UUID, user: CurrentUser, talking: AppTalking) -> Stopped:
    """Stop the running answer and keep what was written; `stopped` is false where none runs."""
    return Stopped(stopped=await talking.stop(user, conversation_id))


def _events(events: AsyncIterator[Event]) -> EventSourceResponse:
    return EventStream(_as_sse(events))


async def _as_sse(events: AsyncIterator[Event]) -> AsyncIterator[bytes]:
    """Ready to be sent: JSON has no line ends that would have to be looked for."""
    async for event in events:
        yield f"data: {_JSON.encode(event)}\r\n\r\n".encode()
