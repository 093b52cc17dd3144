"""Getting in and out: register, log in, log out, set a new password."""

from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.accounts import attempts, links, people
from api.accounts.errors import (
    InvitationNeeded,
    NotYourInvitation,
    RegistrationClosed,
    WrongCredentials,
)
from api.accounts.identity import COOKIE
from api.accounts.passwords import MAX_CHARS, MIN_CHARS
from api.accounts.service import DEVICE_COOKIE, Accounts, accounts_of
from api.dependencies import AppResources, Session
from api.problems import problems
from talker.models import AccessToken, LinkPurpose, User, UserRole, now

router = APIRouter(prefix="/auth", tags=["accounts"])

MAX_DEVICE = 200
DEVICE_DAYS = 365

AppAccounts = Annotated[Accounts, Depends(accounts_of)]

Email = Annotated[str, Field(max_length=320, examples=["ada@example.org"])]
Password = Annotated[str, Field(min_length=MIN_CHARS, max_length=MAX_CHARS)]
Token = Annotated[str, Field(max_length=100)]


class Credentials(BaseModel):
    model_config = ConfigDict(extra="forbid")

    email: Email
    password: Annotated[str, Field(max_length=MAX_CHARS)]


class NewAccount(BaseModel):
    """`invite` is what follows the # of an invitation's link."""

    model_config = ConfigDict(extra="forbid")

    email: Email
    password: Password
    invite: Token | None = None


class Forgotten(BaseModel):
    model_config = ConfigDict(extra="forbid")

    email: Email


class NewPassword(BaseModel):
    """`token` is what follows the # of a reset's link."""

    model_config = ConfigDict(extra="forbid")

    token: Token
    password: Password


class AccountOut(BaseModel):
    id: UUID
    email: str
    role: UserRole
    created_at: datetime


class AuthOptions(BaseModel):
    """How one gets in here; `mail` is whether a forgotten password's link comes by mail."""

    auth: Literal["local", "accounts"]
    registration: Literal["open", "invite", "closed"]
    mail: bool


class ResetAsked(BaseModel):
    """`mail` is false where no mail can be sent: the administrator hands the link over."""

    mail: bool
    detail: str


@router.get("/options")
async def read_options(resources: AppResources) -> AuthOptions:
    settings = resources.settings
    if settings.auth == "local":
        return AuthOptions(auth="local", registration="closed", mail=False)
    return AuthOptions(
        auth="accounts", registration=settings.registration, mail=bool(settings.smtp_host)
    )


@router.post("/register", status_code=201, responses=problems(409))
async def register(
    new: NewAccount, request: Request, resources: AppResources, accounts: AppAccounts
) -> AccountOut:
    """Make an account; then log in. A password has 12 characters or more, and no other rule.

    An address that has an account is answered with 409, which tells that it has one: without a
    confirmation mail there is no other way to say why it cannot be taken. How often one may try
    is bounded by address.
    """
    await attempts.count(
        resources.sessions, accounts.registrations_from, attempts.address_of(request)
    )
    registration = resources.settings.registration
    if new.invite is None and registration != "open":
        raise InvitationNeeded if registration == "invite" else RegistrationClosed
    email = people.normal_email(new.email)
    password_hash = await accounts.passwords.hash(new.password)
    async with resources.sessions.begin() as session:
        role = await _invited(session, accounts, email, new.invite) if new.invite else "user"
        user = await people.create(session, email, password_hash, role)
    return account_out(user)


@router.post("/login", responses=problems(401, 409))
async def log_in(
    sent: Credentials,
    request: Request,
    response: Response,
    resources: AppResources,
    accounts: AppAccounts,
) -> AccountOut:
    """Log in: the session cookie comes with the answer. An email that nobody has and a wrong
    password are answered alike, and take as long."""
    email, address = sent.email.strip().lower(), attempts.address_of(request)
    known_here = accounts.knows_device(request, email)
    await attempts.count(resources.sessions, accounts.failed_logins_from, address)
    await attempts.count(resources.sessions, accounts.failed_logins, f"{email} {address}")
    if not known_here:
        await attempts.count(resources.sessions, accounts.failed_logins_of, email)
    async with resources.sessions() as session:
        query = select(User).where(User.email == email.replace("\x00", ""), User.active)
        user = await session.scalar(query)
    known = user.password_hash if user else None
    if not await accounts.passwords.fits(known, sent.password) or user is None:
        raise WrongCredentials
    fresh = await _fresh_hash(accounts, user, sent.password)
    async with resources.sessions.begin() as session:
        await _check_unchanged(session, user)
        if fresh is not None:
            await people.set_password(session, user.id, fresh)
        await attempts.forget(session, accounts.failed_logins, f"{email} {address}")
        await attempts.take_back(session, accounts.failed_logins_from, address)
        if not known_here:
            await attempts.take_back(session, accounts.failed_logins_of, email)
        token = await _new_login(session, accounts, user, request)
    _set_cookie(response, accounts, token)
    _set_device(response, accounts, email)
    return account_out(user)


@router.post("/logout", status_code=204, responses=problems(409))
async def log_out(
    request: Request, response: Response, session: Session, accounts: AppAccounts
) -> None:
    """End this browser's session; without one nothing happens."""
    if cookie := request.cookies.get(COOKIE):
        token_hash = accounts.tokens.hash(cookie)
        await session.execute(delete(AccessToken).where(AccessToken.token_hash == token_hash))
    drop_cookie(response, accounts)


@router.post("/forgot", status_code=202, responses=problems(409))
async def forgot_password(
    sent: Forgotten,
    request: Request,
    background: BackgroundTasks,
    resources: AppResources,
    accounts: AppAccounts,
) -> ResetAsked:
    """Ask for a link that sets a new password. The answer is the same for an unknown email."""
    await attempts.count(
        resources.sessions, accounts.reset_mails_from, attempts.address_of(request)
    )
    email = sent.email.strip().lower().replace("\x00", "")
    await attempts.count(resources.sessions, accounts.reset_mails, email)
    if not accounts.mailer.configured:
        detail = "This server sends no mail. Ask the administrator for a link."
        return ResetAsked(mail=False, detail=detail)
    background.add_task(_mail_reset, resources, accounts, email, accounts.base(request))
    detail = "If there is an account for this address, a mail with a link is on its way."
    return ResetAsked(mail=True, detail=detail)


@router.post("/reset", status_code=204, responses=problems(409))
async def reset_password(new: NewPassword, resources: AppResources, accounts: AppAccounts) -> None:
    """Set a new password with a link's token; every login ends."""
    purposes: tuple[LinkPurpose, ...] = ("reset",)
    async with resources.sessions() as session:  # rolled back: what is hashed may take a while
        await links.use(session, accounts.tokens, new.token, purposes)
    password_hash = await accounts.passwords.hash(new.password)
    async with resources.sessions.begin() as session:
        used = await links.use(session, accounts.tokens, new.token, purposes)
        assert used.user_id is not None
        await people.set_password(session, used.user_id, password_hash)
        user = await session.get_one(User, used.user_id)
        await attempts.forget(session, accounts.failed_logins_of, user.email)
        await people.log_out_everywhere(session, used.user_id)


async def _invited(session: AsyncSession, accounts: Accounts, email: str, token: str) -> UserRole:
    """The role that an invitation gives. Raises LinkUsedUp or NotYourInvitation."""
    closed = accounts.settings.registration == "closed"
    purposes: tuple[LinkPurpose, ...] = ("setup",) if closed else ("setup", "invite")
    used = await links.use(session, accounts.tokens, token, purposes)
    if used.email is not None and used.email != email:
        raise NotYourInvitation
    return "admin" if used.role == "admin" else "user"


async def _fresh_hash(accounts: Accounts, user: User, password: str) -> str | None:
    """The password's hash with today's parameters, where it was made with others."""
    if user.password_hash is None or not accounts.passwords.is_dated(user.password_hash):
        return None
    return await accounts.passwords.hash(password)


async def _check_unchanged(session: AsyncSession, user: User) -> None:
    """Raise WrongCredentials where the password is not this one any more, or nobody's."""
    same = select(User.id).where(User.id == user.id, User.password_hash == user.password_hash)
    if await session.scalar(same.where(User.active).with_for_update()) is None:
        raise WrongCredentials


async def _new_login(
    session: AsyncSession, accounts: Accounts, user: User, request: Request
) -> str:
    old = delete(AccessToken).where(AccessToken.user_id == user.id)
    await session.execute(old.where(AccessToken.expires_at < now()))
    token, token_hash = accounts.tokens.new()
    session.add(
        AccessToken(
            user_id=user.id,
            token_hash=token_hash,
            device=request.headers.get("user-agent", "")[:MAX_DEVICE],
            expires_at=now() + timedelta(days=accounts.settings.session_days),
        )
    )
    return token


async def _mail_reset(resources: AppResources, accounts: Accounts, email: str, base: str) -> None:
    async with resources.sessions.begin() as session:
        user = await session.scalar(select(User).where(User.email == email, User.active))
        if user is None or user.password_hash is None:
            return
        made = await links.reset(session, accounts.tokens, user)
    await accounts.mailer.reset(email, made.url(base), made.row.expires_at)


def _set_cookie(response: Response, accounts: Accounts, token: str) -> None:
    response.set_cookie(
        COOKIE,
        token,
        max_age=accounts.settings.session_days * 86_400,
        httponly=True,
        samesite="lax",
        secure=accounts.settings.environment == "production",
    )


def _set_device(response: Response, accounts: Accounts, email: str) -> None:
    response.set_cookie(
        DEVICE_COOKIE,
        accounts.device(email),
        max_age=DEVICE_DAYS * 86_400,
        path="/api/auth",
        httponly=True,
        samesite="lax",
        secure=accounts.settings.environment == "production",
    )


def drop_cookie(response: Response, accounts: Accounts) -> None:
    response.delete_cookie(
        COOKIE,
        httponly=True,
        samesite="lax",
        secure=accounts.settings.environment == "production",
    )


def account_out(user: User) -> AccountOut:
    return AccountOut.model_validate(user, from_attributes=True)
