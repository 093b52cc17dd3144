"""Outside services of loading, played by local servers."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from ingestion.supadata import Supadata
from ingestion.youtube import YouTube
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
