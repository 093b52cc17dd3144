"""What an administrator lets somebody have, and what of it they have."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from agent.budget import spent_today
from api.accounts import audit
from talker.models import User
from talker.quotas import Held, Quotas, default_quotas, held, quotas_of
from talker.settings import Settings

NAMES = ("videos", "hours", "storage_mb", "daily_usd")
MOST = 1_000_000_000

Amount = Annotated[float, Field(ge=0, le=MOST, allow_inf_nan=False)]


class OwnQuotas(BaseModel):
    """What is set for one person: null where the default holds, 0 where there is no bound."""

    model_config = ConfigDict(extra="forbid")

    videos: Annotated[int, Field(ge=0, le=MOST)] | None = None
    hours: Amount | None = None
    storage_mb: Amount | None = None
    daily_usd: Amount | None = None


@dataclass(frozen=True)
class Standing:
    """`holds` is what `own` and `defaults` come to."""

    own: OwnQuotas
    defaults: Quotas
    holds: Quotas
    held: Held
    today_usd: float

    @property
    def used(self) -> dict[str, float]:
        return {
            "videos": self.held.videos,
            "hours": self.held.hours,
            "storage_mb": self.held.storage_mb,
            "daily_usd": self.today_usd,
        }

    def lines(self) -> Iterator[tuple[str, float, float]]:
        for name in NAMES:
            yield name, self.used[name], getattr(self.holds, name)

    def as_json(self) -> dict[str, Any]:
        return {
            "own": self.own.model_dump(),
            "defaults": {name: getattr(self.defaults, name) for name in NAMES},
            "used": self.used,
        }


def own(user: User) -> OwnQuotas:
    return OwnQuotas(**{name: getattr(user, f"quota_{name}") for name in NAMES})


def put(session: AsyncSession, actor: str, user: User, wanted: OwnQuotas) -> None:
    for name in NAMES:
        setattr(user, f"quota_{name}", getattr(wanted, name))
    audit.record(session, actor, "set_quotas", user.email, **wanted.model_dump())


async def standing(session: AsyncSession, user: User, settings: Settings) -> Standing:
    return Standing(
        own=own(user),
        defaults=default_quotas(settings),
        holds=quotas_of(user, settings),
        held=await held(session, user.id),
        today_usd=await spent_today(session, user.id),
    )
