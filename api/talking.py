"""What a person can do in a conversation, from a socket or from a program."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from agent.models import ChatModels
from agent.search import Search
from api.asked import Claim
from api.asking import Ask, AwaitsWord, own_conversation, prepare
from api.limits.limits import Limits, Who
from api.revising import Edit, Regenerate, prepare_edit, prepare_regenerate
from api.run_store import ask_to_stop, give_word
from api.runs import Runs
from talker.errors import Conflict
from talker.models import User
from talker.resources import Resources

Prepare = Callable[[AsyncSession], Awaitable[Claim]]


class NothingToConfirm(Conflict):
    def __init__(self) -> None:
        super().__init__("Nothing waits for a yes or no here.")


@dataclass(frozen=True)
class Talking:
    """Each raises what its preparation raises, and returns once the run is stored."""

    resources: Resources
    runs: Runs
    models: ChatModels
    search: Search
    limits: Limits
    who: Who

    @property
    def max_chars(self) -> int:
        return self.resources.settings.max_question_chars

    async def ask(self, user: User, conversation_id: UUID, ask: Ask) -> UUID:
        """Start a run; returns its id."""

        async def prepared(session: AsyncSession) -> Claim:
            return await prepare(
                session,
                user,
                conversation_id,
                ask,
                models=self.models,
                expect=self.search.expect,
                max_chars=self.max_chars,
            )

        return await self._start(conversation_id, prepared)

    async def edit(self, user: User, conversation_id: UUID, edit: Edit) -> UUID:
        async def prepared(session: AsyncSession) -> Claim:
            return await prepare_edit(
                session, user, conversation_id, edit, models=self.models, max_chars=self.max_chars
            )

        return await self._start(conversation_id, prepared)

    async def regenerate(self, user: User, conversation_id: UUID, wanted: Regenerate) -> UUID:
        async def prepared(session: AsyncSession) -> Claim:
            return await prepare_regenerate(
                session, user, conversation_id, wanted, models=self.models
            )

        return await self._start(conversation_id, prepared)

    async def _start(self, conversation_id: UUID, prepared: Prepare) -> UUID:
        """Prepare and start a run; what waits for a word is declined first.

        Raises TooManyRequests.
        """
        await self.limits.asking(self.who)
        try:
            claim = await self._committed(prepared)
        except AwaitsWord:
            async with self.resources.sessions.begin() as session:
                await give_word(session, conversation_id, accepted=False)
            await self.runs.over(conversation_id)
            claim = await self._committed(prepared)
        self.runs.start(claim)
        return claim.asked.run_id

    async def _committed(self, prepared: Prepare) -> Claim:
        async with self.resources.sessions.begin() as session:
            return await prepared(session)

    async def confirm(self, user: User, conversation_id: UUID, *, accept: bool) -> tuple[UUID, int]:
        """Give the word that a run waits for, wherever it runs.

        Returns the run, and the number of the event that asked. Raises NothingToConfirm.
        """
        async with self.resources.sessions.begin() as session:
            await own_conversation(session, user, conversation_id)
            found = await give_word(session, conversation_id, accepted=accept)
        if found is None:
            raise NothingToConfirm
        return found

    async def stop(self, user: User, conversation_id: UUID) -> bool:
        """Stop the running answer, wherever it runs, and keep what was written; false where none
        runs."""
        async with self.resources.sessions.begin() as session:
            await own_conversation(session, user, conversation_id)
            self.runs.stop_here(conversation_id)
            return await ask_to_stop(session, conversation_id)

    async def stop_and_wait(self, user: User, conversation_id: UUID) -> None:
        """Stop the running answer and return when it is stored."""
        if await self.stop(user, conversation_id):
            await self.runs.over(conversation_id)
