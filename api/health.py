"""Alive, and ready: which part is away, if one is."""

import asyncio
from collections.abc import Awaitable
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel
from sqlalchemy import text

from api.dependencies import AppResources
from api.state_of_things import living_workers
from ingestion.overview import resting_services
from talker.database import DATABASE_AWAY, autocommit
from talker.errors import DatabaseUnavailable, TalkerError, Unavailable
from talker.resources import Resources

router = APIRouter(prefix="/health", tags=["health"])

CHECK_TIMEOUT_S = 3.0


class Health(BaseModel):
    status: Literal["alive"]


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


@router.get("")
async def health() -> Health:
    return Health(status="alive")


@router.get("/ready", responses={503: {"model": Readiness}})
async def readiness(resources: AppResources, response: Response) -> Readiness:
    found = await look(resources)
    response.status_code = 200 if found.ready else 503
    return found


async def look(resources: Resources) -> Readiness:
    """How each part is, asked side by side."""
    database, index, worker = await asyncio.gather(
        _checked(_database(resources)),
        _checked(resources.chunks.ready()),
        _checked(_worker(resources)),
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
        transcripts=await _transcripts(resources),
    )


class NoWorker(Unavailable):
    def __init__(self) -> None:
        super().__init__("No worker is running: videos wait in the queue. Start `worker`.")


async def _transcripts(resources: Resources) -> Part:
    """Which services are asked, and which of them is left alone just now, and why."""
    settings = resources.settings
    supadata = settings.supadata_api_key is not None and "supadata" in settings.transcript_providers
    try:
        async with autocommit(resources.sessions) as session:
            resting = await resting_services(session)
    except DATABASE_AWAY:
        return Part(ok=False, detail=str(DatabaseUnavailable()))
    if resting:
        whys = (f"{one.service}: {(one.failure or {}).get('detail', '')}" for one in resting)
        return Part(ok=False, detail=" ".join(whys))
    return Part(
        ok=True, detail="Supadata" if supadata else "YouTube's captions; no Supadata key is set"
    )


async def _database(resources: Resources) -> None:
    async with autocommit(resources.sessions) as session:
        await session.execute(text("SELECT 1"))


async def _worker(resources: Resources) -> None:
    async with autocommit(resources.sessions) as session:
        seen = await living_workers(session)
    if not seen:
        raise NoWorker


async def _checked(check: Awaitable[None]) -> Part:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            await check
    except DATABASE_AWAY:
        return Part(ok=False, detail=str(DatabaseUnavailable()))
    except TalkerError as error:
        return Part(ok=False, detail=str(error))
    except TimeoutError:
        return Part(ok=False, detail=f"No answer within {CHECK_TIMEOUT_S:.0f} s.")
    return Part(ok=True, detail="ok")
