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
from api.dependencies import AppResources, AppTalking, CurrentUser, local_user
from api.revising import Edit, Regenerate
from talker.database import autocommit
from talker.models import User
from talker.resources import Resources

_JSON = json.JSONEncoder(ensure_ascii=False)

router = APIRouter(prefix="/conversations/{conversation_id}", tags=["chat"])

EVENTS: dict[str, Any] = {
    "response_class": EventSourceResponse,
    "responses": {200: {"content": {"text/event-stream": {}}, "description": "The run's events"}},
}


class Word(BaseModel):
    model_config = ConfigDict(extra="forbid")

    accept: bool


class Stopped(BaseModel):
    stopped: bool


@router.post("/ask", **EVENTS)
async def ask(
    conversation_id: UUID, question: Ask, resources: AppResources, talking: AppTalking
) -> EventSourceResponse:
    """Ask, and read the run's events as one JSON object a `data:` line, `done` the last.

    The run goes on when the reader goes away; its message is stored either way.
    """
    run_id = await talking.ask(await _person(resources), conversation_id, question)
    return _events(talking.runs.read(conversation_id, run_id, 0))


@router.post("/edit", **EVENTS)
async def edit(
    conversation_id: UUID, changed: Edit, resources: AppResources, talking: AppTalking
) -> EventSourceResponse:
    """Put one's own message in other words; the events are those of `ask`. The messages from
    there on leave the conversation."""
    run_id = await talking.edit(await _person(resources), conversation_id, changed)
    return _events(talking.runs.read(conversation_id, run_id, 0))


@router.post("/regenerate", **EVENTS)
async def regenerate(
    conversation_id: UUID, wanted: Regenerate, resources: AppResources, talking: AppTalking
) -> EventSourceResponse:
    """Have an answer written anew; the events are those of `ask`. The answer and what came after
    it leave the conversation."""
    run_id = await talking.regenerate(await _person(resources), conversation_id, wanted)
    return _events(talking.runs.read(conversation_id, run_id, 0))


@router.post("/confirm", **EVENTS)
async def confirm(
    conversation_id: UUID, word: Word, resources: AppResources, talking: AppTalking
) -> EventSourceResponse:
    """Say yes or no to what a run asked with `confirm`, and read its events from there on."""
    person = await _person(resources)
    run_id, asked_at = await talking.confirm(person, conversation_id, accept=word.accept)
    return _events(talking.runs.read(conversation_id, run_id, asked_at))


@router.post("/stop")
async def stop(conversation_id: UUID, user: CurrentUser, talking: AppTalking) -> Stopped:
    """Stop the running answer and keep what was written; `stopped` is false where none runs."""
    return Stopped(stopped=await talking.stop(user, conversation_id))


async def _person(resources: Resources) -> User:
    """Who asks; the session is closed again, since a stream holds none."""
    async with autocommit(resources.sessions) as session:
        return await local_user(session)


def _events(events: AsyncIterator[Event]) -> EventSourceResponse:
    return EventSourceResponse(_as_sse(events))


async def _as_sse(events: AsyncIterator[Event]) -> AsyncIterator[bytes]:
    """Ready to be sent: JSON has no line ends that would have to be looked for."""
    async for event in events:
        yield f"data: {_JSON.encode(event)}\r\n\r\n".encode()
