"""What one's own questions have cost."""

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import func, select

from agent.budget import spent, spent_today, today
from api.dependencies import AppResources, CurrentUser, Session
from talker.models import ModelCall
from talker.quotas import held, quotas_of

router = APIRouter(tags=["usage"])


class ModelUsage(BaseModel):
    """A month's calls of one model; tokens and cost as far as they are known."""

    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: float


class Share(BaseModel):
    """How much one has, and the `most` one may have; null where there is no bound."""

    used: float
    most: float | None


class LibraryShare(BaseModel):
    """`hours` are of videos whose length is known, `storage_mb` of the captions of own files."""

    videos: Share
    hours: Share
    storage_mb: Share


class Usage(BaseModel):
    """US dollars since midnight and since the month's first day, in UTC; `by_model` is the
    month's, dearest first. A `budget_usd` of null: a day has no bound. `library` is what the
    quotas are about."""

    today_usd: float
    month_usd: float
    budget_usd: float | None
    by_model: list[ModelUsage]
    library: LibraryShare


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
    quotas, has = quotas_of(user, resources.settings), await held(session, user.id)
    return Usage(
        today_usd=await spent_today(session, user.id),
        month_usd=await spent(session, user.id, month),
        budget_usd=quotas.daily_usd or None,
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
        library=LibraryShare(
            videos=Share(used=has.videos, most=quotas.videos or None),
            hours=Share(used=has.hours, most=quotas.hours or None),
            storage_mb=Share(used=has.storage_mb, most=quotas.storage_mb or None),
        ),
    )
