"""The production stack from nothing, behind the real Caddy on this machine."""

import asyncio
import secrets
import subprocess
import tempfile
import time
from pathlib import Path

import httpx

from tests.containers import releases, talking
from tests.containers.engine import ROOT, Compose, Docker
from tests.containers.images import PYTHON
from tests.containers.say import say
from tests.deployment.caddy import caddy, free_port
from tests.deployment.test_backup import everything
from tests.people import PASSWORD

ADMIN = "admin@example.org"


async def drive(docker: Docker, tag: str) -> None:
    with tempfile.TemporaryDirectory(prefix="youtubetalker-", ignore_cleanup_errors=True) as folder:
        stack = docker.compose(
            "youtubetalker-prod-test",
            [ROOT / "docker-compose.prod.yml", ROOT / "tests/containers/production.yml"],
            {
                "IMAGE_TAG": tag,
                "TEST_DATA": folder,
                "TEST_PORT": str(free_port()),
                **{name: secrets.token_hex(32) for name in ("SECRET_KEY", "QDRANT_API_KEY")},
                "POSTGRES_PASSWORD": secrets.token_hex(32),
                "REGISTRATION": "open",
            },
        )
        web = releases.first(Path(folder) / "www", tag)
        began = time.monotonic()
        with stack.up():
            say(f"production: up from nothing in {time.monotonic() - began:.0f} s")
            _is_locked_down(stack)
            _engines_are_out_of_reach(stack)
            backend = stack.address("backend", 8000)
            options = {"SITE_ROOT": str(web / "dist"), "HOLD_FOR": "180s"}
            async with caddy(Path(folder) / "caddy", [backend], **options) as front:
                _make_admin(stack)
                async with (
                    talking.somebody(front.url, ADMIN, register=False),
                    talking.somebody(front.url, "somebody@example.org") as http,
                ):
                    await _talk(stack, http)
                    await _commands_work(stack)
                    await _comes_back(stack, folder, http)
                    await releases.change(stack, web, front, http, tag)
            _stops_in_good_order(stack)
        _empty(docker, folder)


def _make_admin(stack: Compose) -> None:
    stack.run("exec", "--no-TTY", "backend", "admin", "create-admin", ADMIN, text=f"{PASSWORD}\n")


async def _talk(stack: Compose, http: httpx.AsyncClient) -> None:
    await talking.until_ready(http)
    page = await http.get("/c/0")
    assert page.status_code == 200, page.text
    assert "text/html" in page.headers["content-type"]
    await talking.load(http)
    await talking.ask(http)
    await talking.ask_over_socket(http)
    say("production: through Caddy, pages, a caption file, an answer as events and on a socket")
    stack.run("restart", "postgres")
    began = time.monotonic()
    await talking.until_ready(http)
    await talking.ask(http)
    say(f"production: answers {time.monotonic() - began:.0f} s after a restart of Postgres")


async def _comes_back(stack: Compose, folder: str, http: httpx.AsyncClient) -> None:
    """All that was backed up, after all of it was deleted."""
    before = await everything(http)
    dump = Path(folder) / "kept.dump"
    stack.script("backup", str(dump))
    stack.remove()
    _empty(stack.docker, folder)
    stack.start()
    await talking.until_ready(http)
    assert (await http.get("/api/videos")).status_code == 401
    began = time.monotonic()
    stack.script("restore", str(dump))
    await talking.until_ready(http)
    assert await everything(http) == before
    assert before["found"]["passages"]
    assert before["messages"]
    await talking.ask(http)
    size, seconds = dump.stat().st_size, time.monotonic() - began
    say(f"production: all deleted, and restored from {size / 1e3:.0f} kB in {seconds:.0f} s")


def _is_locked_down(stack: Compose) -> None:
    """What the compose file asks for holds in what runs."""
    for service in ("backend", "worker", "postgres", "qdrant"):
        inside = _inside(stack, service, "cat /proc/1/status; id; touch /x 2>&1 || true")
        assert "Read-only file system" in inside, inside
        assert "NoNewPrivs:\t1" in inside, inside
        if service != "postgres":  # which needs some until it has become its user
            assert "CapBnd:\t0000000000000000" in inside, inside
    assert "uid=10001" in _inside(stack, "backend", "id")
    processes = _inside(stack, "backend", "cat /proc/[0-9]*/cmdline | tr '\\0' '\\n'")
    assert processes.count("--multiprocessing-fork") == 4, processes
    routes = _inside(stack, "backend", "cat /proc/net/route").splitlines()[1:]
    assert any(route.split()[1] == "00000000" for route in routes), "no way out"
    published = [one["Service"] for one in stack.containers() if "127.0.0.1:" in one["Ports"]]
    assert published == ["backend"], published
    say("production: read-only, no capabilities, uid 10001, four processes, only backend published")


def _engines_are_out_of_reach(stack: Compose) -> None:
    """Qdrant asks for its key, and who is not on its network does not even find its name."""
    asked = "import httpx; print(httpx.get('http://qdrant:6333/collections').status_code)"
    status = _inside(stack, "backend", f'python -c "{asked}"').strip()
    assert status in ("401", "403"), status
    names = (
        "for name in qdrant postgres backend; do getent hosts $name >/dev/null && echo $name; done"
    )
    outside = ("--rm", "--network", f"{stack.project}_outside", "--entrypoint", "", PYTHON)
    found = stack.docker.run("run", *outside, "sh", "-c", f"{names}; true").split()
    assert found == ["backend"], found
    say("production: Postgres and Qdrant cannot be found from outside, and Qdrant wants its key")


async def _commands_work(stack: Compose) -> None:
    _inside(stack, "backend", "alembic upgrade head && alembic check")
    _inside(stack, "backend", "ingest status --user somebody@example.org")
    _inside(stack, "backend", "admin --help")
    stack.run("up", "--detach", "--no-build", "--wait", "--scale", "worker=2", "--no-recreate")
    async with asyncio.timeout(talking.WAIT_S):
        while stack.run("logs", "--no-color", "worker").count("worker started") < 2:
            await asyncio.sleep(0.5)
    say("production: alembic, ingest and admin work inside; two workers run")


def _stops_in_good_order(stack: Compose) -> None:
    began = time.monotonic()
    stack.run("stop", "backend", "worker")
    ended = {one["Name"]: one["ExitCode"] for one in stack.containers()}
    assert not any(ended.values()), ended
    say(f"production: backend and workers stopped in good order, {time.monotonic() - began:.0f} s")


def _inside(stack: Compose, service: str, command: str) -> str:
    return stack.run("exec", "--no-TTY", service, "sh", "-c", command)


def _empty(docker: Docker, folder: str) -> None:
    """The data belongs to the containers' users, so one of them removes it."""
    command = ("sh", "-c", "rm -rf /kept/postgres /kept/qdrant")
    image = ("--user", "0", "--entrypoint", "", "postgres:15-alpine")
    try:
        docker.run(
            "run", "--rm", "--network", "none", "--volume", f"{folder}:/kept", *image, *command
        )
    except subprocess.CalledProcessError:
        say(f"{folder} could not be emptied")
