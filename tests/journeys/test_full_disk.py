"""A disk without a byte to spare, and room again."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from talker.resources import Resources
from tests import make
from tests.api.test_admin import environment
from tests.programs import Programs

ASKED = "How deep was the deepest dive?"
ROOM_MB = 300
TRIES = 25
LARGE = ["A line of words. " * 50] * 2_500
"""More than is kept in memory while a body is read."""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, as far as one may be mounted here."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={ROOM_MB}m,mode=755", "none", str(folder)],
        capture_output=True,
        check=False,
    )
    if not mounted or mounted.returncode:
        pytest.skip("a small disk cannot be mounted without root's rights")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(file: Path) -> None:
    """Take all the room there is."""
    with file.open("wb", buffering=0) as filler:
        for size in (1 << 20, 4096, 1):
            with suppress(OSError):
                while True:
                    filler.write(b"\0" * size)


async def test_on_a_full_disk_what_is_refused_says_so_and_what_is_taken_is_kept(
    small_disk: Path,
) -> None:
    temporary = small_disk / "tmp"
    temporary.mkdir(mode=0o1777)
    env = {
        **os.environ,
        "DATA_DIR": str(small_disk / "data"),
        "TMPDIR": str(temporary),
        "PORT": "0",
        "LOG_LEVEL": "ERROR",
    }
    async with Programs(env) as programs:
        _, url = await programs.app()
        async with httpx.AsyncClient(base_url=url, timeout=60) as http:
            taken = [str(await make.upload(http, make.captions(make.OCEAN)))]
            talk = await make.conversation(http)
            make.only(await make.ask(http, talk, ASKED), "message")
            refused = 0
            for number in range(TRIES):
                fill(small_disk / f"filler-{number}")  # what was let go of in between, too
                lines = LARGE if number == 0 else [f"{line} {number}" for line in make.BREAD * 20]
                answer = await _upload(http, lines)
                if answer.status_code == 202:
                    taken.append(answer.json()["items"][0]["video_id"])
                else:
                    assert (answer.status_code, answer.json()["error"]) == (503, "disk_full")
                    refused += 1
            assert refused
            for file in small_disk.glob("filler-*"):
                file.unlink()
            async with asyncio.timeout(120):
                while (await http.get("/api/health/ready")).status_code != 200:
                    await asyncio.sleep(0.2)
            for video_id in taken:
                await make.until_ready(http, video_id)
            assert len((await http.get("/api/videos")).json()["items"]) == len(taken)
            make.only(await make.ask(http, talk, ASKED), "message")


async def _upload(http: httpx.AsyncClient, lines: list[str]) -> httpx.Response:
    content = make.captions(lines)
    return await http.post("/api/videos/upload", files={"file": ("talk.json", content)})


async def test_an_upload_that_can_not_be_kept_while_it_is_read_says_so_and_the_next_is(
    resources: Resources,
) -> None:
    """No file may grow over a limit, which the system tells as it tells a full disk."""
    env = environment(resources, AUTH="local", PORT="0", LOG_LEVEL="ERROR")
    async with Programs(env) as programs:
        process, url = await programs.app()
        app = psutil.Process(process.pid)
        async with httpx.AsyncClient(base_url=url, timeout=60) as http:
            before = app.rlimit(psutil.RLIMIT_FSIZE)
            app.rlimit(psutil.RLIMIT_FSIZE, (1_500_000, before[1]))
            answer = await _upload(http, LARGE)
            assert (answer.status_code, answer.json()["error"]) == (503, "disk_full")
            app.rlimit(psutil.RLIMIT_FSIZE, before)
            await make.upload(http, make.captions(make.OCEAN))
