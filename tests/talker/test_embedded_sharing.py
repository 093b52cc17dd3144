"""The embedded servers as several processes of ours meet them, some of which are killed."""

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr
from qdrant_client import AsyncQdrantClient, models

from talker.embedded import ServerUrls, servers
from talker.embedded.place import Place, is_held
from talker.errors import EmbeddedServerFailed
from talker.settings import Settings

NAMES = ("postgres", "qdrant")

USER = """
import asyncio, json, sys
from pathlib import Path
from talker.embedded import servers
from talker.settings import Settings

async def main():
    settings = Settings(_env_file=None, data_dir=Path(sys.argv[1]))
    async with servers(settings) as urls:
        print(json.dumps([urls.database_url, urls.qdrant_url]), flush=True)
        await asyncio.to_thread(sys.stdin.readline)

asyncio.run(main())
"""


@dataclass
class User:
    """A process of its own that uses the servers until it is told to leave."""

    process: asyncio.subprocess.Process

    async def urls(self) -> list[str]:
        assert self.process.stdout
        async with asyncio.timeout(30):
            urls: list[str] = json.loads(await self.process.stdout.readline())
        return urls

    async def leave(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        assert await self.process.wait() == 0

    async def kill(self) -> None:
        """End it at once, and with it, if nobody else holds them, its pipes."""
        assert self.process.stdout
        self.process.kill()
        async with asyncio.timeout(30):
            await self.process.wait()
            await self.process.stdout.read()


async def user_of(data_dir: Path) -> User:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", USER, str(data_dir),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    return User(process)


def settings_for(data_dir: Path) -> Settings:
    return Settings(_env_file=None, data_dir=data_dir)


def only_postgres(data_dir: Path) -> Settings:
    """For what is the same with both, at half the price."""
    return settings_for(data_dir).model_copy(update={"qdrant_url": "http://elsewhere:6333"})


def running(data_dir: Path) -> dict[str, int]:
    """The servers' process ids by name."""
    endpoints = {name: Place(data_dir / name).endpoint() for name in NAMES}
    return {name: endpoint.pid for name, endpoint in endpoints.items() if endpoint}


def postmaster(data_dir: Path) -> int:
    return int((data_dir / "postgres/data/postmaster.pid").read_text().split()[0])


async def until(fact: Callable[[], bool], within_s: float = 10) -> None:
    async with asyncio.timeout(within_s):
        while not fact():
            await asyncio.sleep(0.05)


async def note(urls: ServerUrls | str, words: str) -> None:
    url = urls if isinstance(urls, str) else urls.database_url
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute("CREATE TABLE IF NOT EXISTS notes (words text)")
        await connection.execute("INSERT INTO notes VALUES (%s)", [words])


async def notes(urls: ServerUrls | str) -> list[str]:
    url = urls if isinstance(urls, str) else urls.database_url
    async with await psycopg.AsyncConnection.connect(url) as connection:
        found = await connection.execute("SELECT words FROM notes ORDER BY words")
        return [words for (words,) in await found.fetchall()]


@asynccontextmanager
async def index(urls: ServerUrls) -> AsyncIterator[AsyncQdrantClient]:
    assert urls.qdrant_api_key
    headers = {"api-key": urls.qdrant_api_key.get_secret_value()}
    client = AsyncQdrantClient(url=urls.qdrant_url, headers=headers, check_compatibility=False)
    try:
        yield client
    finally:
        await client.close()


async def test_both_servers_start_on_an_empty_folder_and_stop_with_their_last_user(
    tmp_path: Path,
) -> None:
    async with servers(settings_for(tmp_path / "data")) as urls:
        await note(urls, "kept")
        async with index(urls) as client:
            await client.create_collection(
                "kept", {"dense": models.VectorParams(size=2, distance=models.Distance.DOT)}
            )
        assert running(tmp_path / "data").keys() == {"postgres", "qdrant"}
    assert running(tmp_path / "data") == {}

    async with servers(settings_for(tmp_path / "data")) as again:
        assert again == urls
        assert await notes(again) == ["kept"]
        async with index(again) as client:
            assert await client.collection_exists("kept")


async def test_servers_that_the_settings_name_are_taken_as_they_are(tmp_path: Path) -> None:
    settings = settings_for(tmp_path).model_copy(
        update={
            "database_url": "postgresql://somewhere/db",
            "qdrant_url": "https://elsewhere:6333",
            "qdrant_api_key": SecretStr("key"),
        }
    )
    async with servers(settings) as urls:
        assert asdict(urls) == {
            "database_url": "postgresql://somewhere/db",
            "qdrant_url": "https://elsewhere:6333",
            "qdrant_api_key": SecretStr("key"),
        }
    assert running(tmp_path) == {}


async def test_four_processes_that_start_at_once_share_one_of_each(tmp_path: Path) -> None:
    users = [await user_of(tmp_path) for _ in range(4)]
    seen = [await user.urls() for user in users]
    assert all(urls == seen[0] for urls in seen)
    shared = running(tmp_path)
    for user in users[:3]:
        await user.leave()
    assert running(tmp_path) == shared
    await users[3].leave()
    assert running(tmp_path) == {}


async def test_two_users_in_one_process_count_as_two(tmp_path: Path) -> None:
    async with servers(only_postgres(tmp_path)) as first:
        async with servers(only_postgres(tmp_path)) as second:
            assert first == second
        await note(first, "still there")
    assert running(tmp_path) == {}


async def test_another_folder_has_servers_of_its_own(tmp_path: Path) -> None:
    async with (
        servers(only_postgres(tmp_path / "one")) as one,
        servers(only_postgres(tmp_path / "two")) as two,
    ):
        assert one.database_url != two.database_url


async def test_what_runs_after_its_only_user_was_killed_is_adopted(tmp_path: Path) -> None:
    user = await user_of(tmp_path)
    database_url, _ = await user.urls()
    await note(database_url, "written before")
    left = running(tmp_path)
    await user.kill()
    async with servers(settings_for(tmp_path)) as urls:
        assert running(tmp_path) == left
        assert await notes(urls) == ["written before"]


async def test_servers_whose_users_were_all_killed_stop_by_themselves(tmp_path: Path) -> None:
    user = await user_of(tmp_path)
    await user.urls()
    await user.kill()
    await until(lambda: running(tmp_path) == {})
    assert not is_held(tmp_path / "postgres/postmaster.lock")


async def test_a_killed_postgres_comes_back_on_its_port_with_its_data(tmp_path: Path) -> None:
    async with servers(only_postgres(tmp_path)) as urls:
        await note(urls, "committed")
        killed = postmaster(tmp_path)
        os.kill(killed, signal.SIGKILL)
        keeper = running(tmp_path)
        await until(lambda: running(tmp_path) not in ({}, keeper))
        await until(lambda: bool((e := Place(tmp_path / "postgres").endpoint()) and e.port))
        assert await notes(urls) == ["committed"]


async def test_a_killed_index_comes_back_on_its_port_with_its_points(tmp_path: Path) -> None:
    async with servers(settings_for(tmp_path)) as urls, index(urls) as client:
        await client.create_collection(
            "kept", {"dense": models.VectorParams(size=2, distance=models.Distance.DOT)}
        )
        point = models.PointStruct(id=7, vector={"dense": [1.0, 2.0]}, payload={"a": "b"})
        await client.upsert("kept", [point])
        killed = running(tmp_path)["qdrant"]
        os.kill(killed, signal.SIGKILL)
        await until(lambda: running(tmp_path).get("qdrant", killed) != killed)
        await until(lambda: bool((e := Place(tmp_path / "qdrant").endpoint()) and e.port))
        (found,) = await client.retrieve("kept", [7])
        assert found.payload == {"a": "b"}


async def test_a_postgres_whose_keeper_was_killed_runs_on(tmp_path: Path) -> None:
    async with servers(only_postgres(tmp_path)) as urls:
        database = postmaster(tmp_path)
        async with await psycopg.AsyncConnection.connect(urls.database_url) as connection:
            keeper = running(tmp_path)["postgres"]
            os.kill(keeper, signal.SIGKILL)
            await until(lambda: running(tmp_path).get("postgres", keeper) != keeper)
            await until(lambda: bool((e := Place(tmp_path / "postgres").endpoint()) and e.port))
            assert postmaster(tmp_path) == database
            await connection.execute("SELECT 1")
    assert not is_held(tmp_path / "postgres/postmaster.lock")


async def test_a_process_id_left_behind_harms_no_other_program(tmp_path: Path) -> None:
    user = await user_of(tmp_path)
    database_url, _ = await user.urls()
    await note(database_url, "survives")
    await user.kill()
    os.kill(postmaster(tmp_path), signal.SIGKILL)
    for pid in running(tmp_path).values():
        os.kill(pid, signal.SIGKILL)
    await until(lambda: running(tmp_path) == {})

    # The ids in the files left behind are another program's by now.
    other = await asyncio.create_subprocess_exec("sleep", "60")
    pid_file = tmp_path / "postgres/data/postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(other.pid), *lines[1:], ""]))
    for name in NAMES:
        (tmp_path / name / "server.lock").write_text(json.dumps({"pid": other.pid, "port": 1}))

    async with servers(settings_for(tmp_path)) as urls:
        assert await notes(urls) == ["survives"]
    assert other.returncode is None
    other.kill()
    await other.wait()


async def test_folders_above_keep_their_permissions_and_are_no_obstacle(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    data_dir = closed / "data"
    data_dir.mkdir(mode=0o700)
    above = [data_dir, *data_dir.parents]
    before = [stat.S_IMODE(folder.stat().st_mode) for folder in above]
    async with servers(only_postgres(data_dir)) as urls:
        await note(urls, "reached")
        owner = (data_dir / "postgres/data").stat().st_uid
        assert owner != 0
        if os.geteuid() != 0:
            assert owner == os.geteuid()
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in above] == before


async def test_secrets_are_their_owners_alone(tmp_path: Path) -> None:
    async with servers(settings_for(tmp_path)) as urls:
        password, api_key = tmp_path / "postgres/password", tmp_path / "qdrant/api-key"
        assert password.read_text() in urls.database_url
        assert urls.qdrant_api_key == SecretStr(api_key.read_text())
        for path in (password, api_key):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / "postgres/data").stat().st_mode) == 0o700
        with pytest.raises(psycopg.OperationalError):
            await psycopg.AsyncConnection.connect(
                urls.database_url.replace(password.read_text(), "guessed")
            )


async def test_a_database_that_cannot_start_says_why_and_where_its_log_is(tmp_path: Path) -> None:
    async with servers(only_postgres(tmp_path)):
        pass
    (tmp_path / "postgres/data/PG_VERSION").unlink()
    with pytest.raises(EmbeddedServerFailed) as failure:
        async with servers(only_postgres(tmp_path)):
            pass
    assert str(failure.value) == (
        "The embedded Postgres does not start: Postgres ended while starting; see the lines "
        f"above in its log. Its log is {tmp_path}/postgres/server.log."
    )
    assert running(tmp_path) == {}


async def test_a_data_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(EmbeddedServerFailed, match=r"Not a directory: .*/data/"):
        async with servers(only_postgres(tmp_path / "data")):
            pass


async def test_a_second_start_is_quick(tmp_path: Path) -> None:
    async with servers(settings_for(tmp_path)):
        pass
    started = time.monotonic()
    async with servers(settings_for(tmp_path)):
        assert time.monotonic() - started < 5
