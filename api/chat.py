"""Chat: the same events over a WebSocket and, for programs, as server-sent events."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.asking import Ask, own_conversation, prepare
from api.dependencies import AppModels, AppResources, AppRuns, CurrentUser, Session, local_user
from api.run_store import Event
from api.runs import LiveRun, Runs
from talker.database import DATABASE_AWAY
from talker.errors import DatabaseUnavailable, TalkerError
from talker.models import User
from talker.resources import Resources

log = logging.getLogger(__name__)

router = APIRouter(tags=["chat"])


class AskMessage(Ask):
    type: Literal["ask"]


class StopMessage(BaseModel):
    type: Literal["stop"]


class ResumeMessage(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: Literal["resume"]
    run_id: UUID
    after: int = Field(default=0, ge=0)


ClientMessage = Annotated[AskMessage | StopMessage | ResumeMessage, Field(discriminator="type")]
CLIENT_MESSAGE: TypeAdapter[ClientMessage] = TypeAdapter(ClientMessage)


@router.post(
    "/conversations/{conversation_id}/ask",
    response_class=EventSourceResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "The run's events"}},
)
async def ask(
    conversation_id: UUID, question: Ask, resources: AppResources, runs: AppRuns, models: AppModels
) -> EventSourceResponse:
    """Ask, and read the run's events as one JSON object a `data:` line, `done` the last.

    The run goes on when the reader goes away; its message is stored either way.
    """
    async with resources.sessions.begin() as session:
        user = await local_user(session)
        asked = await prepare(
            session,
            user,
            conversation_id,
            question,
            models=models,
            max_chars=resources.settings.max_question_chars,
        )
    return EventSourceResponse(_as_sse(runs.start(asked)))


async def _as_sse(run: LiveRun) -> AsyncIterator[ServerSentEvent]:
    async for event in run.read():
        yield ServerSentEvent(data=json.dumps(event, ensure_ascii=False))


class Stopped(BaseModel):
    stopped: bool


@router.post("/conversations/{conversation_id}/stop")
async def stop(
    conversation_id: UUID, session: Session, user: CurrentUser, runs: AppRuns
) -> Stopped:
    """Stop the running answer and keep what was written; `stopped` is false where none runs."""
    await own_conversation(session, user, conversation_id)
    return Stopped(stopped=runs.stop(conversation_id))


@router.websocket("/chat/{conversation_id}")
async def chat(
    socket: WebSocket,
    conversation_id: UUID,
    resources: AppResources,
    runs: AppRuns,
    models: AppModels,
) -> None:
    async with resources.sessions() as session:
        user = await local_user(session)
        await own_conversation(session, user, conversation_id)
    await socket.accept()
    await Conversing(socket, conversation_id, user, resources, runs, models).listen()


class Conversing:
    """One open socket: what it is told becomes runs, what the runs say goes back."""

    def __init__(
        self,
        socket: WebSocket,
        conversation_id: UUID,
        user: User,
        resources: Resources,
        runs: Runs,
        models: AppModels,
    ) -> None:
        self._socket = socket
        self._conversation_id = conversation_id
        self._user = user
        self._resources = resources
        self._runs = runs
        self._models = models
        self._readers: set[asyncio.Task[None]] = set()

    async def listen(self) -> None:
        try:
            while True:
                await self._receive(await self._socket.receive_text())
        except (WebSocketDisconnect, KeyError):
            pass  # gone, or a binary frame, which has no text: the run goes on without it
        finally:
            for reader in self._readers:
                reader.cancel()

    async def _receive(self, text: str) -> None:
        try:
            await self._act(CLIENT_MESSAGE.validate_json(text))
        except ValidationError as error:
            detail = error.errors()[0]
            place = ".".join(str(part) for part in detail["loc"])
            await self._refuse("bad_message", f"{place or 'message'}: {detail['msg']}")
        except TalkerError as error:
            await self._refuse(error.name(), str(error))
        except DATABASE_AWAY:
            away = DatabaseUnavailable()
            await self._refuse(away.name(), str(away), retryable=True)

    async def _act(self, message: ClientMessage) -> None:
        match message:
            case AskMessage():
                async with self._resources.sessions.begin() as session:
                    asked = await prepare(
                        session,
                        self._user,
                        self._conversation_id,
                        message,
                        models=self._models,
                        max_chars=self._resources.settings.max_question_chars,
                    )
                self._follow(self._runs.start(asked).read())
            case StopMessage():
                self._runs.stop(self._conversation_id)
            case ResumeMessage():
                self._follow(self._runs.read(self._conversation_id, message.run_id, message.after))

    def _follow(self, events: AsyncIterator[Event]) -> None:
        reader = asyncio.create_task(self._relay(events))
        self._readers.add(reader)
        reader.add_done_callback(self._readers.discard)

    async def _relay(self, events: AsyncIterator[Event]) -> None:
        try:
            async for event in events:
                await self._socket.send_json(event)
        except TalkerError as error:
            await self._refuse(error.name(), str(error))
        except (WebSocketDisconnect, RuntimeError):
            log.debug("a reader left")  # Starlette raises RuntimeError on a closed socket

    async def _refuse(self, name: str, detail: str, *, retryable: bool = False) -> None:
        """An error of the message, not of a run: no run, and no number."""
        event: dict[str, Any] = {
            "type": "error",
            "error": name,
            "detail": detail,
            "retryable": retryable,
            "run_id": None,
            "seq": 0,
        }
        await self._socket.send_json(event)
