"""The first administrator and the first videos of a new server."""

import asyncio
import os
import sys
from pathlib import Path

from sqlalchemy import select

from talker.models import OneTimeLink, User
from talker.settings import Settings
from tests import make
from tests.conftest import MakeSettings, running
from tests.deployment.caddy import ROOT
from tests.people import PASSWORD, SECRET, log_in

ADMIN = "first@example.org"


async def seed(settings: Settings, *arguments: str | Path, said: str = "") -> tuple[int, str]:
    assert settings.qdrant_api_key
    env = {
        "AUTH": "accounts",
        "SECRET_KEY": SECRET,
        "DATABASE_URL": settings.database_url,
        "QDRANT_URL": settings.qdrant_url,
        "QDRANT_API_KEY": settings.qdrant_api_key.get_secret_value(),
        "DATA_DIR": str(settings.data_dir),
        "PUBLIC_URL": "https://talk.example.org",
        "YOUTUBE_PROXY": "http://127.0.0.1:9",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, ROOT / "scripts" / "seed_production.py", "--admin", ADMIN, *arguments),
        env={**os.environ, **env},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate(said.encode())
    assert process.returncode is not None
    return process.returncode, out.decode()


async def test_a_new_server_has_an_administrator_with_the_sample_however_often_it_is_seeded(
    make_settings: MakeSettings,
) -> None:
    settings = make_settings(auth="accounts", secret_key=SECRET)
    code, out = await seed(settings)
    assert code == 0, out
    assert "https://talk.example.org/login#reset=" in out
    code, out = await seed(settings)
    assert code == 0, out
    assert "is an administrator already" in out
    assert "#reset=" not in out
    async with running(settings) as app, app.resources.sessions() as session:
        users = await session.scalars(select(User).where(User.email == ADMIN))
        assert [user.role for user in users] == ["admin"]
        assert len(list(await session.scalars(select(OneTimeLink)))) == 1


async def test_it_loads_what_is_given_and_the_password_lets_the_administrator_in(
    make_settings: MakeSettings, tmp_path: Path
) -> None:
    settings = make_settings(auth="accounts", secret_key=SECRET)
    talk = tmp_path / "ocean.json"
    talk.write_bytes(make.captions(make.OCEAN, title="The ocean"))
    code, out = await seed(settings, talk, said=f"{PASSWORD}\n")
    assert code == 0, out
    code, out = await seed(settings, talk, said="another password than before\n")
    assert code == 0, out
    async with running(settings) as app:
        assert (await log_in(app.http, ADMIN)).status_code == 200
        videos = (await app.http.get("/api/videos")).json()
    assert [video["title"] for video in videos["items"]] == ["The ocean"]
