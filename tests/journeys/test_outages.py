from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from talker.database import migrate
from talker.embedded import ServerUrls
from talker.errors import DatabaseUnavailable
from talker.settings import Settings
from tests import make
from tests.conftest import App, running
from tests.relay import Relay, relay_to

MakeSettings = Callable[..., Settings]


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


@asynccontextmanager
async def behind_relay(make_settings: MakeSettings, name: str) -> AsyncIterator[tuple[App, Relay]]:
    """The app, reaching the server of the setting `name` through a relay."""
    url = str(getattr(make_settings(), name))
    async with relay_to(port_of(url)) as relay:
        through = url.replace(f":{port_of(url)}", f":{relay.port}")
        async with running(make_settings(**{name: through})) as app:
            yield app, relay


async def test_while_qdrant_is_away_asking_says_so_and_afterwards_it_works(
    make_settings: MakeSettings,
) -> None:
    async with behind_relay(make_settings, "qdrant_url") as (app, relay):
        await make.upload(app.http, make.captions(make.OCEAN))
        talk = await make.conversation(app.http)
        relay.sever()
        events = await make.ask(app.http, talk, "How deep was the deepest dive?")
        error = make.only(events, "error")
        assert (error["error"], error["retryable"]) == ("index_unavailable", True)
        found = await app.http.get("/api/search", params={"q": "dive"})
        assert (found.status_code, found.json()["error"]) == (503, "index_unavailable")
        ready = await app.http.get("/api/health/ready")
        assert (ready.status_code, ready.json()["index"]["ok"]) == (503, False)
        assert ready.json()["database"]["ok"]
        relay.mend()
        again = await make.ask(app.http, talk, "How deep was the deepest dive?")
        assert make.only(again, "message")["citations"]
        assert (await app.http.get("/api/health/ready")).status_code == 200


async def test_while_postgres_is_away_requests_say_so_and_afterwards_they_work(
    make_settings: MakeSettings,
) -> None:
    async with behind_relay(make_settings, "database_url") as (app, relay):
        await make.upload(app.http, make.captions(make.OCEAN))
        talk = await make.conversation(app.http)
        relay.sever()
        listed = await app.http.get("/api/videos")
        assert (listed.status_code, listed.json()["error"]) == (503, "database_unavailable")
        asked = await app.http.post(f"/api/conversations/{talk}/ask", json={"content": "Hi"})
        assert (asked.status_code, asked.json()["error"]) == (503, "database_unavailable")
        ready = await app.http.get("/api/health/ready")
        assert (ready.status_code, ready.json()["database"]["ok"]) == (503, False)
        assert (await app.http.get("/api/health")).status_code == 200
        relay.mend()
        events = await make.ask(app.http, talk, "How deep was the deepest dive?")
        assert make.only(events, "message")["citations"]


async def test_a_video_uploaded_while_qdrant_is_away_is_ready_when_it_is_back(
    make_settings: MakeSettings,
) -> None:
    async with behind_relay(make_settings, "qdrant_url") as (app, relay):
        relay.sever()
        answer = await app.http.post(
            "/api/videos/upload", files={"file": ("talk.json", make.captions(make.OCEAN))}
        )
        assert answer.status_code == 202
        relay.mend()
        await make.until_ready(app.http, answer.json()["items"][0]["video_id"])


async def test_a_database_that_does_not_answer_stops_the_start_with_its_name(
    embedded: ServerUrls,
) -> None:
    async with relay_to(port_of(embedded.database_url)) as relay:
        relay.sever()
        url = embedded.database_url.replace(f":{relay.target_port}", f":{relay.port}")
        with pytest.raises(DatabaseUnavailable, match="Postgres"):
            await migrate(url)


async def test_a_model_that_is_away_is_named(make_settings: MakeSettings) -> None:
    settings = make_settings(openrouter_base_url="http://127.0.0.1:9/v1", chat_models=("one",))
    async with running(settings) as app:
        await make.upload(app.http, make.captions(make.OCEAN))
        talk = await make.conversation(app.http)
        events = await make.ask(app.http, talk, "How deep was the deepest dive?")
        assert make.only(events, "error")["error"] == "model_unavailable"
