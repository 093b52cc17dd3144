"""What adding sources would do and cost, without doing it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import or_, select

from ingestion.batch import names_file, read_file
from ingestion.captions import parse_file
from ingestion.sources import youtube_id
from talker.errors import LoadingFailed, WrongKindOfFile
from talker.models import User, Video
from talker.resources import Resources

CREDITS_PER_LINK = 2
"""At Supadata: one for the native transcript, one for title and length."""


@dataclass(frozen=True, slots=True)
class Planned:
    source: str
    fate: Literal["known", "load", "failed"]
    credits: int = 0
    detail: str | None = None


async def preview(resources: Resources, user: User, sources: Sequence[str]) -> list[Planned]:
    """One answer for each source, in order; `credits` are Supadata's, where it is set up."""
    links: dict[str, str] = {}
    planned: dict[str, Planned] = {}
    for source in sources:
        try:
            if names_file(source):
                planned[source] = await _file(resources, source)
            else:
                links[source] = youtube_id(source)
        except (LoadingFailed, WrongKindOfFile) as failure:
            planned[source] = Planned(source, "failed", detail=str(failure))
    known = await _known(resources, user, set(links.values()))
    settings = resources.settings
    charged = settings.supadata_api_key and "supadata" in settings.transcript_providers
    for source, name in links.items():
        planned[source] = (
            Planned(source, "known")
            if name in known
            else Planned(source, "load", CREDITS_PER_LINK if charged else 0)
        )
    return [planned[source] for source in sources]


async def _file(resources: Resources, source: str) -> Planned:
    content = await asyncio.to_thread(read_file, Path(source), resources.settings.max_upload_mb)
    await asyncio.to_thread(parse_file, Path(source).name, content)
    return Planned(source, "load")


async def _known(resources: Resources, user: User, ids: set[str]) -> set[str | None]:
    async with resources.sessions() as session:
        found = await session.scalars(
            select(Video.youtube_id).where(
                Video.youtube_id.in_(ids),
                Video.status == "ready",
                or_(Video.owner_id.is_(None), Video.owner_id == user.id),
            )
        )
        return set(found)
