"""What administrators do: accounts, invitations, and what was done."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.accounts import audit, links, people
from api.accounts.auth_routes import AccountOut, AppAccounts, Email
from api.accounts.errors import InvitationNotFound
from api.accounts.leaving import delete_account, stop_answers
from api.accounts.overview import AccountRow, accounts, read_accounts
from api.dependencies import AppResources, AppTalking, CurrentUser, Limit, Offset, Session
from api.problems import problems
from talker.models import AuditEvent, OneTimeLink, User, UserRole, now

router = APIRouter(prefix="/admin", tags=["admin"], responses=problems(409))


class UserOut(AccountOut):
    """`seen_at` is when they were last here, `month_usd` what models cost them this month."""

    active: bool
    videos: int
    conversations: int
    month_usd: float
    seen_at: datetime | None


class UserList(BaseModel):
    items: list[UserOut]
    total: int


class UserChange(BaseModel):
    """What is left out stays as it is; who is not `active` cannot log in, and keeps everything."""

    model_config = ConfigDict(extra="forbid")

    role: UserRole | None = None
    active: bool | None = None


class NewInvitation(BaseModel):
    """With an `email` it is for that address alone, and mailed there where mail is set up."""

    model_config = ConfigDict(extra="forbid")

    email: Email | None = None
    role: UserRole = "user"
    expires_in_days: int | None = Field(default=None, ge=1, le=365)


class InvitationOut(BaseModel):
    id: UUID
    email: str | None
    role: UserRole
    created_at: datetime
    expires_at: datetime


class InvitationList(BaseModel):
    items: list[InvitationOut]
    total: int


class MadeInvitation(InvitationOut):
    """`url` is shown this once, for you to hand over."""

    url: str


class MadeReset(BaseModel):
    """`url` is shown this once, for you to hand over; it sets a new password."""

    url: str
    expires_at: datetime


class AuditOut(BaseModel):
    id: UUID
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]
    created_at: datetime


class AuditList(BaseModel):
    items: list[AuditOut]
    total: int


@router.get("/users")
async def list_users(
    session: Session,
    _accounts: AppAccounts,
    q: Annotated[str, Query(max_length=200)] = "",
    limit: Limit = 100,
    offset: Offset = 0,
) -> UserList:
    """The accounts by email; `q` looks in it."""
    which = accounts(q.strip())
    total = await session.scalar(select(func.count()).select_from(which.subquery())) or 0
    rows = await read_accounts(session, which, limit=limit, offset=offset)
    return UserList(items=[_out(row) for row in rows], total=total)


@router.patch("/users/{user_id}")
async def change_user(
    user_id: UUID, change: UserChange, session: Session, admin: CurrentUser, _accounts: AppAccounts
) -> UserOut:
    """Make somebody an administrator or not, or lock them out; their logins end then."""
    user = await people.find(session, user_id)
    await people.change(session, user, role=change.role, active=change.active)
    audit.record(
        session, admin.email, "change_user", user.email, **change.model_dump(exclude_none=True)
    )
    return await _read(session, user_id)


@router.delete("/users/{user_id}", status_code=204)
async def delete_user(
    user_id: UUID,
    request: Request,
    admin: CurrentUser,
    resources: AppResources,
    talking: AppTalking,
    _accounts: AppAccounts,
) -> None:
    """Delete an account with everything that is theirs, for good."""
    async with resources.sessions() as session:
        user = await people.find(session, user_id)
    await stop_answers(talking, user)
    await delete_account(resources, request.app.state.checkpointer, user)
    async with resources.sessions.begin() as session:
        audit.record(session, admin.email, "delete_user", user.email)


@router.post("/users/{user_id}/reset", status_code=201)
async def make_reset_link(
    user_id: UUID, request: Request, session: Session, admin: CurrentUser, service: AppAccounts
) -> MadeReset:
    """A link with which somebody sets a new password; earlier ones of theirs end."""
    user = await people.find(session, user_id)
    made = await links.reset(session, service.tokens, user)
    audit.record(session, admin.email, "reset_link", user.email)
    return MadeReset(url=made.url(service.base(request)), expires_at=made.row.expires_at)


@router.get("/invitations")
async def list_invitations(
    session: Session, _accounts: AppAccounts, limit: Limit = 100, offset: Offset = 0
) -> InvitationList:
    """Those that still work, the newest first."""
    open_ = select(OneTimeLink).where(
        OneTimeLink.purpose == "invite", OneTimeLink.expires_at > now()
    )
    total = await session.scalar(select(func.count()).select_from(open_.subquery())) or 0
    rows = await session.scalars(
        open_.order_by(OneTimeLink.created_at.desc(), OneTimeLink.id).limit(limit).offset(offset)
    )
    return InvitationList(items=[_invitation(row) for row in rows], total=total)


@router.post("/invitations", status_code=201)
async def invite(
    new: NewInvitation,
    request: Request,
    background: BackgroundTasks,
    session: Session,
    admin: CurrentUser,
    service: AppAccounts,
) -> MadeInvitation:
    days = new.expires_in_days or service.settings.invitation_days
    made = await links.invite(
        session, service.tokens, email=new.email, role=new.role, within=timedelta(days=days)
    )
    audit.record(session, admin.email, "invite", made.row.email or "anybody", role=new.role)
    url = made.url(service.base(request))
    if made.row.email and service.mailer.configured:
        background.add_task(service.mailer.invite, made.row.email, url, made.row.expires_at)
    return MadeInvitation(**_invitation(made.row).model_dump(), url=url)


@router.delete("/invitations/{invitation_id}", status_code=204)
async def revoke_invitation(
    invitation_id: UUID, session: Session, admin: CurrentUser, _accounts: AppAccounts
) -> None:
    invitation = delete(OneTimeLink).where(
        OneTimeLink.id == invitation_id, OneTimeLink.purpose == "invite"
    )
    row = await session.scalar(invitation.returning(OneTimeLink))
    if row is None:
        raise InvitationNotFound(invitation_id)
    audit.record(session, admin.email, "revoke_invitation", row.email or "anybody")


@router.get("/audit")
async def read_audit(
    session: Session, _accounts: AppAccounts, limit: Limit = 100, offset: Offset = 0
) -> AuditList:
    """What administrators did, the last first."""
    total = await session.scalar(select(func.count()).select_from(AuditEvent)) or 0
    newest = select(AuditEvent).order_by(AuditEvent.created_at.desc(), AuditEvent.id)
    rows = await session.scalars(newest.limit(limit).offset(offset))
    items = [AuditOut.model_validate(row, from_attributes=True) for row in rows]
    return AuditList(items=items, total=total)


async def _read(session: AsyncSession, user_id: UUID) -> UserOut:
    await session.flush()
    which = accounts().where(User.id == user_id)
    [row] = await read_accounts(session, which, limit=1, offset=0)
    return _out(row)


def _out(row: AccountRow) -> UserOut:
    user = row.user
    return UserOut(
        id=user.id,
        email=user.email,
        role=user.role,
        created_at=user.created_at,
        active=user.active,
        videos=row.videos,
        conversations=row.conversations,
        month_usd=row.month_usd,
        seen_at=row.seen_at,
    )


def _invitation(row: OneTimeLink) -> InvitationOut:
    return InvitationOut.model_validate(row, from_attributes=True)
