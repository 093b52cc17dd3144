"""The `ingest` command, as a program."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from talker.models import User
from talker.resources import Resources
from tests.ingestion.conftest import AtSupadata, environment
from tests.make import BREAD, OCEAN, captions
from tests.supadata_server import SupadataVideo

ID = "dQw4w9WgXcQ"


async def ingest(
    resources: Resources, *arguments: str | Path, stdin: str = ""
) -> tuple[int, str, str]:
    """Exit code, output and error output."""
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).parent / "ingest",
        *map(str, arguments),
        env=environment(resources),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(120):
        out, err = await process.communicate(stdin.encode())
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    ocean, bread = tmp_path / "ocean.json", tmp_path / "bread.json"
    ocean.write_bytes(captions(OCEAN, title="The ocean"))
    bread.write_bytes(captions(BREAD, title="Bread"))
    return [ocean, bread]


async def test_files_are_loaded_and_known_ones_count_as_ready(
    resources: Resources, files: list[Path]
) -> None:
    code, out, err = await ingest(resources, "add", *files)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert sorted(lines[:-1]) == [
        "loading Bread",
        "loading The ocean",
        "ready   Bread",
        "ready   The ocean",
    ]
    assert lines[-1] == "2 ready, 0 failed"
    code, out, _ = await ingest(resources, "add", *files)
    assert (code, out.splitlines()[-1]) == (0, "2 ready, 0 failed")


async def test_each_failure_has_its_reason_and_the_exit_code_is_1(
    resources: Resources, files: list[Path], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    code, out, _ = await ingest(
        resources,
        "add",
        files[0],
        broken,
        tmp_path / "missing.srt",
        "https://vimeo.com/1",
        "--json",
    )
    assert code == 1
    events = [json.loads(line) for line in out.splitlines()]
    failed = {
        event["source"]: event["failure"]["reason"]
        for event in events
        if event["event"] == "added" and event["status"] == "failed"
    }
    assert failed == {
        str(broken): "bad_file",
        str(tmp_path / "missing.srt"): "bad_file",
        "https://vimeo.com/1": "not_a_video",
    }
    assert events[-1] == {"event": "totals", "ready": 1, "failed": 3, "left": 0}


async def test_links_come_from_a_list_and_are_loaded_through_supadata(
    resources: Resources, supadata: AtSupadata
) -> None:
    supadata.server.videos[ID] = SupadataVideo({"en": [(0, 5000, line) for line in OCEAN]})
    listed = f"# talks\nhttps://youtu.be/{ID}  # the first\n\nhttps://youtu.be/{ID}?t=3\nnonsense\n"
    code, out, _ = await ingest(
        resources, "add", "--file", "-", "--limit", "2", "--dry-run", stdin=listed
    )
    assert code == 0
    assert out.splitlines()[-1] == "Supadata credits: 4"
    assert supadata.server.requests == []
    code, out, _ = await ingest(resources, "add", "--file", "-", stdin=listed)
    assert code == 1
    assert "ready   A talk" in out
    assert "1 failed" in out
    assert len(supadata.server.requests) == 2


async def test_status_retry_and_remove_look_after_the_library(
    resources: Resources, supadata: AtSupadata
) -> None:
    code, out, _ = await ingest(resources, "add", ID)
    assert code == 1
    assert "There is no public video" in out
    code, out, _ = await ingest(resources, "status")
    assert out.startswith("0 ready, 0 loading, 0 queued, 1 failed")
    supadata.server.videos[ID] = SupadataVideo({"en": [(0, 5000, line) for line in OCEAN]})
    code, out, _ = await ingest(resources, "retry")
    assert out.splitlines()[-1] == "0 ready, 0 failed"
    code, out, _ = await ingest(resources, "retry", "--failed")
    assert (code, out.splitlines()[-1]) == (0, "1 ready, 0 failed")
    code, out, _ = await ingest(resources, "reindex")
    assert out == "1 videos indexed\n"
    code, _, err = await ingest(resources, "remove", ID, "AAAAAAAAAAA")
    assert (code, err) == (1, "There is no video AAAAAAAAAAA in your library.\n")
    code, out, _ = await ingest(resources, "status", "--json")
    assert json.loads(out) == {"ready": 0, "loading": 0, "queued": 0, "failed": 0, "not_ready": []}


@pytest.mark.parametrize(
    "arguments",
    [
        ["add"],
        ["add", "--jobs", "0", ID],
        ["add", "--file", "/nowhere.txt"],
        ["conquer"],
        ["add", ID, "--user", "x@y.z"],
    ],
)
async def test_bad_usage_has_exit_code_2(resources: Resources, arguments: list[str]) -> None:
    code, _, err = await ingest(resources, *arguments)
    assert code == 2
    assert err


async def test_stopping_leaves_a_queue_that_goes_on(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    words = {"en": [(0, 5000, line) for line in OCEAN]}
    supadata.server.videos[ID] = SupadataVideo(words, polls=1000)
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).parent / "ingest",
        "add",
        ID,
        env=environment(resources),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        assert (await process.stdout.readline()).startswith(b"loading")
    process.send_signal(2)
    async with asyncio.timeout(60):
        _, err = await process.communicate()
    assert process.returncode == 130
    assert b"stays in the queue" in err
    assert user.email
    supadata.server.videos[ID] = SupadataVideo(words)
    code, out, _ = await ingest(resources, "add", ID)
    assert (code, out.splitlines()[-1]) == (0, "1 ready, 0 failed")
