"""The Caddyfile by itself, and what needs no app behind it."""

import asyncio
import ssl
from pathlib import Path

import httpx
import pytest

from tests.deployment.caddy import (
    CADDYFILE,
    START_TIMEOUT_S,
    Caddy,
    caddy,
    environment,
    free_port,
    run_caddy,
)

CONFIG = ("--config", str(CADDYFILE), "--adapter", "caddyfile")


@pytest.mark.parametrize("address", ["talk.example.org", "http://127.0.0.1:8080"])
async def test_the_caddyfile_is_valid_for_a_domain_and_for_a_laptop(
    tmp_path: Path, address: str
) -> None:
    env = environment(tmp_path, SITE_ADDRESS=address, BACKENDS="10.0.0.1:8000 10.0.0.2:8000")
    code, out = await run_caddy("validate", *CONFIG, env=env)
    assert (code, out.splitlines()[-1]) == (0, "Valid configuration"), out


async def test_it_is_formatted_as_caddy_formats(tmp_path: Path) -> None:
    code, out = await run_caddy("fmt", "--diff", str(CADDYFILE), env=environment(tmp_path))
    assert code == 0, out


async def certified(proxy: Caddy) -> None:
    """Wait for the certificate that Caddy makes for localhost beside serving."""
    async with asyncio.timeout(START_TIMEOUT_S):
        while not any(proxy.folder.glob("caddy/certificates/local/*/*.crt")):
            await asyncio.sleep(0.05)


async def test_with_a_certificate_plain_http_leads_to_https_that_is_remembered(
    tmp_path: Path,
) -> None:
    port = free_port()
    address = f"https://localhost:{port}"
    async with caddy(tmp_path, address=address, HTTPS_PORT=str(port)) as proxy:
        await certified(proxy)
        trusted = ssl.create_default_context(cafile=proxy.authority)
        async with httpx.AsyncClient(verify=trusted) as http:
            page = await http.get(f"{address}/")
            plain = await http.get(f"http://localhost:{proxy.env['HTTP_PORT']}/c/one")
        assert page.status_code == 200
        assert page.headers["strict-transport-security"] == "max-age=31536000"
        assert plain.status_code == 308
        assert plain.headers["location"] == "https://localhost/c/one"
        assert "strict-transport-security" not in plain.headers

        old = ssl.create_default_context(cafile=proxy.authority)
        old.set_ciphers("DEFAULT@SECLEVEL=0")
        old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        async with httpx.AsyncClient(verify=old) as http:
            with pytest.raises(httpx.ConnectError, match=r"(?i)protocol"):
                await http.get(f"{address}/")


async def test_while_no_backend_is_up_the_api_says_so_after_a_while_and_pages_are_served(
    tmp_path: Path,
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    async with (
        caddy(tmp_path, [nobody], HOLD_FOR="300ms") as proxy,
        httpx.AsyncClient(base_url=proxy.url) as http,
    ):
        api, page = await http.get("/api/videos"), await http.get("/")
    assert api.status_code == 503
    assert api.json()["error"] == "unavailable"
    assert api.headers["retry-after"] == "5"
    assert page.status_code == 200
