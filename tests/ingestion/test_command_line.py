"""The `ingest` command, as a program."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingestion.__main__ import app
from talker.models import User
from talker.resources import Resources
from tests.forks import start
from tests.ingestion.conftest import AtSupadata, environment, links
from tests.make import BREAD, OCEAN, captions
from tests.supadata_server import SupadataList, SupadataVideo, refused

ID = "dQw4w9WgXcQ"


async def ingest(
    resources: Resources, *arguments: str | Path, stdin: str = ""
) -> tuple[int, str, str]:
    """Exit code, output and error output."""
    process = await start(
        "ingest",
        *arguments,
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
    assert out.splitlines()[-4:-1] == [
        "2 videos, 1 of them known, 1 to load",
        "Supadata credits: 2",
        "Embedding: about 2,400 tokens, $0.00",
    ]
    assert supadata.server.requests == []
    code, out, _ = await ingest(resources, "add", "--file", "-", stdin=listed)
    assert code == 1
    assert "ready   A talk" in out
    assert "1 failed" in out
    assert len(supadata.server.requests) == 2


async def test_status_says_why_a_video_failed_and_retry_takes_what_it_names(
    resources: Resources, supadata: AtSupadata
) -> None:
    code, out, _ = await ingest(resources, "add", ID)
    assert code == 1
    assert "There is no public video" in out
    code, out, _ = await ingest(resources, "status")
    assert out.startswith("0 ready, 0 loading, 0 queued, 1 failed")
    assert "There is no public video" in out
    supadata.server.videos[ID] = SupadataVideo({"en": [(0, 5000, line) for line in OCEAN]})
    asked = len(supadata.server.requests)
    code, out, _ = await ingest(resources, "add", ID)
    assert code == 1
    assert "There is no public video" in out
    code, out, _ = await ingest(resources, "retry", "--failed")
    assert (code, out.splitlines()[-1]) == (0, "0 ready, 0 failed")
    assert len(supadata.server.requests) == asked
    code, out, _ = await ingest(resources, "retry", ID)
    assert (code, out.splitlines()[-1]) == (0, "1 ready, 0 failed")


async def test_retry_failed_takes_what_time_may_have_healed(
    resources: Resources, supadata: AtSupadata
) -> None:
    supadata.server.videos[ID] = SupadataVideo(fault=refused(400, "The stream is still live."))
    code, out, _ = await ingest(resources, "add", ID, "AAAAAAAAAAA")
    assert (code, out.splitlines()[-1]) == (1, "0 ready, 2 failed")
    supadata.server.videos[ID] = SupadataVideo({"en": [(0, 5000, line) for line in OCEAN]})
    code, out, _ = await ingest(resources, "retry", "--failed")
    assert (code, out.splitlines()[-1]) == (0, "1 ready, 0 failed")


async def test_loading_is_paused_resumed_and_cancelled_from_the_command_line(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    supadata.server.videos[ID] = SupadataVideo({"en": [(0, 5000, line) for line in OCEAN]})
    await links(resources, user, ID)
    code, out, _ = await ingest(resources, "pause")
    assert (code, out) == (0, "1 paused\n")
    code, out, _ = await ingest(resources, "status", "--json")
    found = json.loads(out)
    assert (found["queued"], found["paused"]) == (1, 1)
    code, out, _ = await ingest(resources, "resume", ID)
    assert (code, out) == (0, "1 queued again\n")
    code, out, err = await ingest(resources, "cancel", ID, "AAAAAAAAAAA")
    assert (code, out, err) == (1, "1 cancelled\n", "There is no job AAAAAAAAAAA.\n")
    code, out, _ = await ingest(resources, "status")
    assert "Loading was cancelled." in out


async def test_videos_are_taken_out_and_the_index_is_built_anew(
    resources: Resources, supadata: AtSupadata
) -> None:
    supadata.server.videos[ID] = SupadataVideo({"en": [(0, 5000, line) for line in OCEAN]})
    await ingest(resources, "add", ID)
    code, out, _ = await ingest(resources, "reindex")
    assert out.splitlines()[-1] == "1 videos indexed"
    code, _, err = await ingest(resources, "remove", ID, "AAAAAAAAAAA")
    assert (code, err) == (1, "There is no video AAAAAAAAAAA in your library.\n")
    code, out, _ = await ingest(resources, "status", "--json")
    assert json.loads(out) == {
        "ready": 0,
        "loading": 0,
        "queued": 0,
        "failed": 0,
        "paused": 0,
        "credits": 2,
        "resting": [],
        "not_ready": [],
    }


async def test_a_channel_is_priced_and_loaded_and_told_as_json(
    resources: Resources, supadata: AtSupadata
) -> None:
    for name in (ID, "aircAruvnKk"):
        supadata.server.videos[name] = SupadataVideo({"en": [(0, 5000, line) for line in OCEAN]})
    ids = [ID, "aircAruvnKk", "AAAAAAAAAAA"]
    supadata.server.lists["@ada"] = SupadataList("Ada", videos=ids)
    code, out, _ = await ingest(resources, "add", "@ada", "--dry-run", "--json")
    price = json.loads(out)
    assert (code, price["videos"], price["new"], price["credits"]) == (0, 3, 3, 6)
    code, out, _ = await ingest(resources, "add", "@ada", "--json")
    events = [json.loads(line) for line in out.splitlines()]
    assert code == 1
    listed = next(event for event in events if event["event"] == "added")
    assert (listed["title"], listed["videos"], listed["status"]) == ("Ada", 3, "queued")
    assert events[-1] == {"event": "totals", "ready": 2, "failed": 1, "left": 0}
    failed = [event["failure"] for event in events if event.get("status") == "failed"]
    assert [failure["reason"] for failure in failed] == ["removed"]
    code, out, _ = await ingest(resources, "sync")
    assert (code, out) == (0, "There is no collection to sync. Add a list with --subscribe.\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["add"],
        ["add", "--jobs", "0", ID],
        ["add", "--file", "/nowhere.txt"],
        ["conquer"],
        ["retry", "--failed", ID],
    ],
)
def test_bad_usage_has_exit_code_2(arguments: list[str]) -> None:
    outcome = CliRunner().invoke(app, arguments)
    assert outcome.exit_code == 2
    assert outcome.stderr


async def test_an_unknown_user_is_bad_usage(resources: Resources) -> None:
    code, _, err = await ingest(resources, "add", ID, "--user", "x@y.z")
    assert code == 2
    assert "x@y.z" in err


async def test_stopping_leaves_a_queue_that_goes_on(
    resources: Resources, user: User, supadata: AtSupadata
) -> None:
    words = {"en": [(0, 5000, line) for line in OCEAN]}
    supadata.server.videos[ID] = SupadataVideo(words, polls=1000)
    process = await start(
        "ingest",
        "add",
        ID,
        env=environment(resources),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(120):
        assert (await process.stdout.readline()).startswith(b"loading")
    process.send_signal(2)
    async with asyncio.timeout(120):
        _, err = await process.communicate()
    assert process.returncode == 130
    assert b"stays in the queue" in err
    assert user.email
    supadata.server.finish_jobs()
    code, out, _ = await ingest(resources, "add", ID)
    assert (code, out.splitlines()[-1]) == (0, "1 ready, 0 failed")
