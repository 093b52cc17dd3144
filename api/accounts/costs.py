"""What models have cost: by person and model and day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import Date, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from agent.budget import today
from talker.models import ModelCall, User

DAYS = 30
MOST_DAYS = 366


@dataclass(frozen=True)
class Cost:
    """One person's calls of one model on one day (UTC), as far as the services told.

    `user_id` and `email` are null where nobody in particular asked.
    """

    day: date
    user_id: UUID | None
    email: str | None
    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: float


def span_of_days(start: date | None, end: date | None) -> tuple[date, date]:
    """The range asked for, both days included; the last 30 days without one."""
    last = end or today().date()
    return start or last - timedelta(days=DAYS - 1), last


async def read_costs(session: AsyncSession, start: date, end: date) -> Sequence[Cost]:
    """The dearest first within each day, the last day first."""
    day = cast(func.timezone("UTC", ModelCall.created_at), Date)
    usd = func.coalesce(func.sum(ModelCall.cost_usd), 0.0)
    rows = await session.execute(
        select(
            day,
            ModelCall.user_id,
            User.email,
            ModelCall.model,
            func.count(),
            func.sum(ModelCall.input_tokens),
            func.sum(ModelCall.output_tokens),
            usd,
        )
        .outerjoin(User, User.id == ModelCall.user_id)
        .where(
            ModelCall.created_at >= _midnight(start),
            ModelCall.created_at < _midnight(end) + timedelta(days=1),
        )
        .group_by(day, ModelCall.user_id, User.email, ModelCall.model)
        .order_by(day.desc(), usd.desc(), User.email, ModelCall.model)
    )
    return [
        Cost(day, user_id, email, model, calls, read or 0, written or 0, usd or 0.0)
        for day, user_id, email, model, calls, read, written, usd in rows
    ]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
