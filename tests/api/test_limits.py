"""How much one person, and one address, may do in a time; two apps stand for two processes."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, update
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from talker.embedded import ServerUrls
from talker.models import Attempts
from tests import make
from tests.conftest import App, MakeSettings, new_database, running
from tests.people import (
    SECRET,
    accounts_app,
    browser,
    cookie_header,
    error_of,
    member,
    with_accounts,
)

QUESTION = "How deep was the deepest dive?"


@asynccontextmanager
async def two_apps(
    embedded: ServerUrls, data_dir: Path, **changes: object
) -> AsyncIterator[tuple[App, App]]:
    """Two processes' worth of app on one database."""
    with new_database(embedded) as url:
        settings = with_accounts(embedded, data_dir, url, **changes)
        async with running(settings) as first, running(settings) as second:
            yield first, second


async def test_questions_are_counted_by_person_over_all_processes(
    embedded: ServerUrls, tmp_path: Path
) -> None:
    async with (
        two_apps(embedded, tmp_path, max_questions_per_minute=4) as (first, second),
        member(first, "asker@example.org") as http,
        browser(second, headers=cookie_header(http)) as elsewhere,
        member(first, "other@example.org") as other,
    ):
        talks = [await make.conversation(http) for _ in range(8)]
        asked = await asyncio.gather(
            *(
                [http, elsewhere][number % 2].post(
                    f"/api/conversations/{talk}/ask", json={"content": QUESTION}
                )
                for number, talk in enumerate(talks)
            )
        )
        assert sorted(answer.status_code for answer in asked) == [200] * 4 + [429] * 4
        refused = next(answer for answer in asked if answer.status_code == 429)
        assert error_of(refused) == (429, "too_many_requests")
        assert "4 questions a minute" in refused.json()["detail"]
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        async with socket(second, talks[0], http) as own:
            await own.send(json.dumps({"type": "ask", "content": QUESTION}))
            event = json.loads(await own.recv())
        assert (event["type"], event["error"]) == ("error", "too_many_requests")
        assert event["retryable"] is True
        assert 1 <= event["retry_after_s"] <= 60
        agent = {"input": {"messages": [{"type": "human", "content": QUESTION}]}}
        assert error_of(await http.post("/api/agent/invoke", json=agent)) == (
            429,
            "too_many_requests",
        )
        talk = await make.conversation(other)
        assert make.only(await make.ask(other, talk, QUESTION), "message")


async def test_who_was_refused_is_not_bound_longer_by_a_clock_that_is_set_back(
    make_settings: MakeSettings,
) -> None:
    settings = make_settings(auth="accounts", secret_key=SECRET, max_questions_per_minute=1)
    async with running(settings) as app, member(app, "asker@example.org") as http:
        talk = await make.conversation(http)
        assert make.only(await make.ask(http, talk, QUESTION), "message")
        path, body = f"/api/conversations/{talk}/ask", {"content": QUESTION}
        assert (await http.post(path, json=body)).status_code == 429
        async with app.resources.sessions.begin() as session:
            await session.execute(update(Attempts).values(since=func.now() + timedelta(hours=1)))
        assert (await http.post(path, json=body)).status_code == 200
        assert (await http.post(path, json=body)).status_code == 429


async def test_one_address_may_do_so_many_times_as_much_as_one_person(
    embedded: ServerUrls, tmp_path: Path
) -> None:
    async with (
        accounts_app(embedded, tmp_path, max_sources_per_hour=4, limits_per_address=2) as app,
        member(app, "one@example.org") as one,
        member(app, "two@example.org") as two,
        member(app, "three@example.org") as three,
    ):
        bad = {"urls": [f"no video {number}" for number in range(4)]}
        for http in (one, two):
            assert (await http.post("/api/videos", json=bad)).status_code == 202
        again = await one.post("/api/videos", json={"url": "no video"})
        assert "4 sources an hour" in again.json()["detail"]
        refused = await three.post("/api/videos", json={"url": "no video"})
        assert error_of(refused) == (429, "too_many_requests")
        assert "8 sources an hour from one address" in refused.json()["detail"]
        assert " minutes" in refused.json()["detail"]


async def test_uploads_are_counted_and_zero_sets_no_bound(
    embedded: ServerUrls, tmp_path: Path
) -> None:
    async with (
        accounts_app(embedded, tmp_path, max_uploads_per_hour=1, max_sources_per_hour=0) as app,
        member(app, "files@example.org") as http,
    ):
        file = {"file": ("talk.json", make.captions(make.BREAD))}
        assert (await http.post("/api/videos/upload", files=file)).status_code == 202
        refused = await http.post("/api/videos/upload", files=file)
        assert error_of(refused) == (429, "too_many_requests")
        for _ in range(3):
            answer = await http.post("/api/videos", json={"urls": ["no video"] * 1_000})
            assert answer.status_code == 202


async def test_requests_are_counted_by_person_over_all_processes(
    embedded: ServerUrls, tmp_path: Path
) -> None:
    async with (
        two_apps(embedded, tmp_path, max_requests_per_minute=40) as (first, second),
        member(first, "clicks@example.org") as http,
        browser(second, headers=cookie_header(http)) as elsewhere,
    ):
        await until_early_in_a_minute()
        for _ in range(40):
            assert (await http.get("/api/models")).status_code == 200
        refused = await http.get("/api/models")
        assert error_of(refused) == (429, "too_many_requests")
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        await asyncio.sleep(1.5)  # until the other process was told
        answers = [await elsewhere.get("/api/models") for _ in range(2)]
        await asyncio.sleep(1.5)
        answers.append(await elsewhere.get("/api/models"))
        assert answers[-1].status_code == 429
        assert (await http.get("/api/health")).status_code == 200


async def test_messages_that_come_too_fast_are_answered_and_the_socket_lives_on(
    embedded: ServerUrls, tmp_path: Path
) -> None:
    async with (
        accounts_app(embedded, tmp_path, max_messages_per_second=5) as app,
        member(app, "fast@example.org") as http,
    ):
        talk = await make.conversation(http)
        async with socket(app, talk, http) as own:
            began = time.monotonic()
            for _ in range(40):
                await own.send('{"type": "nonsense"}')
            errors = [json.loads(await own.recv())["error"] for _ in range(40)]
            assert set(errors) == {"bad_message", "too_many_requests"}
            assert errors.count("bad_message") <= 5 * (time.monotonic() - began + 2)
            await asyncio.sleep(1.1)
            await own.send(json.dumps({"type": "ask", "content": QUESTION}))
            assert json.loads(await own.recv())["type"] == "started"


async def test_open_sockets_are_counted_over_all_processes_and_closed_ones_are_not(
    embedded: ServerUrls, tmp_path: Path
) -> None:
    async with (
        two_apps(embedded, tmp_path, max_sockets=4) as (first, second),
        member(first, "open@example.org") as http,
    ):
        talk = await make.conversation(http)
        async with AsyncExitStack() as stack:
            opened = [
                await stack.enter_async_context(socket(app, talk, http))
                for app in (first, second, first, second)
            ]
            for app in (first, second):
                with pytest.raises(InvalidStatus) as refusal:
                    await stack.enter_async_context(socket(app, talk, http))
                assert refusal.value.response.status_code == 429
                assert refusal.value.response.headers["retry-after"]
            await opened[1].close()
            async with asyncio.timeout(20):
                while not await opens(first, talk, http):
                    await asyncio.sleep(0.2)


async def test_one_person_alone_is_not_limited(make_settings: MakeSettings) -> None:
    async with running(make_settings(max_requests_per_minute=1, max_uploads_per_hour=1)) as app:
        for _ in range(3):
            file = {"file": ("talk.json", make.captions(make.BREAD))}
            assert (await app.http.post("/api/videos/upload", files=file)).status_code == 202


def socket(app: App, talk: str, http: httpx.AsyncClient) -> connect:
    url = f"{app.url.replace('http', 'ws')}/api/chat/{talk}"
    return connect(url, additional_headers=cookie_header(http))


async def opens(app: App, talk: str, http: httpx.AsyncClient) -> bool:
    try:
        async with socket(app, talk, http):
            return True
    except InvalidStatus:
        return False


async def until_early_in_a_minute() -> None:
    while time.time() % 60 > 30:
        await asyncio.sleep(0.5)
