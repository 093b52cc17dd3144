"""`deploy/deploy` on the production stack: another release, one that does not start, and back."""

import asyncio
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from tests.containers import talking
from tests.containers.engine import ROOT, Compose
from tests.containers.images import production_image
from tests.containers.say import say
from tests.deployment.caddy import Caddy

NEXT, BROKEN = "test-next", "test-broken"


def first(web: Path, tag: str) -> Path:
    """The folder of the pages as a deployment leaves it."""
    _pages(web, tag)
    (web / "dist").symlink_to(f"releases/{tag}")
    return web


def _pages(web: Path, tag: str) -> None:
    shutil.copytree(ROOT / "frontend/dist", web / "releases" / tag)
    (web / "releases" / tag / "release.txt").write_text(tag)


async def change(
    stack: Compose, web: Path, front: Caddy, http: httpx.AsyncClient, tag: str
) -> None:
    """There and back under steady asking; and no further than back with one that is broken."""
    docker = stack.docker
    docker.run("tag", production_image(tag), production_image(NEXT))
    with tempfile.TemporaryDirectory() as folder:
        dockerfile = Path(folder) / "Dockerfile"
        dockerfile.write_text(f'FROM {production_image(tag)}\nCMD ["false"]\n')
        docker.build(production_image(BROKEN), dockerfile, Path(folder))
    for other in (NEXT, BROKEN):
        _pages(web, other)
    variables = {"SITE_URL": front.url, "WEB_ROOT": str(web), "RELOAD_CADDY": "true"}

    def deploy(to: str, within_s: int) -> None:
        stack.script("deploy", "--to", to, READY_WITHIN=str(within_s), **variables)

    answered: list[int] = []
    async with _visited(front, answered):
        for to in (NEXT, tag):
            await asyncio.to_thread(deploy, to, talking.WAIT_S)
            assert (await http.get("/release.txt")).text == to
            await talking.ask(http)
    say(f"production: another release and back; {len(answered)} requests meanwhile, none failed")
    try:
        await asyncio.to_thread(deploy, BROKEN, 20)
    except subprocess.CalledProcessError:
        assert (await http.get("/release.txt")).text == tag
        await talking.ask(http)
        say("production: a release that does not start gives way to the one before")
    else:
        raise AssertionError("a release that does not start was taken for one that does")


@asynccontextmanager
async def _visited(front: Caddy, answered: list[int]) -> AsyncIterator[None]:
    """Somebody who asks all the time, and gets an answer each time."""

    async def visit() -> None:
        async with httpx.AsyncClient(base_url=front.url, timeout=200) as http:
            while True:
                answer = await http.get("/api/auth/options")
                assert answer.status_code == 200, answer.text
                answered.append(answer.status_code)
                await asyncio.sleep(0.05)

    visiting = asyncio.create_task(visit())
    try:
        yield
    finally:
        visiting.cancel()
        await asyncio.wait([visiting])
        assert visiting.cancelled(), visiting.exception()
