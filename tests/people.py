"""People with accounts, and the app that has them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import update

from talker.embedded import ServerUrls
from talker.models import User
from talker.settings import Settings
from tests.conftest import App, new_database, plain_http, running

PASSWORD = "correct horse battery"
SECRET = "a secret of the tests' own"


@asynccontextmanager
async def accounts_app(
    embedded: ServerUrls, data_dir: Path, **changes: object
) -> AsyncIterator[App]:
    """The app with AUTH=accounts on a database of its own; its client is nobody's."""
    with new_database(embedded) as url:
        async with running(with_accounts(embedded, data_dir, url, **changes)) as app:
            yield app


def with_accounts(
    embedded: ServerUrls, data_dir: Path, database_url: str, **changes: object
) -> Settings:
    values: dict[str, object] = {
        "auth": "accounts",
        "secret_key": SECRET,
        "database_url": database_url,
        "qdrant_url": embedded.qdrant_url,
        "qdrant_api_key": embedded.qdrant_api_key,
        "data_dir": data_dir,
        "youtube_proxy": "http://127.0.0.1:9",
        **changes,
    }
    return Settings(_env_file=None, **values)  # type: ignore[arg-type]


async def register(app: App, email: str, **values: Any) -> httpx.Response:
    body = {"email": email, "password": PASSWORD, **values}
    return await app.http.post("/api/auth/register", json=body)


async def log_in(http: httpx.AsyncClient, email: str, password: str = PASSWORD) -> httpx.Response:
    return await http.post("/api/auth/login", json={"email": email, "password": password})


def browser(app: App, **options: Any) -> httpx.AsyncClient:
    """A client with cookies of its own."""
    return plain_http(app.url, timeout=60, **options)


@asynccontextmanager
async def member(app: App, email: str, *, admin: bool = False) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who just registered and logged in."""
    assert (await register(app, email)).status_code == 201
    if admin:
        async with app.resources.sessions.begin() as session:
            await session.execute(update(User).where(User.email == email).values(role="admin"))
    async with browser(app) as http:
        assert (await log_in(http, email)).status_code == 200
        yield http


async def make_key(http: httpx.AsyncClient, **values: Any) -> str:
    answer = await http.post("/api/keys", json={"name": "a program", **values})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["key"])


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def cookie_header(http: httpx.AsyncClient) -> dict[str, str]:
    """A client's cookies, for a socket."""
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in http.cookies.items())}


def error_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]
