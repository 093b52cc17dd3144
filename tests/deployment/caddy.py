"""The real Caddy with the project's own Caddyfile, on ports of its own."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.programs import BIN

ROOT = Path(__file__).parents[2]
CADDYFILE = ROOT / "Caddyfile"
BUILT = ROOT / "frontend" / "dist"
START_TIMEOUT_S = 30


@dataclass(frozen=True)
class Caddy:
    """`env` is what it was started with, for further commands such as `reload`."""

    url: str
    folder: Path
    env: dict[str, str]

    @property
    def admin_url(self) -> str:
        return f"http://127.0.0.1:{self.env['CADDY_ADMIN_PORT']}"

    @property
    def access_log(self) -> Path:
        return Path(self.env["ACCESS_LOG"])

    @property
    def authority(self) -> Path:
        """The certificate of the authority that Caddy makes for localhost."""
        return self.folder / "caddy" / "pki" / "authorities" / "local" / "root.crt"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(folder: Path, **values: str) -> dict[str, str]:
    """Everything that Caddy keeps goes to `folder`."""
    own = {
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
        "ACCESS_LOG": str(folder / "access.log"),
        "SITE_ROOT": str(BUILT),
        "CADDY_BIND": "127.0.0.1",
    }
    return {**os.environ, **own, **values}


async def run_caddy(*arguments: str, env: dict[str, str]) -> tuple[int, str]:
    """Exit code and all output of a command that ends by itself."""
    process = await asyncio.create_subprocess_exec(
        BIN / "caddyserver",
        *arguments,
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode()


@asynccontextmanager
async def caddy(
    folder: Path, backends: Sequence[str] = (), *, address: str = "", **env: str
) -> AsyncIterator[Caddy]:
    """Caddy before the backends' URLs; by itself without a certificate, at 127.0.0.1."""
    address = address or f"http://127.0.0.1:{free_port()}"
    ports = {name: str(free_port()) for name in ("CADDY_ADMIN_PORT", "HTTP_PORT")}
    dials = " ".join(url.removeprefix("http://") for url in backends)
    values = {"SITE_ADDRESS": address, **ports, **({"BACKENDS": dials} if dials else {}), **env}
    started = Caddy(address, folder, environment(folder, **values))
    process = await asyncio.create_subprocess_exec(
        BIN / "caddyserver",
        *("run", "--config", str(CADDYFILE), "--adapter", "caddyfile"),
        env=started.env,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with httpx.AsyncClient() as http, asyncio.timeout(START_TIMEOUT_S):
            while not await _is_up(http, started):
                assert process.returncode is None, "Caddy has ended"
                await asyncio.sleep(0.05)
        yield started
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _is_up(http: httpx.AsyncClient, started: Caddy) -> bool:
    try:
        return (await http.get(f"{started.admin_url}/config/")).is_success
    except httpx.TransportError:
        return False
