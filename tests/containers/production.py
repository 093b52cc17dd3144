"""The production stack from nothing, behind the real Caddy on this machine."""

import secrets
import subprocess
import tempfile
import time
from pathlib import Path

from tests.containers import talking
from tests.containers.engine import ROOT, Compose, Docker
from tests.containers.say import say
from tests.deployment.caddy import caddy
from tests.people import PASSWORD

ADMIN = "admin@example.org"
DATABASE_TABLES = (
    "select count(*) from alembic_version, checkpoint_migrations, procrastinate_workers"
)


async def drive(docker: Docker, tag: str) -> None:
    with tempfile.TemporaryDirectory(prefix="youtubetalker-", ignore_cleanup_errors=True) as folder:
        stack = docker.compose(
            "youtubetalker-prod-test",
            [ROOT / "docker-compose.prod.yml", ROOT / "tests/containers/production.yml"],
            {
                "IMAGE_TAG": tag,
                "TEST_DATA": folder,
                **{name: secrets.token_hex(32) for name in ("SECRET_KEY", "QDRANT_API_KEY")},
                "POSTGRES_PASSWORD": secrets.token_hex(32),
                "REGISTRATION": "open",
            },
        )
        began = time.monotonic()
        with stack.up():
            say(f"production: up from nothing in {time.monotonic() - began:.0f} s")
            _is_locked_down(stack)
            await _talk(stack, Path(folder))
            _commands_work(stack)
            _stops_in_good_order(stack)
        _empty(docker, folder)


async def _talk(stack: Compose, folder: Path) -> None:
    backend = stack.address("backend", 8000)
    stack.run("exec", "--no-TTY", "backend", "admin", "create-admin", ADMIN, text=f"{PASSWORD}\n")
    async with (
        caddy(folder / "caddy", [backend], SITE_ROOT=str(ROOT / "frontend/dist")) as front,
        talking.somebody(front.url, ADMIN, register=False),
        talking.somebody(front.url, "somebody@example.org") as http,
    ):
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


def _commands_work(stack: Compose) -> None:
    _inside(stack, "backend", "alembic upgrade head && alembic check")
    _inside(stack, "backend", "ingest status --user somebody@example.org")
    _inside(stack, "backend", "admin --help")
    stack.run("up", "--detach", "--no-build", "--wait", "--scale", "worker=2", "--no-recreate")
    workers = [one for one in stack.containers() if one["Service"] == "worker"]
    assert [one["State"] for one in workers] == ["running"] * 2, workers
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
