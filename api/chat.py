"""Chat over a WebSocket: what the socket is told becomes runs, what the runs say goes back."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from api.accounts.errors import NotLoggedIn
from api.accounts.identity import Person, still_holds
from api.asked import Event
from api.asking import Ask, own_conversation
from api.dependencies import AppResources, AppTalking, CurrentPerson
from api.errors import UNSTORABLE, Unstorable, error_event, misfits
from api.revising import Edit, Regenerate
from api.talking import Talking
from talker.database import DATABASE_AWAY, autocommit, why_away
from talker.errors import BadRequest, TalkerError

log = logging.getLogger(__name__)

router = APIRouter(tags=["chat"])


class AskMessage(Ask):
    type: Literal["ask"]


class ConfirmMessage(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: Literal["confirm"]
    accept: bool


class StopMessage(BaseModel):
    type: Literal["stop"]


class EditMessage(Edit):
    type: Literal["edit"]


class RegenerateMessage(Regenerate):
    type: Literal["regenerate"]


class ResumeMessage(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: Literal["resume"]
    run_id: UUID
    after: int = Field(default=0, ge=0)


class BadMessage(BadRequest):
    """What does not fit the schema of any message."""


ClientMessage = Annotated[
    AskMessage | ConfirmMessage | StopMessage | EditMessage | RegenerateMessage | ResumeMessage,
    Field(discriminator="type"),
]
CLIENT_MESSAGE: TypeAdapter[ClientMessage] = TypeAdapter(ClientMessage)


@router.websocket("/chat/{conversation_id}")
async def chat(
    socket: WebSocket,
    conversation_id: UUID,
    person: CurrentPerson,
    resources: AppResources,
    talking: AppTalking,
) -> None:
    async with autocommit(resources.sessions) as session:
        await own_conversation(session, person.user, conversation_id)
    async with talking.limits.socket(talking.who):
        await socket.accept()
        with resources.metrics.sockets.track_inprogress():
            await Conversing(socket, conversation_id, person, talking).listen()


class Conversing:
    """One open socket; it follows the runs that it started or resumed."""

    def __init__(
        self, socket: WebSocket, conversation_id: UUID, person: Person, talking: Talking
    ) -> None:
        self._socket = socket
        self._conversation_id = conversation_id
        self._person = person
        self._talking = talking
        self._readers: dict[UUID, asyncio.Task[None]] = {}

    async def listen(self) -> None:
        try:
            while True:
                await self._receive(await self._socket.receive_text())
        except (WebSocketDisconnect, KeyError):
            pass  # gone, or a binary frame, which has no text: the run goes on without it
        finally:
            for reader in self._readers.values():
                reader.cancel()

    async def _receive(self, text: str) -> None:
        try:
            self._talking.limits.message(self._talking.who)
            await self._act(CLIENT_MESSAGE.validate_json(text))
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False)
            await self._refuse(BadMessage(misfits(found[:1], "message")))
        except TalkerError as error:
            await self._refuse(error)
        except UNSTORABLE:
            await self._refuse(Unstorable())
        except DATABASE_AWAY as error:
            await self._refuse(why_away(error))

    async def _act(self, message: ClientMessage) -> None:
        await self._check()
        here = self._person.user, self._conversation_id
        match message:
            case AskMessage():
                self._follow(await self._talking.ask(*here, message))
            case EditMessage():
                self._follow(await self._talking.edit(*here, message))
            case RegenerateMessage():
                self._follow(await self._talking.regenerate(*here, message))
            case ConfirmMessage():
                run_id, asked_at = await self._talking.confirm(*here, accept=message.accept)
                if run_id not in self._readers:
                    self._follow(run_id, asked_at)
            case StopMessage():
                await self._talking.stop(*here)
            case ResumeMessage():
                self._follow(message.run_id, message.after)

    async def _check(self) -> None:
        """A socket outlives a logout. Raises NotLoggedIn."""
        if not self._person.may_lapse:
            return
        async with autocommit(self._talking.resources.sessions) as session:
            user = await still_holds(session, self._person)
        if user is None:
            raise NotLoggedIn
        # What the administrator changed meanwhile holds from now on.
        self._person = replace(self._person, user=user)

    def _follow(self, run_id: UUID, after: int = 0) -> None:
        events = self._talking.runs.read(self._conversation_id, run_id, after)
        if (before := self._readers.get(run_id)) is not None:
            before.cancel()  # one who resumes has lost count; nothing comes twice
        reader = asyncio.create_task(self._relay(events))
        self._readers[run_id] = reader
        reader.add_done_callback(lambda done: self._left(run_id, done))

    def _left(self, run_id: UUID, reader: asyncio.Task[None]) -> None:
        if self._readers.get(run_id) is reader:
            del self._readers[run_id]

    async def _relay(self, events: AsyncIterator[Event]) -> None:
        try:
            async for event in events:
                await self._socket.send_json(event)
        except TalkerError as error:
            await self._refuse(error)
        except DATABASE_AWAY as error:
            await self._refuse(why_away(error))
        except (WebSocketDisconnect, RuntimeError):
            log.debug("a reader left")  # Starlette raises RuntimeError on a closed socket

    async def _refuse(self, error: TalkerError) -> None:
        """An error of the message, not of a run: no run, and no number."""
        await self._socket.send_json({**error_event(error), "run_id": None, "seq": 0})
