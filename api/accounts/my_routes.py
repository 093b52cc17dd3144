"""One's own account: who one is, the password, where one is logged in."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import delete, func, select

from api.accounts import people
from api.accounts.attempts import count, forget
from api.accounts.auth_routes import AccountOut, AppAccounts, Password, account_out, drop_cookie
from api.accounts.errors import LoginNotFound, NotWithKey, WrongPassword
from api.accounts.leaving import delete_account, stop_answers
from api.accounts.passwords import MAX_CHARS
from api.dependencies import (
    AppResources,
    AppTalking,
    CurrentPerson,
    CurrentUser,
    Limit,
    Offset,
    Session,
)
from api.problems import problems
from talker.models import AccessToken, KeyScope, now

router = APIRouter(prefix="/auth", tags=["accounts"])


class MeOut(AccountOut):
    """`scope` is what the key or login that asks may do."""

    auth: Literal["local", "accounts"]
    scope: KeyScope


class PasswordChange(BaseModel):
    """`password` is the one until now."""

    model_config = ConfigDict(extra="forbid")

    password: Annotated[str, Field(max_length=MAX_CHARS)]
    new_password: Password


class LoginOut(BaseModel):
    """`device` is what the browser calls itself; `current` is the one that asks."""

    id: UUID
    device: str
    created_at: datetime
    used_at: datetime
    expires_at: datetime
    current: bool


class LoginList(BaseModel):
    items: list[LoginOut]
    total: int


@router.get("/me")
async def read_me(person: CurrentPerson, resources: AppResources) -> MeOut:
    known = account_out(person.user).model_dump()
    return MeOut(**known, auth=resources.settings.auth, scope=person.scope)


@router.delete("/me", status_code=204, responses=problems(409))
async def delete_me(
    person: CurrentPerson,
    request: Request,
    response: Response,
    resources: AppResources,
    talking: AppTalking,
    accounts: AppAccounts,
) -> None:
    """Delete the account with everything that is one's own, for good."""
    if person.key_id is not None:
        raise NotWithKey
    await stop_answers(talking, person.user)
    await delete_account(resources, request.app.state.checkpointer, person.user)
    drop_cookie(response, accounts)


@router.post("/password", status_code=204, responses=problems(409))
async def change_password(
    change: PasswordChange, person: CurrentPerson, resources: AppResources, accounts: AppAccounts
) -> None:
    """Set another password; all logins but this one end."""
    user = person.user
    await count(resources.sessions, accounts.failed_logins, f"{user.email} changing")
    if not await accounts.passwords.fits(user.password_hash, change.password):
        raise WrongPassword
    password_hash = await accounts.passwords.hash(change.new_password)
    async with resources.sessions.begin() as session:
        await forget(session, accounts.failed_logins, f"{user.email} changing")
        await people.set_password(session, user.id, password_hash)
        await people.log_out_everywhere(session, user.id, but=person.login_id)


@router.get("/sessions", responses=problems(409))
async def list_sessions(
    session: Session,
    person: CurrentPerson,
    _accounts: AppAccounts,
    limit: Limit = 100,
    offset: Offset = 0,
) -> LoginList:
    """Where one is logged in, the last used first."""
    own = select(AccessToken).where(
        AccessToken.user_id == person.user.id, AccessToken.expires_at > now()
    )
    total = await session.scalar(select(func.count()).select_from(own.subquery())) or 0
    rows = await session.scalars(
        own.order_by(AccessToken.used_at.desc(), AccessToken.id).limit(limit).offset(offset)
    )
    return LoginList(
        items=[
            LoginOut(
                id=row.id,
                device=row.device,
                created_at=row.created_at,
                used_at=row.used_at,
                expires_at=row.expires_at,
                current=row.id == person.login_id,
            )
            for row in rows
        ],
        total=total,
    )


@router.delete("/sessions", status_code=204, responses=problems(409))
async def end_other_sessions(
    session: Session, person: CurrentPerson, _accounts: AppAccounts
) -> None:
    """Log out everywhere but here."""
    await people.log_out_everywhere(session, person.user.id, but=person.login_id)


@router.delete("/sessions/{session_id}", status_code=204, responses=problems(409))
async def end_session(
    session_id: UUID, session: Session, user: CurrentUser, _accounts: AppAccounts
) -> None:
    """Log one browser out."""
    own = delete(AccessToken).where(AccessToken.id == session_id, AccessToken.user_id == user.id)
    if await session.scalar(own.returning(AccessToken.id)) is None:
        raise LoginNotFound(session_id)
