"""What a person's calls of chat models have cost, and what they may cost in a day."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from talker.errors import BudgetUsedUp
from talker.models import ModelCall, now


async def check_budget(session: AsyncSession, user_id: UUID, budget_usd: float) -> None:
    """Raise BudgetUsedUp for a person whose day's budget is spent; a budget of 0 has no end.

    It is asked before an answer begins, so the one that crosses the line is still whole. A call
    whose cost is not known counts as nothing: the servers that never tell are one's own, and one
    that broke off is estimated by what its model cost before.
    """
    if budget_usd and await spent_today(session, user_id) >= budget_usd:
        left = today() + timedelta(days=1) - now()
        raise BudgetUsedUp(budget_usd, 1 + int(left.total_seconds()) // 3600)


async def spent_today(session: AsyncSession, user_id: UUID) -> float:
    """US dollars since midnight UTC."""
    return await spent(session, user_id, today())


async def spent(session: AsyncSession, user_id: UUID, since: datetime) -> float:
    """US dollars since a moment, as far as it is known."""
    query = select(func.sum(ModelCall.cost_usd)).where(
        ModelCall.user_id == user_id, ModelCall.created_at >= since
    )
    return (await session.scalars(query)).one() or 0.0


def today() -> datetime:
    """The day's first moment, in UTC."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
