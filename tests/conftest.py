"""What tests run on: embedded servers for the whole run, a database of its own for each test."""

import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import pytest_asyncio
from sqlalchemy import select

from api.app import create_app
from api.runs import Runs
from talker.database import migrate
from talker.embedded import ServerUrls, servers
from talker.metrics import Metrics
from talker.models import LOCAL_USER_EMAIL, User
from talker.resources import Resources, open_resources
from talker.settings import Settings
from tests.databases import TEMPLATE, Databases, of_database
from tests.model_server import ModelServer
from tests.servers import serving

MakeSettings = Callable[..., Settings]


@pytest.fixture(scope="session", autouse=True)
def _clean_environment() -> None:
    """Settings of the machine that runs the tests must not reach them."""
    for name in Settings.model_fields:
        os.environ.pop(name.upper(), None)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def embedded() -> AsyncIterator[ServerUrls]:
    """The embedded servers, shared by all tests, and a migrated database to copy.

    In a folder of its own: another run of pytest closes and clears pytest's.
    """
    with tempfile.TemporaryDirectory(prefix="talker-tests-") as data_dir:
        async with servers(Settings(_env_file=None, data_dir=Path(data_dir))) as urls:
            with psycopg.connect(urls.database_url, autocommit=True) as connection:
                # No test's data outlives the machine: making a database takes a tenth of the time.
                for setting in ("fsync", "full_page_writes", "synchronous_commit", "autovacuum"):
                    connection.execute(f"ALTER SYSTEM SET {setting} = off")
                connection.execute("SELECT pg_reload_conf()")
                connection.execute(f"CREATE DATABASE {TEMPLATE}")
            await migrate(of_database(urls.database_url, TEMPLATE))
            yield urls


@cache
def databases(url: str) -> Databases:
    return Databases(url)


@contextmanager
def new_database(embedded: ServerUrls) -> Iterator[str]:
    """A migrated database of its own, as another server would have."""
    with databases(embedded.database_url).new() as url:
        yield url


@pytest.fixture
def database_url(embedded: ServerUrls) -> Iterator[str]:
    """A database as the migrations leave it, for one test."""
    with new_database(embedded) as url:
        yield url


@pytest.fixture
def make_settings(
    embedded: ServerUrls, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Settings]:
    """Settings on the test's own database and the shared servers; keywords change them."""

    def make(**changes: object) -> Settings:
        values: dict[str, object] = {
            "database_url": database_url,
            "qdrant_url": embedded.qdrant_url,
            "qdrant_api_key": embedded.qdrant_api_key,
            "data_dir": tmp_path_factory.getbasetemp(),
            # Nobody listens there: what a test forgot to point elsewhere reaches no YouTube.
            "youtube_proxy": "http://127.0.0.1:9",
        }
        return Settings(_env_file=None, **{**values, **changes})  # type: ignore[arg-type]

    return make


@pytest.fixture
def settings(make_settings: Callable[..., Settings]) -> Settings:
    return make_settings()


@pytest.fixture
async def resources(settings: Settings) -> AsyncIterator[Resources]:
    async with open_resources(settings) as opened:
        yield opened


@pytest.fixture
async def user(resources: Resources) -> User:
    return await local_user(resources)


async def local_user(resources: Resources) -> User:
    """The one person of AUTH=local."""
    async with resources.sessions() as session:
        query = select(User).where(User.email == LOCAL_USER_EMAIL)
        return (await session.scalars(query)).one()


@dataclass
class App:
    """The real app behind a real port: `http` is a client for it, `url` its address."""

    url: str
    http: httpx.AsyncClient
    resources: Resources
    runs: Runs


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[App]:
    """The app without a chat model."""
    async with running(settings) as opened:
        yield opened


@pytest.fixture
async def client(app: App) -> httpx.AsyncClient:
    return app.http


@pytest.fixture
async def app_url(app: App) -> str:
    return app.url


@pytest.fixture
async def model_server() -> AsyncIterator[tuple[ModelServer, str]]:
    """A model service that answers from its passages; its base URL is the second value."""
    server = ModelServer()
    async with serving(server.app()) as url:
        yield server, f"{url}/v1"


@pytest.fixture
async def chat_app(
    make_settings: Callable[..., Settings], model_server: tuple[ModelServer, str]
) -> AsyncIterator[App]:
    """The app with a chat model: `model_server`."""
    settings = make_settings(
        openrouter_base_url=model_server[1],
        chat_models=("test/first", "test/second"),
        router_model="test/router",
        model_timeout_s=5,
    )
    async with running(settings) as opened:
        yield opened


def plain_http(url: str, **options: Any) -> httpx.AsyncClient:
    """A client for what speaks no TLS: reading the certificates takes longer than a request."""
    return httpx.AsyncClient(base_url=url, verify=False, **options)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[App]:
    """The app on a free port."""
    app = create_app(settings)
    async with serving(app) as url, plain_http(url, timeout=30) as http:
        yield App(url=url, http=http, resources=app.state.resources, runs=app.state.runs)
        assert undocumented(app.state.resources.metrics) == []


def undocumented(metrics: Metrics) -> list[str]:
    """The answers that were given to anybody and are not in the OpenAPI document."""
    known = documented_answers()
    requests = [
        one.labels
        for family in metrics.registry.collect()
        for one in family.samples
        if one.name == "talker_http_requests_total"
    ]
    return [
        f"{labels['method']} {labels['route']}: {labels['status']}"
        for labels in requests
        if (labels["method"], labels["route"]) in known
        and labels["status"] not in known[labels["method"], labels["route"]]
    ]


@cache
def documented_answers() -> dict[tuple[str, str], set[str]]:
    """Statuses by method and path."""
    document = create_app(Settings(_env_file=None)).openapi()
    return {
        (method.upper(), path): set(operation["responses"])
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
