"""What Prometheus reads, from real processes."""

import asyncio
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from talker.embedded import ServerUrls
from talker.resources import Resources
from tests import make
from tests.api.test_admin import environment
from tests.conftest import App, running
from tests.journeys.test_outages import MakeSettings, behind_relay, port_of
from tests.people import accounts_app, bearer, error_of, make_key, member, with_accounts
from tests.programs import Programs
from tests.relay import relay_to


async def figures(http: httpx.AsyncClient, **options: object) -> dict[str, list[dict[str, str]]]:
    """The samples by name: their labels, and the value as the label `value`."""
    answer = await http.get("/api/metrics", **options)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    found: dict[str, list[dict[str, str]]] = {}
    for family in text_string_to_metric_families(answer.text):
        for one in family.samples:
            found.setdefault(one.name, []).append({**one.labels, "value": str(one.value)})
    return found


def total(found: dict[str, list[dict[str, str]]], name: str, **labels: str) -> float:
    return sum(float(one["value"]) for one in found[name] if labels.items() <= one.items())


async def test_an_answer_is_counted_with_its_time_tokens_and_cost(chat_app: App) -> None:
    await make.upload(chat_app.http, make.captions(make.OCEAN))
    talk = await make.conversation(chat_app.http)
    await make.ask(chat_app.http, talk, "How deep did the deepest dive go?")
    found = await figures(chat_app.http)
    assert total(found, "talker_answers_total", intent="answer", status="complete") == 1
    assert total(found, "talker_answer_first_token_seconds_count", intent="answer") == 1
    assert total(found, "talker_answer_seconds_sum", intent="answer") > 0
    assert total(found, "talker_model_calls_total", model="test/first", error="none") >= 1
    for kind in ("input", "output"):
        assert total(found, "talker_model_tokens_total", kind=kind) > 0
    assert total(found, "talker_model_cost_usd_total") > 0
    assert total(found, "talker_videos_loaded_total") == 1
    steps = {one["step"] for one in found["talker_ingestion_step_seconds_count"]}
    assert {"chunk", "embed", "index"} <= steps
    assert total(found, "talker_videos", status="ready") == 1
    assert total(found, "talker_jobs", status="done") == 1
    assert total(found, "talker_workers") >= 1
    assert total(found, "talker_database_up") == 1
    assert {one["pool"] for one in found["talker_pool_in_use"]} == {"rows", "checkpoints"}
    assert total(found, "talker_running_answers") == 0
    asked = {"method": "POST", "route": "/api/conversations/{conversation_id}/ask", "status": "200"}
    assert total(found, "talker_http_requests_total", **asked) == 1


async def test_failures_are_counted_by_type_and_no_label_holds_a_word_of_anybody(
    app: App,
) -> None:
    await app.http.post("/api/videos", json={"url": "dQw4w9WgXcQ"})
    async with asyncio.timeout(180):
        while not (await app.http.get("/api/jobs")).json()["items"][0]["failure"]:
            await asyncio.sleep(0.2)
    for path in ("/api/search?q=anglerfish", "/anglerfish/anglerfish", "/api/anglerfish"):
        await app.http.get(path)
    found = await figures(app.http)
    assert {one["reason"] for one in found["talker_ingestion_failures_total"]} == {"provider_down"}
    assert total(found, "talker_http_requests_total", route="none", status="404") == 2
    text = (await app.http.get("/api/metrics")).text
    assert "anglerfish" not in text
    assert "dQw4w9WgXcQ" not in text


async def test_figures_are_for_administrators_and_their_keys(
    embedded: ServerUrls, tmp_path: Path
) -> None:
    async with accounts_app(embedded, tmp_path) as app:
        assert error_of(await app.http.get("/api/metrics")) == (401, "not_logged_in")
        async with member(app, "user@example.org") as http:
            assert error_of(await http.get("/api/metrics")) == (403, "admins_only")
        async with member(app, "boss@example.org", admin=True) as http:
            key = await make_key(http, scope="read")
            found = await figures(app.http, headers=bearer(key))
            assert total(found, "talker_users", role="admin") == 1
            assert total(found, "talker_users", role="user") == 1


async def test_while_postgres_is_away_who_got_figures_before_gets_those_of_the_process(
    embedded: ServerUrls, database_url: str, tmp_path: Path
) -> None:
    async with relay_to(port_of(database_url)) as relay:
        through = database_url.replace(f":{relay.target_port}", f":{relay.port}")
        async with (
            running(with_accounts(embedded, tmp_path, through)) as app,
            member(app, "boss@example.org", admin=True) as boss,
            member(app, "user@example.org") as user,
        ):
            watching, idle = [bearer(await make_key(boss, scope="read")) for _ in range(2)]
            assert total(await figures(app.http, headers=watching), "talker_database_up") == 1
            await user.get("/api/metrics")
            relay.sever()
            found = await figures(app.http, headers=watching)
            assert total(found, "talker_database_up") == 0
            assert total(found, "talker_open_sockets") == 0
            assert "talker_jobs" not in found
            for headers in (idle, {}, bearer("made-up")):
                refused = await app.http.get("/api/metrics", headers=headers)
                assert error_of(refused) == (503, "database_unavailable")
            assert error_of(await user.get("/api/metrics")) == (503, "database_unavailable")
            relay.mend()
            assert total(await figures(app.http, headers=watching), "talker_database_up") == 1


@pytest.mark.parametrize("outage", ["cut", "frozen"])
async def test_of_ones_own_app_the_figures_are_there_while_postgres_is_not(
    make_settings: MakeSettings, outage: str
) -> None:
    async with behind_relay(make_settings, "database_url") as (app, relay):
        await figures(app.http)
        if outage == "cut":
            relay.sever()
        else:
            relay.flowing.clear()
        assert total(await figures(app.http), "talker_database_up") == 0
        relay.flowing.set()
        relay.mend()
        async with asyncio.timeout(60):
            while total(await figures(app.http), "talker_database_up") == 0:
                await asyncio.sleep(0.2)


async def test_whichever_process_is_asked_tells_of_all_and_forgets_those_that_ended(
    resources: Resources, tmp_path: Path
) -> None:
    env = environment(resources, AUTH="local", PORT="0", DATA_DIR=str(tmp_path))
    async with Programs(env) as programs:
        (first, url), (_, second_url), worker = await asyncio.gather(
            programs.app(), programs.app(), programs.worker()
        )
        async with (
            httpx.AsyncClient(base_url=url, timeout=30) as one,
            httpx.AsyncClient(base_url=second_url, timeout=30) as two,
            asyncio.timeout(180),
        ):
            for _ in range(3):
                await one.get("/api/models")
            found = await figures(two)
            while (
                len({row["process"] for row in found["talker_open_sockets"]}) < 3
                or "talker_http_requests_total" not in found  # nobody has told of a request yet
                or total(found, "talker_http_requests_total", route="/api/models") < 3
            ):
                await asyncio.sleep(0.2)
                found = await figures(two)
            names = {row["process"].partition("-")[0] for row in found["talker_open_sockets"]}
            assert names == {"serve", "worker"}
            for process in (first, worker):
                process.terminate()
                await process.wait()
            left = {row["process"] for row in (await figures(two))["talker_open_sockets"]}
            assert len(left) == 1
