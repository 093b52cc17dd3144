"""What a person may have, and what they have: videos, hours, storage, dollars a day."""

from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from sqlalchemy import BigInteger, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from talker.models import LibraryEntry, Transcript, User, Video
from talker.settings import Settings

HOUR_MS, MEGABYTE = 3_600_000, 1_000_000

Amount = TypeVar("Amount", int, float)


@dataclass(frozen=True, slots=True)
class Quotas:
    """The most of each; 0 sets no bound."""

    videos: int = 0
    hours: float = 0
    storage_mb: float = 0
    daily_usd: float = 0

    @property
    def bound_library(self) -> bool:
        return bool(self.videos or self.hours or self.storage_mb)


@dataclass(frozen=True, slots=True)
class Held:
    """What is in a person's library. `hours` are of videos whose length is known; `bytes` are of
    the captions of their own files, since what came by a link is stored once for everybody."""

    videos: int
    duration_ms: int
    bytes: int

    @property
    def hours(self) -> float:
        return self.duration_ms / HOUR_MS

    @property
    def storage_mb(self) -> float:
        return self.bytes / MEGABYTE


def default_quotas(settings: Settings) -> Quotas:
    return Quotas(
        videos=settings.quota_videos,
        hours=settings.quota_hours,
        storage_mb=settings.quota_storage_mb,
        daily_usd=settings.daily_budget_usd,
    )


def quotas_of(user: User, settings: Settings) -> Quotas:
    """What holds for a person: what was set for them, else the settings'."""
    return Quotas(
        videos=_first(user.quota_videos, settings.quota_videos),
        hours=_first(user.quota_hours, settings.quota_hours),
        storage_mb=_first(user.quota_storage_mb, settings.quota_storage_mb),
        daily_usd=daily_usd(user, settings.daily_budget_usd),
    )


def daily_usd(user: User, default: float) -> float:
    return _first(user.quota_daily_usd, default)


async def held(session: AsyncSession, user_id: UUID) -> Held:
    own = (
        select(func.coalesce(func.sum(Transcript.bytes), 0))
        .join(Video, Video.id == Transcript.video_id)
        .where(Video.owner_id == user_id)
    )
    query = (
        select(
            func.count(),
            cast(func.coalesce(func.sum(Video.duration_ms), 0), BigInteger),
            cast(own.scalar_subquery(), BigInteger),
        )
        .select_from(LibraryEntry)
        .join(Video, Video.id == LibraryEntry.video_id)
        .where(LibraryEntry.user_id == user_id)
    )
    return Held(*(await session.execute(query)).one())


def _first(own: Amount | None, default: Amount) -> Amount:
    return default if own is None else own
