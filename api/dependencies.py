"""What routes ask for: the process's resources, a transaction, the person.

None of it waits, and all is `async`: FastAPI gives what is not to a thread, which takes longer.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated

from fastapi import Depends, Query
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection

from agent.models import ChatModels
from agent.search import Search
from agent.summarizer import Summarizer
from api.accounts.attempts import address_of
from api.accounts.identity import Person
from api.limits.limits import Limits, Who
from api.makings import Makings
from api.runs import Runs
from api.talking import Talking
from ingestion.provider import TranscriptProvider
from talker.cleaning import plain_name
from talker.models import User
from talker.resources import Resources


async def _resources(connection: HTTPConnection) -> Resources:
    resources: Resources = connection.app.state.resources
    return resources


AppResources = Annotated[Resources, Depends(_resources)]


async def _transaction(resources: AppResources) -> AsyncIterator[AsyncSession]:
    async with resources.sessions.begin() as session:
        yield session


# "function": commit before the response leaves; by default a failed commit still answers 200
Session = Annotated[AsyncSession, Depends(_transaction, scope="function")]


async def _current_person(connection: HTTPConnection) -> Person:
    person: Person = connection.state.person
    return person


CurrentPerson = Annotated[Person, Depends(_current_person)]


async def _current_user(person: CurrentPerson) -> User:
    return person.user


CurrentUser = Annotated[User, Depends(_current_user)]
"""Who asks, as the gate let them in."""


async def _runs(connection: HTTPConnection) -> Runs:
    runs: Runs = connection.app.state.runs
    return runs


AppRuns = Annotated[Runs, Depends(_runs)]


async def _models(connection: HTTPConnection) -> ChatModels:
    models: ChatModels = connection.app.state.models
    return models


AppModels = Annotated[ChatModels, Depends(_models)]


async def _search(connection: HTTPConnection) -> Search:
    search: Search = connection.app.state.search
    return search


AppSearch = Annotated[Search, Depends(_search)]


async def _limits(connection: HTTPConnection) -> Limits:
    limits: Limits = connection.app.state.limits
    return limits


AppLimits = Annotated[Limits, Depends(_limits)]


async def _who(connection: HTTPConnection, user: CurrentUser) -> Who:
    return Who(user.id, address_of(connection))


Asker = Annotated[Who, Depends(_who)]
"""Who asks, as limits know them."""


async def _talking(
    resources: AppResources,
    runs: AppRuns,
    models: AppModels,
    search: AppSearch,
    limits: AppLimits,
    who: Asker,
) -> Talking:
    return Talking(resources, runs, models, search, limits, who)


AppTalking = Annotated[Talking, Depends(_talking)]


async def _summarizer(connection: HTTPConnection) -> Summarizer:
    summarizer: Summarizer = connection.app.state.summarizer
    return summarizer


AppSummarizer = Annotated[Summarizer, Depends(_summarizer)]


async def _makings(connection: HTTPConnection) -> Makings:
    makings: Makings = connection.app.state.makings
    return makings


AppMakings = Annotated[Makings, Depends(_makings)]


async def _services(connection: HTTPConnection) -> Sequence[TranscriptProvider]:
    services: Sequence[TranscriptProvider] = connection.app.state.services
    return services


AppServices = Annotated[Sequence[TranscriptProvider], Depends(_services)]

MAX_OFFSET = 2**31 - 1

Limit = Annotated[int, Query(ge=1, le=500)]
Offset = Annotated[int, Query(ge=0, le=MAX_OFFSET)]


def named(sent: object) -> object:
    """A name as it is shown: what a person sends is cleaned before it is measured."""
    return plain_name(sent) if isinstance(sent, str) else sent
