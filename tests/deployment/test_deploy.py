"""A release brought up, and one that is not ready taken back, behind Caddy under load."""

import asyncio
import shlex
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from talker.settings import Settings
from tests.deployment.caddy import ROOT, Caddy, caddy, free_port
from tests.programs import BIN

UP = ROOT / "tests" / "deployment" / "up.sh"


@dataclass
class Server:
    """A machine with a folder of releases, and the port of its backend."""

    folder: Path
    settings: Settings
    port: int = field(default_factory=free_port)

    @property
    def web(self) -> Path:
        return self.folder / "www"

    def release(self, tag: str, page: str, **env: str) -> Path:
        """Built pages, and the settings that `up.sh` starts this release with."""
        built = self.folder / f"built-{tag}"
        (built / "_astro").mkdir(parents=True)
        (built / "index.html").write_text(page)
        (built / "_astro" / f"{tag}.js").write_text(f"// {tag}")
        values = {
            "DATABASE_URL": self.settings.database_url,
            "QDRANT_URL": self.settings.qdrant_url,
            "QDRANT_API_KEY": self.settings.qdrant_api_key.get_secret_value(),  # type: ignore[union-attr]
            "DATA_DIR": str(self.folder),
            "PORT": str(self.port),
            "LOG_LEVEL": "ERROR",
            **env,
        }
        lines = [f"{name}={shlex.quote(value)}" for name, value in values.items()]
        (self.folder / f"{tag}.env").write_text("\n".join(lines))
        return built

    async def deploy(
        self, *arguments: str | Path, proxy: Caddy, ready_within_s: int = 120
    ) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            ROOT / "deploy" / "deploy",
            *arguments,
            env={
                **proxy.env,
                "SITE_URL": proxy.url,
                "WEB_ROOT": str(self.web),
                "RELEASES": str(self.folder),
                "BIN": str(BIN),
                "UP": str(UP),
                "BACKUP": "",
                "READY_WITHIN": str(ready_within_s),
                "RELOAD_CADDY": f"{BIN}/caddyserver reload --force --config {ROOT}/Caddyfile"
                f" --adapter caddyfile --address 127.0.0.1:{proxy.env['CADDY_ADMIN_PORT']}",
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, out.decode()

    def stop(self) -> None:
        pid = self.folder / "pid"
        if pid.exists() and psutil.pid_exists(int(pid.read_text())):
            process = psutil.Process(int(pid.read_text()))
            process.send_signal(signal.SIGTERM)
            process.wait(30)


@asynccontextmanager
async def server(settings: Settings, folder: Path) -> AsyncIterator[tuple[Server, Caddy]]:
    machine = Server(folder, settings)
    backend = [f"127.0.0.1:{machine.port}"]
    try:
        root = str(machine.web / "dist")
        async with caddy(folder, backend, SITE_ROOT=root, HOLD_FOR="120s") as proxy:
            yield machine, proxy
    finally:
        machine.stop()


@asynccontextmanager
async def visited(proxy: Caddy, pages: set[str], failed: list[str]) -> AsyncIterator[None]:
    """Somebody who opens the page and asks the API all the time."""

    async def visit() -> None:
        async with httpx.AsyncClient(base_url=proxy.url, timeout=120) as http:
            while True:
                for path in ("/", "/api/models"):
                    answer = await http.get(path)
                    if not answer.is_success:
                        failed.append(f"{path}: {answer.status_code} {answer.text}")
                    elif path == "/":
                        pages.add(answer.text)
                await asyncio.sleep(0.02)

    visiting = asyncio.create_task(visit())
    try:
        yield
    finally:
        visiting.cancel()
        await asyncio.wait([visiting])
        assert visiting.cancelled(), visiting.exception()


async def test_a_release_takes_the_place_of_another_and_one_that_is_not_ready_does_not(
    settings: Settings, tmp_path: Path
) -> None:
    async with server(settings, tmp_path) as (machine, proxy):
        first = machine.release("one", "<p>one")
        code, out = await machine.deploy("--dist", first, "--tag", "one", proxy=proxy)
        assert code == 0, out

        pages: set[str] = set()
        failed: list[str] = []
        async with visited(proxy, pages, failed), httpx.AsyncClient(base_url=proxy.url) as http:
            second = machine.release("two", "<p>two", DRAIN_S="2")
            code, out = await machine.deploy("--dist", second, "--tag", "two", proxy=proxy)
            assert code == 0, out
            assert pages == {"<p>one", "<p>two"}
            assert (await http.get("/")).text == "<p>two"
            # Who has the page of the release before open still gets its scripts.
            assert (await http.get("/_astro/one.js")).text == "// one"

            away = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"}
            third = machine.release("three", "<p>three", **away)
            code, out = await machine.deploy(
                *("--dist", third, "--tag", "three"), proxy=proxy, ready_within_s=4
            )
            assert code == 1
            assert "two is served again; three is not" in out
            assert (await http.get("/api/health/ready")).status_code == 200
            assert (await http.get("/")).text == "<p>two"

            code, out = await machine.deploy("--to", "one", proxy=proxy)
            assert code == 0, out
            assert (await http.get("/")).text == "<p>one"
    assert "<p>three" not in pages
    assert failed == []


async def test_a_release_that_is_not_here_is_not_brought_back(
    settings: Settings, tmp_path: Path
) -> None:
    async with server(settings, tmp_path) as (machine, proxy):
        code, out = await machine.deploy("--to", "none", proxy=proxy)
    assert code == 1
    assert "none is not among the releases here" in out
