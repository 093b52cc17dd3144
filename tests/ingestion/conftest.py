"""Outside services of loading, played by local servers."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import httpx
import pytest
from sqlalchemy import func, select

from ingestion.add import Added, add_file, add_sources
from ingestion.supadata import Supadata
from ingestion.youtube import YouTube
from talker.models import Base, IngestionJob, JobStep, User, Video
from talker.resources import Resources, open_resources
from talker.settings import Settings
from tests.servers import serving
from tests.supadata_server import KEY, SupadataServer
from tests.youtube_server import YouTubeServer, session_to


@dataclass
class AtSupadata:
    """The service, where it is, and our client for it, which waits a hundredth as long."""

    server: SupadataServer
    url: str
    provider: Supadata


@dataclass
class AtYouTube:
    server: YouTubeServer
    provider: YouTube


@pytest.fixture
async def supadata() -> AsyncIterator[AtSupadata]:
    server = SupadataServer()
    async with (
        serving(server.app()) as url,
        httpx.AsyncClient(
            base_url=f"{url}/v1", headers={"x-api-key": KEY}, timeout=httpx.Timeout(2)
        ) as http,
    ):
        yield AtSupadata(server, url, Supadata(http, wait_s=0.01))


@pytest.fixture
async def youtube() -> AsyncIterator[AtYouTube]:
    server = YouTubeServer()
    async with serving(server.app()) as url, httpx.AsyncClient() as http:
        provider = YouTube(http, session=lambda: session_to(url), oembed=f"{url}/oembed")
        yield AtYouTube(server, provider)


@pytest.fixture
def with_supadata(make_settings: Callable[..., Settings], supadata: AtSupadata) -> Settings:
    """Settings that load through the local Supadata alone."""
    return make_settings(
        supadata_base_url=supadata.url, supadata_api_key=KEY, transcript_providers="supadata"
    )


@pytest.fixture
async def resources(with_supadata: Settings) -> AsyncIterator[Resources]:
    async with open_resources(with_supadata) as opened:
        yield opened


async def links(
    resources: Resources, user: User, *sources: str, language: str | None = None
) -> list[Added]:
    async with resources.sessions.begin() as session:
        return await add_sources(session, user, sources, language=language)


async def file(resources: Resources, user: User, content: bytes, name: str = "talk.json") -> Added:
    async with resources.sessions.begin() as session:
        return await add_file(session, user, name, content, max_hours=12)


async def stored_video(resources: Resources, added: Added) -> Video:
    async with resources.sessions() as session:
        return await session.get_one(Video, added.video_id)


async def stored_job(resources: Resources, added: Added) -> IngestionJob:
    async with resources.sessions() as session:
        return await session.get_one(IngestionJob, added.job_id)


async def until_over(resources: Resources, added: Added) -> IngestionJob:
    """The job once it is done or failed."""
    async with asyncio.timeout(90):
        while True:
            job = await stored_job(resources, added)
            if job.status in ("done", "failed"):
                return job
            await asyncio.sleep(0.05)


async def until_step(resources: Resources, added: Added, step: JobStep) -> None:
    async with asyncio.timeout(30):
        while True:
            if (await stored_job(resources, added)).step == step:
                return
            await asyncio.sleep(0.01)


async def somebody_else(resources: Resources, email: str = "ada@example.org") -> User:
    async with resources.sessions.begin() as session:
        other = User(email=email)
        session.add(other)
    return other


async def count(resources: Resources, table: type[Base]) -> int:
    async with resources.sessions() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


def environment(resources: Resources) -> dict[str, str]:
    """The test's settings as a program of its own reads them."""
    settings = resources.settings
    key = settings.qdrant_api_key
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": settings.database_url,
        "QDRANT_URL": settings.qdrant_url,
        "QDRANT_API_KEY": key.get_secret_value() if key else "",
        "DATA_DIR": str(settings.data_dir),
        "SUPADATA_BASE_URL": settings.supadata_base_url,
        "SUPADATA_API_KEY": KEY,
        "TRANSCRIPT_PROVIDERS": "supadata",
    }
