"""Local servers for who names none: Postgres and an index that speaks Qdrant's REST API.

Both live under DATA_DIR, each a process of its own that all our processes share: the first one
in starts it, the last one out stops it, and one that dies is started again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import SecretStr

from talker.embedded.share import Share

if TYPE_CHECKING:  # the servers' processes import this package, and have no use for ten megabytes
    from talker.settings import Settings


@dataclass(frozen=True)
class ServerUrls:
    database_url: str
    qdrant_url: str
    qdrant_api_key: SecretStr | None


@asynccontextmanager
async def servers(settings: Settings) -> AsyncIterator[ServerUrls]:
    """The servers that the settings name, or embedded ones for those whose URL is empty.

    Raises EmbeddedServerFailed where one does not start.
    """
    postgres = Share("Postgres", f"{__name__}.postgres_server", settings.data_dir / "postgres")
    qdrant = Share("Qdrant", f"{__name__}.qdrant_server", settings.data_dir / "qdrant")
    wanted = [
        share
        for share, url in ((postgres, settings.database_url), (qdrant, settings.qdrant_url))
        if not url
    ]
    try:
        for outcome in await asyncio.gather(
            *(asyncio.to_thread(share.join) for share in wanted), return_exceptions=True
        ):
            if outcome is not None:
                raise outcome
        yield await asyncio.to_thread(_urls, settings, postgres, qdrant)
    finally:
        await asyncio.gather(*(asyncio.to_thread(share.leave) for share in wanted))


def _urls(settings: Settings, postgres: Share, qdrant: Share) -> ServerUrls:
    return ServerUrls(
        database_url=settings.database_url or _database_url(postgres),
        qdrant_url=settings.qdrant_url or f"http://127.0.0.1:{qdrant.port}",
        qdrant_api_key=settings.qdrant_api_key if settings.qdrant_url else _api_key(qdrant),
    )


def _database_url(postgres: Share) -> str:
    password = postgres.place.secret("password")
    return f"postgresql://talker:{password}@127.0.0.1:{postgres.port}/postgres"


def _api_key(qdrant: Share) -> SecretStr:
    return SecretStr(qdrant.place.secret("api-key"))
