"""What was backed up comes back: videos, conversations, search results."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from talker.models import SearchIndex
from talker.settings import Settings
from tests import make
from tests.api.test_runs import messages_of
from tests.conftest import running
from tests.deployment.caddy import ROOT
from tests.programs import BIN

QUESTION = "How deep was the deepest dive?"


async def script(
    name: str, *arguments: str | Path, settings: Settings, **env: str
) -> tuple[int, str, str]:
    """Exit code, output and errors of a script of `deploy/` on the test's own servers."""
    assert settings.qdrant_api_key
    own = {
        "DATABASE_URL": settings.database_url,
        "QDRANT_URL": settings.qdrant_url,
        "QDRANT_API_KEY": settings.qdrant_api_key.get_secret_value(),
        "DATA_DIR": str(settings.data_dir),
        "BIN": str(BIN),
    }
    process = await asyncio.create_subprocess_exec(
        ROOT / "deploy" / name,
        *arguments,
        env={**os.environ, **own, **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), errors.decode()


async def everything(http: httpx.AsyncClient) -> dict[str, Any]:
    """What a person sees of their library."""
    videos = (await http.get("/api/videos")).json()
    talks = (await http.get("/api/conversations")).json()
    found = (await http.get("/api/search", params={"q": QUESTION, "limit": 5})).json()
    messages = [await messages_of(http, talk["id"]) for talk in talks["items"]]
    transcripts = [
        (await http.get(f"/api/videos/{video['id']}/transcript")).json()
        for video in videos["items"]
    ]
    return {
        "videos": videos,
        "talks": talks,
        "messages": messages,
        "transcripts": transcripts,
        "found": found,
    }


async def drop_indexes(settings: Settings, names: Sequence[str]) -> None:
    assert settings.qdrant_api_key
    headers = {"api-key": settings.qdrant_api_key.get_secret_value()}
    async with httpx.AsyncClient(base_url=settings.qdrant_url, headers=headers) as http:
        for name in names:
            assert (await http.delete(f"/collections/{name}")).is_success


async def test_what_was_backed_up_while_the_app_ran_comes_back_after_all_is_deleted(
    settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "kept.dump"
    async with running(settings) as app:
        for lines in (make.OCEAN, make.BREAD):
            await make.upload(app.http, make.captions(lines))
        await make.ask(app.http, await make.conversation(app.http), QUESTION)
        before = await everything(app.http)
        code, out, errors = await script("backup", file, settings=settings)
        assert (code, out) == (0, f"{file}\n"), errors

        for kind in ("videos", "conversations"):
            for one in (await app.http.get(f"/api/{kind}")).json()["items"]:
                assert (await app.http.delete(f"/api/{kind}/{one['id']}")).is_success
        assert (await everything(app.http))["found"]["passages"] == []
        async with app.resources.sessions() as session:
            names = list(await session.scalars(select(SearchIndex.name)))
        code, _, errors = await script("restore", file, settings=settings)
        assert code == 1
        assert "stop every app and worker first" in errors
    await drop_indexes(settings, names)

    code, _, errors = await script("restore", file, settings=settings)
    assert code == 0, errors
    assert "restored: 2 videos" in errors
    async with running(settings) as app:
        after = await everything(app.http)
        assert after == before
        assert len(after["messages"][0]) == 2
        again = await make.ask(app.http, await make.conversation(app.http), QUESTION)
        assert make.only(again, "message")["citations"]


async def test_a_restore_leaves_a_library_alone_and_a_damaged_dump_changes_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "kept.dump"
    async with running(settings) as app:
        await make.upload(app.http, make.captions(make.OCEAN))
    assert (await script("backup", file, settings=settings))[0] == 0
    async with running(settings) as app:
        await make.upload(app.http, make.captions(make.BREAD))
        before = await everything(app.http)

    code, _, errors = await script("restore", file, settings=settings)
    assert code == 1
    assert "holds 2 videos" in errors
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    code, _, errors = await script("restore", file, "--replace", settings=settings)
    assert code == 1
    assert "checksum" in errors
    # A dump that was cut before its checksum was taken is noticed in its midst.
    await sum_again(file)
    code, _, errors = await script("restore", file, "--replace", settings=settings)
    assert code == 1
    assert "nothing was changed" in errors
    async with running(settings) as app:
        assert await everything(app.http) == before

    file.write_bytes(whole)
    await sum_again(file)
    code, _, errors = await script("restore", file, "--replace", settings=settings)
    assert code == 0, errors
    async with running(settings) as app:
        assert (await app.http.get("/api/videos")).json()["total"] == 1


async def sum_again(file: Path) -> None:
    with file.with_name(f"{file.name}.sha256").open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            "sha256sum", file.name, cwd=file.parent, stdout=out
        )
        assert await process.wait() == 0


async def test_the_newest_backups_are_kept(settings: Settings, tmp_path: Path) -> None:
    for year in (2024, 2025, 2026):
        (tmp_path / f"youtubetalker-{year}0101T000000Z.dump").touch()
    (tmp_path / "notes.txt").touch()
    code, out, errors = await script(
        "backup", settings=settings, BACKUP_DIR=str(tmp_path), KEEP="2"
    )
    assert code == 0, errors
    new = Path(out.strip()).name
    assert {one.name for one in tmp_path.iterdir()} == {
        "notes.txt",
        "youtubetalker-20260101T000000Z.dump",
        new,
        f"{new}.sha256",
    }


async def test_where_the_database_does_not_answer_there_is_no_half_of_a_backup(
    settings: Settings, tmp_path: Path
) -> None:
    away = settings.model_copy(update={"database_url": "postgresql://nobody@127.0.0.1:9/none"})
    code, out, errors = await script("backup", tmp_path / "one.dump", settings=away)
    assert (code, out) == (1, "")
    assert "does not answer" in errors
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["backup", "restore", "deploy"])
async def test_a_script_called_wrongly_says_how_it_is_called(settings: Settings, name: str) -> None:
    code, _, errors = await script(name, "--nonsense", settings=settings)
    assert code == 2
    assert f"deploy/{name}" in errors
