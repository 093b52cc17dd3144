"""Alive, and ready: which part is away, if one is."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from sqlalchemy import text

from api.dependencies import AppResources
from api.patience import within
from api.state_of_things import living_workers
from ingestion.overview import resting_services
from talker.database import DATABASE_AWAY, autocommit, why_away
from talker.errors import TalkerError, Unavailable
from talker.resources import Resources

router = APIRouter(prefix="/health", tags=["health"])

CHECK_TIMEOUT_S = 3.0


class Health(BaseModel):
    """`leaving`, with a 503: told to stop, and for DRAIN_S still serving."""

    status: Literal["alive", "leaving"]


class Part(BaseModel):
    ok: bool
    detail: str


class Readiness(BaseModel):
    """`ready` counts the database, the index and a worker; the others are told, not counted."""

    ready: bool
    database: Part
    index: Part
    worker: Part
    model: Part
    transcripts: Part


@router.get("", responses={503: {"model": Health}})
async def health(request: Request, response: Response) -> Health:
    if request.app.state.leaving:
        response.status_code = 503
        return Health(status="leaving")
    return Health(status="alive")


@router.get("/ready", responses={503: {"model": Readiness}})
async def readiness(resources: AppResources, response: Response) -> Readiness:
    found = await look(resources)
    response.status_code = 200 if found.ready else 503
    return found


async def look(resources: Resources) -> Readiness:
    """How each part is, asked side by side."""
    database, index, worker, transcripts = await asyncio.gather(
        _checked(_database(resources)),
        _checked(resources.chunks.ready()),
        _checked(_worker(resources)),
        _checked(_transcripts(resources)),
    )
    settings = resources.settings
    return Readiness(
        ready=database.ok and index.ok and worker.ok,
        database=database,
        index=index,
        worker=worker,
        model=Part(
            ok=settings.chat_configured,
            detail=settings.chat_models[0]
            if settings.chat_configured
            else "No chat model: set OPENROUTER_API_KEY. Answers are quotations until then.",
        ),
        transcripts=transcripts,
    )


class ServicesRest(Unavailable):
    def __init__(self, whys: Sequence[str]) -> None:
        super().__init__(" ".join(whys))


class NoWorker(Unavailable):
    def __init__(self) -> None:
        super().__init__("No worker is running: videos wait in the queue. Start `worker`.")


async def _transcripts(resources: Resources) -> str:
    """Which services are asked. Raises ServicesRest where one is left alone just now."""
    settings = resources.settings
    supadata = settings.supadata_api_key is not None and "supadata" in settings.transcript_providers
    async with autocommit(resources.sessions) as session:
        resting = await resting_services(session)
    if resting:
        raise ServicesRest(
            [f"{one.service}: {(one.failure or {}).get('detail', '')}" for one in resting]
        )
    return "Supadata" if supadata else "YouTube's captions; no Supadata key is set"


async def _database(resources: Resources) -> None:
    async with autocommit(resources.sessions) as session:
        await session.execute(text("SELECT 1"))


async def _worker(resources: Resources) -> None:
    async with autocommit(resources.sessions) as session:
        seen = await living_workers(session)
    if not seen:
        raise NoWorker


async def _checked(check: Coroutine[None, None, str | None]) -> Part:
    """What a check says, or "ok"."""
    try:
        return Part(ok=True, detail=await within(CHECK_TIMEOUT_S, check) or "ok")
    except DATABASE_AWAY as error:
        return Part(ok=False, detail=str(why_away(error)))
    except TimeoutError:
        return Part(ok=False, detail=f"No answer within {CHECK_TIMEOUT_S:.0f} s.")
    except TalkerError as error:
        return Part(ok=False, detail=str(error))
