"""A new release with a migration, and back: the release before goes on answering."""

import asyncio
import os
import shutil
import sys
from pathlib import Path

import httpx
import psycopg

from talker import migrations
from talker.settings import Settings
from tests import make
from tests.api.test_runs import QUESTION
from tests.conftest import running
from tests.deployment.caddy import ROOT

NEXT = '''"""The next release's: something new beside what there is"""

import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("shelves", sa.Column("id", sa.Uuid(), primary_key=True))
    op.add_column("videos", sa.Column("shelf", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("videos", "shelf")
    op.drop_table("shelves")
'''


def next_release(folder: Path) -> Path:
    """The migrations of this release and one more, with an alembic.ini beside them."""
    own = Path(migrations.__file__).parent
    copied = folder / "migrations"
    shutil.copytree(own, copied, ignore=shutil.ignore_patterns("__pycache__"))
    head = max(one.name for one in (copied / "versions").glob("[0-9]*.py")).partition("_")[0]
    (copied / "versions" / "9999_shelves.py").write_text(NEXT.format(head=head))
    ini = folder / "alembic.ini"
    ini.write_text(f"[alembic]\nscript_location = {copied}\n")
    return ini


async def alembic(*arguments: str, ini: Path, settings: Settings) -> str:
    """The command as an operator gives it."""
    env = {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "QDRANT_URL": settings.qdrant_url,
        "DATA_DIR": str(settings.data_dir),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "alembic", "--config", str(ini), *arguments),
        cwd=ROOT,
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return out.decode()


def revision(settings: Settings) -> str:
    with psycopg.connect(settings.database_url) as connection:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    assert row is not None
    return str(row[0])


async def works(http: httpx.AsyncClient) -> None:
    """Reading, writing, asking."""
    assert (await http.get("/api/videos")).json()["total"] > 0
    await make.upload(http, make.captions(make.BREAD))
    events = await make.ask(http, await make.conversation(http), QUESTION)
    assert make.only(events, "message")["citations"]


async def test_a_release_goes_on_before_and_after_the_nexts_migration_and_can_be_brought_back(
    settings: Settings, tmp_path: Path
) -> None:
    ini = next_release(tmp_path)
    before = revision(settings)
    async with running(settings) as app:
        await make.upload(app.http, make.captions(make.OCEAN))
        await alembic("upgrade", "head", ini=ini, settings=settings)
        assert revision(settings) == "9999"
        await works(app.http)
    async with running(settings) as app:  # brought back: it starts on the newer tables
        await works(app.http)
        assert revision(settings) == "9999"
        await alembic("downgrade", "-1", ini=ini, settings=settings)
        assert revision(settings) == before
        await works(app.http)
    async with running(settings) as app:
        await works(app.http)
