"""The first administrator, and the `admin` command."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from api.accounts.service import open_accounts
from api.accounts.setup import make_setup_link
from ingestion.batch import WhoseLibrary, find_user
from talker.embedded import ServerUrls
from talker.models import LOCAL_USER_EMAIL, User
from talker.resources import Resources
from tests import make
from tests.conftest import App
from tests.forks import start
from tests.people import PASSWORD, SECRET, accounts_app, browser, error_of, log_in, register
from tests.programs import Programs


def environment(resources: Resources, **changes: str) -> dict[str, str]:
    """The test's servers, with accounts, as a program of its own reads them."""
    settings = resources.settings
    key = settings.qdrant_api_key
    return {
        "PATH": os.environ["PATH"],
        "AUTH": "accounts",
        "SECRET_KEY": SECRET,
        "DATABASE_URL": settings.database_url,
        "QDRANT_URL": settings.qdrant_url,
        "QDRANT_API_KEY": key.get_secret_value() if key else "",
        "DATA_DIR": str(settings.data_dir),
        **changes,
    }


async def program(
    resources: Resources, name: str, *arguments: str, stdin: str = "", **changes: str
) -> tuple[int, str]:
    """Exit code, and all that was printed."""
    process = await start(
        name,
        *arguments,
        env=environment(resources, **changes),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(120):
        out, _ = await process.communicate(stdin.encode())
    assert process.returncode is not None
    return process.returncode, out.decode().strip()


async def test_the_first_administrator_takes_over_what_there_was_without_accounts(
    resources: Resources, user: User
) -> None:
    await make.video(resources, user, title="From before")
    code, said = await program(resources, "admin", "create-admin", "Boss@example.org", stdin="x\n")
    assert (code, said) == (2, "A password has at least 12 characters.")
    code, said = await program(
        resources, "admin", "create-admin", "Boss@example.org", stdin=f"{PASSWORD}\n", AUTH="local"
    )
    assert (code, said) == (0, "Boss@example.org is an administrator.")
    code, said = await program(resources, "admin", "users", "--json")
    shown = json.loads(said)
    assert (shown["email"], shown["role"], shown["videos"]) == ("boss@example.org", "admin", 1)
    code, said = await program(resources, "ingest", "status", "--user", "boss@example.org")
    assert (code, said.split(",")[0]) == (0, "1 ready")
    accounts = resources.settings.model_copy(update={"auth": "accounts"})
    with pytest.raises(WhoseLibrary):
        await find_user(replace(resources, settings=accounts), LOCAL_USER_EMAIL)


async def test_the_command_refuses_what_the_pages_refuse_and_writes_down_what_it_does(
    resources: Resources,
) -> None:
    code, said = await program(resources, "admin", "create-admin", "boss@example.org")
    assert code == 0
    assert "http://127.0.0.1:8000/login#reset=" in said
    code, said = await program(resources, "admin", "disable", "boss@example.org")
    assert (code, said.split(".")[0]) == (1, "This is the last administrator")
    code, said = await program(resources, "admin", "reset", "nobody@example.org")
    assert (code, said) == (2, "There is no user nobody@example.org.")
    code, said = await program(resources, "admin", "invite", "--admin", SECRET_KEY="")
    assert code == 2
    assert "SECRET_KEY must be set" in said
    code, said = await program(resources, "admin", "invite", "guest@example.org")
    assert said.startswith("http://127.0.0.1:8000/register#invite=")
    code, said = await program(resources, "admin", "audit")
    assert [line.split("  ")[1:4] for line in said.splitlines()] == [
        ["command line", "invite", "guest@example.org"],
        ["command line", "create_admin", "boss@example.org"],
    ]


async def test_the_app_prints_a_link_for_its_first_administrator(
    resources: Resources,
) -> None:
    settings = environment(resources, PORT="0")
    async with Programs(settings) as programs:
        process, url = await programs.app()
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode()
        address, _, token = line.split()[-1].partition("#invite=")
        assert address == f"{url}/register"
        async with httpx.AsyncClient(base_url=url, timeout=60) as http:
            body = {"email": "first@example.org", "password": PASSWORD, "invite": token}
            made = await http.post("/api/auth/register", json=body)
            assert (made.status_code, made.json()["role"]) == (201, "admin")
            assert (await log_in(http, "first@example.org")).status_code == 200
            assert (await http.get("/api/admin/users")).json()["total"] == 1


@asynccontextmanager
async def over_https(app: App, email: str) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody logged in whose browser sends a Secure cookie, as it does over HTTPS."""
    async with browser(app) as http:
        cookie = (await log_in(http, email)).headers["set-cookie"]
        assert "secure" in cookie.lower()
        http.headers["Cookie"] = cookie.partition(";")[0]
        yield http


async def test_the_first_administrators_link_works_once_and_the_last_stays_one(
    embedded: ServerUrls, tmp_path: Path
) -> None:
    async with accounts_app(embedded, tmp_path, environment="production") as app:
        link = await make_setup_link(app.resources, open_accounts(app.resources.settings))
        assert link is not None
        token = link.url("").partition("=")[2]
        made = await register(app, "first@example.org", invite=token)
        assert made.json()["role"] == "admin"
        again = await register(app, "second@example.org", invite=token)
        assert error_of(again) == (400, "link_used_up")
        async with over_https(app, "first@example.org") as http:
            path = f"/api/admin/users/{made.json()['id']}"
            for change in ({"role": "user"}, {"active": False}):
                assert error_of(await http.patch(path, json=change)) == (409, "last_admin")
            assert error_of(await http.delete(path)) == (409, "last_admin")
            assert (await http.get("/api/agent/playground/")).status_code == 200
        await register(app, "second@example.org")
        async with over_https(app, "second@example.org") as http:
            for closed in ("playground/", "input_schema"):
                answer = await http.get(f"/api/agent/{closed}")
                assert error_of(answer) == (403, "playground_closed")
