"""Quotas for administrators: what somebody may have, and has."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from api.accounts import people, quotas
from api.accounts.auth_routes import AppAccounts
from api.accounts.quotas import OwnQuotas
from api.dependencies import CurrentUser, Session
from api.problems import problems
from talker.models import User
from talker.settings import Settings

router = APIRouter(prefix="/admin", tags=["admin"], responses=problems(409))


class Amounts(BaseModel):
    """Videos in the library, hours of those whose length is known, megabytes of the captions of
    own files, and US dollars for models since midnight UTC."""

    videos: int
    hours: float
    storage_mb: float
    daily_usd: float


class QuotasOut(BaseModel):
    """`own` is what is set for this person (null: the default holds), `defaults` the settings';
    in both, 0 sets no bound. `used` is what they have."""

    own: OwnQuotas
    defaults: Amounts
    used: Amounts


@router.get("/users/{user_id}/quotas")
async def read_quotas(user_id: UUID, session: Session, accounts: AppAccounts) -> QuotasOut:
    user = await people.find(session, user_id)
    return await _out(session, user, accounts.settings)


@router.put("/users/{user_id}/quotas")
async def set_quotas(
    user_id: UUID,
    wanted: OwnQuotas,
    session: Session,
    admin: CurrentUser,
    accounts: AppAccounts,
) -> QuotasOut:
    """Set all four; what is left out, or null, is the default's again."""
    user = await people.find(session, user_id)
    quotas.put(session, admin.email, user, wanted)
    await session.flush()
    return await _out(session, user, accounts.settings)


async def _out(session: AsyncSession, user: User, settings: Settings) -> QuotasOut:
    return QuotasOut.model_validate((await quotas.standing(session, user, settings)).as_json())
