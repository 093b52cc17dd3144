"""What is secret or somebody's own, looked for in all that `serve` and `worker` write."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from websockets.asyncio.client import connect

from talker.resources import Resources
from tests import make
from tests.api.test_admin import environment
from tests.people import PASSWORD, SECRET, bearer, log_in, make_key
from tests.programs import BIN, START_TIMEOUT_S, Outside, outside
from tests.relay import Relay, relay_to
from tests.supadata_server import KEY, SupadataVideo

SPOKEN = "What was said here is the captionword."
QUESTION = "Who has ever heard the questionword?"
EMAIL = "emailword@example.org"
WRONG_PASSWORD = "not quite the passwordword"
VIDEO_ID = "whisperword"
WORDS = ("captionword", "questionword", "searchword", "titleword", "nameword", "passwordword")


async def test_at_their_most_talkative_app_and_worker_tell_no_secret_and_nobodys_words(
    resources: Resources, tmp_path: Path
) -> None:
    settings = resources.settings
    log = tmp_path / "log"
    async with (
        outside() as services,
        relay_to(_port(settings.database_url)) as postgres,
        relay_to(_port(services.models_url)) as models,
    ):
        video = SupadataVideo({"en": [(0, 4_000, SPOKEN)]}, "The titleword", "Ada", 9)
        await services.supadata.stock({VIDEO_ID: video})
        env = environment(
            resources,
            **_talkative(services),
            DATABASE_URL=_through(settings.database_url, postgres),
            OPENROUTER_BASE_URL=_through(services.models_url, models),
            DATA_DIR=str(tmp_path / "data"),
        )
        async with _programs(env, log) as url:
            found = await _main_job(url, postgres, models)
    written = log.read_text()
    for event in ("answered", "video loaded", "status=failed", "status=503"):
        assert event in written, written[-4_000:]
    assert settings.qdrant_api_key is not None
    secrets = {
        "SECRET_KEY": SECRET,
        "QDRANT_API_KEY": settings.qdrant_api_key.get_secret_value(),
        "password of DATABASE_URL": urlsplit(settings.database_url).password or "",
        "SUPADATA_API_KEY": KEY,
        **{name: env[name] for name in ("OPENROUTER_API_KEY", "SMTP_PASSWORD")},
        **found,
        **{word: word for word in (EMAIL, PASSWORD, *WORDS)},
    }
    assert all(secrets.values())
    assert [name for name, secret in secrets.items() if secret in written] == []


def _talkative(services: Outside) -> dict[str, str]:
    supadata = services.settings(Path())
    return {
        **{name: value for name, value in supadata.items() if name.startswith("SUPADATA")},
        "TRANSCRIPT_PROVIDERS": "supadata",
        "OPENROUTER_API_KEY": "the key of openrouter",
        "CHAT_MODELS": "test/first",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": "9",
        "SMTP_USER": "postman",
        "SMTP_PASSWORD": "the password of the postman",
        "MAIL_FROM": "talker@example.org",
        "PUBLIC_URL": "http://127.0.0.1",
        "SERVE_WORKER": "false",
        "LOG_LEVEL": "DEBUG",
        "PORT": "0",
    }


@asynccontextmanager
async def _programs(env: dict[str, str], log: Path) -> AsyncIterator[str]:
    """The app's address; app and worker write to one log."""
    with log.open("wb") as file:
        app = await asyncio.create_subprocess_exec(
            BIN / "serve", env=env, stdout=asyncio.subprocess.PIPE, stderr=file
        )
        worker = await asyncio.create_subprocess_exec(BIN / "worker", env=env, stderr=file)
        try:
            assert app.stdout is not None
            async with asyncio.timeout(START_TIMEOUT_S):
                yield (await app.stdout.readline()).decode().split()[-1]
        finally:
            for program in (app, worker):
                program.terminate()
                await program.wait()


async def _main_job(url: str, postgres: Relay, models: Relay) -> dict[str, str]:
    """Everything that somebody does, once well and once while a part is away; and what they got
    that is for them alone."""
    async with httpx.AsyncClient(base_url=url, timeout=60, headers={"Origin": url}) as http:
        body = {"email": EMAIL, "password": PASSWORD}
        assert (await http.post("/api/auth/register", json=body)).status_code == 201
        assert (await log_in(http, EMAIL, WRONG_PASSWORD)).status_code == 401
        assert (await log_in(http, EMAIL)).status_code == 200
        await http.post("/api/auth/forgot", json={"email": EMAIL})
        key = await make_key(http, name="The nameword")
        cookie = "; ".join(f"{name}={value}" for name, value in http.cookies.items())

        await make.upload(http, make.captions([SPOKEN], title="The titleword"), "nameword.json")
        added = await http.post("/api/videos", json={"url": VIDEO_ID})
        await make.until_ready(http, added.json()["items"][0]["video_id"])
        await make.collection(http, "The nameword")
        await http.post(
            "/api/templates", json={"name": "The nameword", "body": "As a questionword"}
        )
        talk = await make.conversation(http)
        make.only(await make.ask(http, talk, QUESTION), "message")
        await _ask_over_socket(url, talk, cookie)
        await _amiss(http, talk, key)

        models.sever()
        make.only(await make.ask(http, talk, QUESTION), "error")
        models.mend()
        postgres.sever()
        await _amiss(http, talk, key)
        await asyncio.sleep(1)
        postgres.mend()
        async with asyncio.timeout(60):
            while (await http.get("/api/health/ready")).status_code != 200:
                await asyncio.sleep(0.2)
        make.only(await make.ask(http, talk, QUESTION), "message")
        return {"API key": key, "session cookie": cookie.partition("=")[2]}


async def _ask_over_socket(url: str, talk: str, cookie: str) -> None:
    headers = {"Cookie": cookie, "Origin": url}
    address = f"{url.replace('http', 'ws')}/api/chat/{talk}"
    async with connect(address, additional_headers=headers) as socket, asyncio.timeout(60):
        await socket.send(json.dumps({"type": "ask", "content": QUESTION, "model": "questionword"}))
        await socket.send(json.dumps({"type": "ask", "content": QUESTION}))
        events: list[dict[str, Any]] = []
        while not events or events[-1]["type"] != "done":
            events.append(json.loads(await socket.recv()))
    make.only(events, "message")


async def _amiss(http: httpx.AsyncClient, talk: str, key: str) -> None:
    """Requests that are refused, or end in an error while a part is away."""
    await http.get("/api/search", params={"q": "searchword"})
    await http.get("/api/searchword", params={"q": "searchword"}, headers=bearer(key))
    await http.get("/api/search", params={"q": "searchword", "limit": "nameword"})
    await http.post(f"/api/conversations/{talk}/ask", json={"content": QUESTION, "nameword": 1})
    await http.post(f"/api/conversations/{talk}/ask", json={"content": QUESTION})
    await http.patch(f"/api/conversations/{talk}", json={"title": "The titleword"})
    await http.post("/api/videos/upload", files={"file": ("nameword.json", b"captionword")})
    await http.post("/api/videos", json={"url": "https://example.org/nameword"})


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


def _through(url: str, relay: Relay) -> str:
    return url.replace(f":{relay.target_port}", f":{relay.port}")
