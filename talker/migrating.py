"""Alembic on our own tables."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from talker import migrations
from talker.database import sqlalchemy_url


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return config


def upgrade(database_url: str) -> None:
    """Bring our tables to the newest revision."""
    engine = create_engine(sqlalchemy_url(database_url))
    with engine.connect() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()
