"""The app behind the real Caddy: what people and programs get of it."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio
import websockets
from websockets.typing import Origin

from talker.embedded import ServerUrls
from talker.settings import Settings
from tests import make
from tests.api.test_runs import QUESTION, receive_until, send
from tests.conftest import App, new_database, running
from tests.deployment.caddy import BUILT, CADDYFILE, Caddy, caddy, run_caddy
from tests.model_server import ModelServer
from tests.people import PASSWORD, accounts_app
from tests.servers import serving

WORDS = " ".join(f"word{n}" for n in range(30))
WORD_S = 0.05


@dataclass
class Site:
    """`http` and `url` lead through Caddy; `app` is what stands behind it."""

    caddy: Caddy
    app: App
    model: ModelServer
    http: httpx.AsyncClient

    @property
    def url(self) -> str:
        return self.caddy.url

    def socket_url(self, talk: str) -> str:
        return f"{self.url.replace('http', 'ws', 1)}/api/chat/{talk}"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(
    embedded: ServerUrls, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    """An app with a model and a loaded talk, behind Caddy."""
    model = ModelServer()
    folder = tmp_path_factory.mktemp("caddy")
    with new_database(embedded) as database_url:
        async with serving(model.app()) as models:
            settings = Settings(
                _env_file=None,
                database_url=database_url,
                qdrant_url=embedded.qdrant_url,
                qdrant_api_key=embedded.qdrant_api_key,
                data_dir=folder,
                openrouter_base_url=f"{models}/v1",
                chat_models=("test/first",),
                youtube_proxy="http://127.0.0.1:9",
            )
            async with running(settings) as app, caddy(folder, [app.url]) as proxy:
                await make.upload(app.http, make.captions(make.OCEAN))
                async with httpx.AsyncClient(base_url=proxy.url, timeout=60) as http:
                    yield Site(proxy, app, model, http)


def hashed_script() -> str:
    return (
        f"/_astro/{max((BUILT / '_astro').glob('*.js'), key=lambda one: one.stat().st_size).name}"
    )


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("/", "index.html"),
        ("/c/2b7c", "c/index.html"),
        ("/v/2b7c?t=60&view=summary", "v/index.html"),
        ("/settings", "settings/index.html"),
        ("/login", "login/index.html"),
        ("/register", "register/index.html"),
    ],
)
async def test_an_address_leads_to_its_page_without_a_detour(
    site: Site, path: str, file: str
) -> None:
    page = await site.http.get(path)
    assert page.status_code == 200
    assert page.content == (BUILT / file).read_bytes()
    assert page.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/nothing", "/c/one/two", "/_astro/gone.js", "/Caddyfile"])
async def test_what_is_not_there_is_not_found_and_not_kept(site: Site, path: str) -> None:
    page = await site.http.get(path)
    assert page.status_code == 404
    assert page.headers["cache-control"] == "no-store"
    assert "<a href" in page.text


@pytest.mark.parametrize("path", ["/", "/c/one", "/nothing", "/api/health", "/api/nothing"])
async def test_every_answer_has_the_headers_that_protect_a_page(site: Site, path: str) -> None:
    headers = (await site.http.get(path)).headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    # The pages' own policy has the hashes of their scripts; a second one would forbid them.
    assert "default-src" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "strict-origin-when-cross-origin"
    assert "server" not in headers


async def test_the_playground_keeps_the_policy_that_its_inline_script_needs(site: Site) -> None:
    page = await site.http.get("/api/agent/playground/")
    assert page.status_code == 200
    assert "script-src 'self' 'unsafe-inline'" in page.headers["content-security-policy"]


@pytest.mark.parametrize("coding", ["zstd", "gzip"])
async def test_pages_scripts_and_answers_are_compressed(site: Site, coding: str) -> None:
    for path in ("/", hashed_script(), "/api/openapi.json"):
        async with site.http.stream("GET", path, headers={"Accept-Encoding": coding}) as answer:
            packed = sum([len(piece) async for piece in answer.aiter_raw()])
        assert answer.headers["content-encoding"] == coding, path
        whole = await site.http.get(path, headers={"Accept-Encoding": "identity"})
        assert packed < 0.6 * len(whole.content), path


async def test_pages_and_scripts_come_as_small_as_the_build_made_them(site: Site) -> None:
    for path in ("/", hashed_script()):
        asked = {"Accept-Encoding": "gzip, deflate, br, zstd"}
        async with site.http.stream("GET", path, headers=asked) as answer:
            packed = b"".join([piece async for piece in answer.aiter_raw()])
        assert answer.headers["content-encoding"] == "br", path
        assert packed == (BUILT / f"{path.strip('/') or 'index.html'}.br").read_bytes()


async def test_what_has_a_hash_in_its_name_is_kept_for_ever(site: Site) -> None:
    script = await site.http.get(hashed_script())
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_the_apis_errors_come_through_unchanged(site: Site) -> None:
    direct = await site.app.http.get("/api/videos/not-an-id")
    through = await site.http.get("/api/videos/not-an-id")
    assert through.status_code == direct.status_code == 422
    assert through.json() == direct.json()


async def test_docs_leads_to_the_apis_own_pages(site: Site) -> None:
    page = await site.http.get("/docs", follow_redirects=True)
    assert page.status_code == 200
    assert page.url.path == "/api/docs"


async def test_a_chats_tokens_arrive_as_they_are_written(site: Site) -> None:
    talk = await make.conversation(site.http)
    site.model.token_s = WORD_S
    site.model.script.append(WORDS)
    at: list[float] = []
    async with websockets.connect(site.socket_url(talk), origin=Origin(site.url)) as socket:
        await send(socket, "ask", content=QUESTION)
        async with asyncio.timeout(30):
            while (event := json.loads(await socket.recv()))["type"] != "done":
                if event["type"] == "token":
                    at.append(asyncio.get_running_loop().time())
    assert len(at) > 5
    assert at[-1] - at[0] > 0.5 * WORD_S * len(WORDS.split())


async def test_server_sent_events_arrive_as_they_are_sent_and_uncompressed(site: Site) -> None:
    talk = await make.conversation(site.http)
    site.model.token_s = WORD_S
    site.model.script.append(WORDS)
    at: list[float] = []
    async with site.http.stream(
        "POST",
        f"/api/conversations/{talk}/ask",
        json={"content": QUESTION},
        headers={"Accept-Encoding": "zstd, gzip"},
    ) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert "content-encoding" not in answer.headers
        async for line in answer.aiter_lines():
            if line.startswith("data:") and json.loads(line[5:])["type"] == "token":
                at.append(asyncio.get_running_loop().time())  # noqa: PERF401 - when, not what
    assert len(at) > 5
    assert at[-1] - at[0] > 0.5 * WORD_S * len(WORDS.split())


async def test_a_page_from_elsewhere_may_not_open_a_chat(site: Site) -> None:
    talk = await make.conversation(site.http)
    with pytest.raises(websockets.InvalidStatus, match="403"):
        async with websockets.connect(site.socket_url(talk), origin=Origin("https://evil.example")):
            pass


async def test_a_reload_of_caddy_leaves_a_running_answer_alone(site: Site) -> None:
    talk = await make.conversation(site.http)
    site.model.token_s = WORD_S
    site.model.script.append(WORDS)
    async with websockets.connect(site.socket_url(talk)) as socket:
        await send(socket, "ask", content=QUESTION)
        await receive_until(socket, "token")
        config = ("--config", str(CADDYFILE), "--adapter", "caddyfile", "--force")
        admin = site.caddy.admin_url.removeprefix("http://")
        code, out = await run_caddy("reload", *config, "--address", admin, env=site.caddy.env)
        assert code == 0, out
        rest = await receive_until(socket, "done")
    assert make.only(rest, "message")["content"]


async def test_the_access_log_is_json_without_what_people_look_for(site: Site) -> None:
    await site.http.get("/api/search", params={"q": "lampreys", "limit": 3})
    async with asyncio.timeout(30):
        while "limit=3" not in (log := site.caddy.access_log.read_text()):
            await asyncio.sleep(0.05)
    entries: list[dict[str, Any]] = [json.loads(line) for line in log.splitlines()]
    [searched] = [one["request"] for one in entries if "limit=3" in one["request"]["uri"]]
    assert searched["uri"].startswith("/api/search?")
    assert searched["client_ip"] == "127.0.0.1"
    assert "lampreys" not in log


async def test_limits_count_the_clients_own_address_which_no_client_can_choose(
    embedded: ServerUrls, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("addresses")

    async def status(url: str, address: str, **headers: str) -> int:
        body = {"email": "nobody@example.org", "password": PASSWORD}
        transport = httpx.AsyncHTTPTransport(local_address=address)
        async with httpx.AsyncClient(transport=transport, timeout=30) as http:
            answer = await http.post(f"{url}/api/auth/login", json=body, headers=headers)
        return answer.status_code

    limits = {"max_failed_logins_per_address": 2, "trusted_proxies": ("127.0.0.1",)}
    async with accounts_app(embedded, folder, **limits) as app, caddy(folder, [app.url]) as proxy:
        assert [await status(proxy.url, "127.0.0.2") for _ in range(3)] == [401, 401, 429]
        assert await status(proxy.url, "127.0.0.3") == 401
        lie = {"X-Forwarded-For": "127.0.0.4"}
        assert await status(proxy.url, "127.0.0.2", **lie) == 429
        assert await status(app.url, "127.0.0.2", **lie) == 429
