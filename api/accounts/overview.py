"""The accounts as an administrator sees them: how many things each has, never what."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from agent.budget import today
from talker.models import (
    LOCAL_USER_EMAIL,
    AccessToken,
    ApiKey,
    Conversation,
    LibraryEntry,
    ModelCall,
    User,
)


@dataclass(frozen=True)
class AccountRow:
    """`seen_at` is the last use of a login or a key, `month_usd` what models cost this month."""

    user: User
    videos: int
    conversations: int
    month_usd: float
    seen_at: datetime | None


def accounts(q: str = "") -> Select[User]:
    """Everybody with an account whose email has `q` in it."""
    query = select(User).where(User.email != LOCAL_USER_EMAIL)
    return query.where(User.email.icontains(q.replace("\x00", ""), autoescape=True)) if q else query


async def read_accounts(
    session: AsyncSession, which: Select[User], *, limit: int, offset: int
) -> list[AccountRow]:
    seen = func.greatest(
        select(func.max(AccessToken.used_at))
        .where(AccessToken.user_id == User.id)
        .scalar_subquery(),
        select(func.max(ApiKey.used_at)).where(ApiKey.user_id == User.id).scalar_subquery(),
    )
    cost = select(func.coalesce(func.sum(ModelCall.cost_usd), 0.0)).where(
        ModelCall.user_id == User.id, ModelCall.created_at >= today().replace(day=1)
    )
    counted = which.add_columns(
        select(func.count()).where(LibraryEntry.user_id == User.id).scalar_subquery(),
        select(func.count()).where(Conversation.user_id == User.id).scalar_subquery(),
        cost.scalar_subquery(),
        seen,
    )
    rows = await session.execute(counted.order_by(User.email, User.id).limit(limit).offset(offset))
    return [AccountRow(*row) for row in rows]
