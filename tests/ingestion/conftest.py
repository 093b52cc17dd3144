"""Outside services of loading, played by local servers."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from ingestion.add import add_file, add_found
from ingestion.listing import find_videos
from ingestion.provider import Resting
from ingestion.services import open_services
from ingestion.supadata import Supadata
from ingestion.wishes import Added, Wishes
from ingestion.worker import working
from ingestion.youtube import YouTube
from talker.errors import LoadingFailed
from talker.models import Base, IngestionJob, JobStep, User, Video
from talker.resources import Resources, open_resources
from talker.settings import Settings
from tests.servers import serving
from tests.supadata_server import KEY, SupadataServer
from tests.youtube_server import YouTubeServer, session_to


@dataclass
class OpenGate:
    """Lets everybody in at once, unless it is `closed`, and keeps what is reported."""

    reports: list[LoadingFailed | None] = field(default_factory=list)
    entered: int = 0
    closed: Resting | None = None

    async def enter(self) -> None:
        if self.closed is not None:
            raise self.closed
        self.entered += 1

    async def leave(self) -> None:
        self.entered -= 1

    async def report(self, failure: LoadingFailed | None) -> None:
        self.reports.append(failure)

    def reasons(self) -> list[str | None]:
        return [failure.reason if failure else None for failure in self.reports]


@dataclass
class NotedErrand:
    """Keeps what is charged, and the job to remember, as a row in Postgres does."""

    service_job: Mapping[str, Any] | None = None
    charges: list[tuple[str, str, int]] = field(default_factory=list)

    async def charge(self, service: str, request: str, amount: int) -> None:
        self.charges.append((service, request, amount))

    async def remember(self, service_job: Mapping[str, Any] | None) -> None:
        self.service_job = service_job

    @property
    def spent(self) -> int:
        return sum(amount for _, _, amount in self.charges)


@dataclass
class AtSupadata:
    """The service, where it is, and our client for it, which waits a hundredth as long."""

    server: SupadataServer
    url: str
    provider: Supadata
    gate: OpenGate
    errand: NotedErrand = field(default_factory=NotedErrand)


@dataclass
class AtYouTube:
    server: YouTubeServer
    provider: YouTube
    gate: OpenGate
    errand: NotedErrand = field(default_factory=NotedErrand)


@pytest.fixture
async def supadata() -> AsyncIterator[AtSupadata]:
    server = SupadataServer()
    async with (
        serving(server.app()) as url,
        httpx.AsyncClient(
            base_url=f"{url}/v1", headers={"x-api-key": KEY}, timeout=httpx.Timeout(2)
        ) as http,
    ):
        gate = OpenGate()
        yield AtSupadata(server, url, Supadata(http, gate, wait_s=0.01), gate)


@pytest.fixture
async def youtube() -> AsyncIterator[AtYouTube]:
    server = YouTubeServer()
    async with serving(server.app()) as url, httpx.AsyncClient() as http:
        gate = OpenGate()
        provider = YouTube(
            http,
            gate,
            session=lambda: session_to(url),
            oembed=f"{url}/oembed",
            lister=(sys.executable, "-m", "tests.youtube_lister", url),
        )
        yield AtYouTube(server, provider, gate)


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


@asynccontextmanager
async def at_work(resources: Resources) -> AsyncIterator[None]:
    """A worker beside the test, with the services that the settings name."""
    async with open_services(resources) as services, working(resources, services):
        yield


async def links(
    resources: Resources, user: User, *sources: str, limit: int | None = None, **wishes: Any
) -> list[Added]:
    """Add what links name, as a person or `ingest` does; one answer for each of them."""
    async with open_services(resources) as services:
        found = await find_videos(resources, services, user.id, sources, limit=limit)
    async with resources.sessions.begin() as session:
        return await add_found(session, user, found, Wishes(**wishes))


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
