"""Alembic's entry: on the connection it is given, else on the database the settings name."""

import asyncio
from typing import Any

from alembic import context
from sqlalchemy import Connection, create_engine

from talker.database import sqlalchemy_url
from talker.embedded import servers
from talker.models import Base
from talker.settings import load_settings

OTHERS = ("checkpoint", "procrastinate_")
"""Tables that LangGraph and procrastinate make and migrate themselves."""


def include_name(name: str | None, kind: str, _parents: Any) -> bool:
    return kind != "table" or name is None or not name.startswith(OTHERS)


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_name=include_name,
        compare_type=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_by_hand() -> None:
    async with servers(load_settings()) as urls:
        engine = create_engine(sqlalchemy_url(urls.database_url))
        with engine.connect() as connection:
            run(connection)
        engine.dispose()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    asyncio.run(run_by_hand())
