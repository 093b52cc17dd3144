"""The development stack, on a copy of the tree, so that its source can be edited."""

import asyncio
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import httpx

from tests.containers import talking
from tests.containers.engine import ROOT, Docker
from tests.containers.say import say

SUMMARY = "Talk with your YouTube videos: every claim plays the second it was said."
EDITED = "Edited while it runs."


async def drive(docker: Docker) -> None:
    with tempfile.TemporaryDirectory(prefix="youtubetalker-", ignore_cleanup_errors=True) as folder:
        tree = Path(folder)
        _copy(tree)
        stack = docker.compose(
            "youtubetalker-test",
            [tree / "docker-compose.yml", ROOT / "tests/containers/development.yml"],
            {},
            tree,
        )
        began = time.monotonic()
        with stack.up():
            say(f"development: up without a .env in {time.monotonic() - began:.0f} s")
            backend, pages = stack.address("backend", 8000), stack.address("frontend", 4321)
            async with talking.somebody(pages, "somebody@example.org") as http:
                await talking.until_ready(http)
                await talking.load(http)
                await talking.ask(http)
                await talking.ask_over_socket(http)
                say("development: through Astro's server, a caption file, events, a socket")
                stack.run("restart", "postgres")
                await talking.until_ready(http)
                await talking.ask(http)
                say("development: answers after a restart of Postgres")
            await _reloads(tree, backend, pages)


def _copy(tree: Path) -> None:
    """What Git knows, readable for the containers' users as a clone is."""
    tree.chmod(0o755)
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tree / name)


async def _reloads(tree: Path, backend: str, pages: str) -> None:
    _edit(tree / "api/app.py", SUMMARY, EDITED)
    seconds = await _until_shown(f"{backend}/api/openapi.json", EDITED)
    say(f"development: the backend serves an edit after {seconds:.1f} s")
    page = tree / "frontend/src/pages/login.astro"
    page.write_text(f"{page.read_text()}\n<!-- {EDITED} -->\n<p>{EDITED}</p>\n")
    seconds = await _until_shown(f"{pages}/login", EDITED)
    say(f"development: Astro's server serves an edit after {seconds:.1f} s")


def _edit(file: Path, before: str, after: str) -> None:
    source = file.read_text()
    assert before in source
    file.write_text(source.replace(before, after))


async def _until_shown(url: str, words: str) -> float:
    began = time.monotonic()
    async with httpx.AsyncClient(timeout=60, follow_redirects=True) as http:
        async with asyncio.timeout(talking.WAIT_S):
            while True:
                try:
                    if words in (await http.get(url)).text:
                        return time.monotonic() - began
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.2)
