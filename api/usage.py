"""What one's own questions have cost."""

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import func, select

from agent.budget import spent, spent_today, today
from api.dependencies import AppResources, CurrentUser, Session
from talker.models import ModelCall

router = APIRouter(tags=["usage"])


class ModelUsage(BaseModel):
    """A month's calls of one model; tokens and cost as far as they are known."""

    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: float


class Usage(BaseModel):
    """US dollars since midnight and since the month's first day, in UTC; `by_model` is the
    month's, dearest first. A `budget_usd` of null: a day has no bound."""

    today_usd: float
    month_usd: float
    budget_usd: float | None
    by_model: list[ModelUsage]


@router.get("/usage")
async def my_usage(session: Session, user: CurrentUser, resources: AppResources) -> Usage:
    month = today().replace(day=1)
    cost = func.coalesce(func.sum(ModelCall.cost_usd), 0.0)
    rows = await session.execute(
        select(
            ModelCall.model,
            func.count(),
            func.coalesce(func.sum(ModelCall.input_tokens), 0),
            func.coalesce(func.sum(ModelCall.output_tokens), 0),
            cost,
        )
        .where(ModelCall.user_id == user.id, ModelCall.created_at >= month)
        .group_by(ModelCall.model)
        .order_by(cost.desc(), ModelCall.model)
    )
    return Usage(
        today_usd=await spent_today(session, user.id),
        month_usd=await spent(session, user.id, month),
        budget_usd=resources.settings.daily_budget_usd or None,
        by_model=[
            ModelUsage(
                model=model,
                calls=calls,
                input_tokens=input_tokens,
                output_tokens=output_tokens,
                cost_usd=cost_usd,
            )
            for model, calls, input_tokens, output_tokens, cost_usd in rows
        ],
    )
