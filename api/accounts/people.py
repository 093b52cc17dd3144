"""People with accounts: made, found, changed."""

import re
from uuid import UUID

from sqlalchemy import Select, delete, exists, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from api.accounts.errors import AccountNotFound, BadEmail, EmailTaken, LastAdmin
from talker.errors import UserNotFound
from talker.models import LOCAL_USER_EMAIL, AccessToken, User, UserRole, now

MAX_EMAIL = 254

ADMINS_LOCK = 7_201_146_024
"""Our key among Postgres's advisory locks: administrators come and go one at a time."""

_PART = r"[^@\s\x00-\x1f\x7f<>(),;:\"\\\[\]]+"
_EMAIL = re.compile(f"{_PART}@{_PART}")
"""Loose, since only a mail proves an address; but one alone, whatever header it stands in."""


def normal_email(email: str) -> str:
    """The form in which an address is stored and looked for. Raises BadEmail."""
    normal = email.strip().lower()
    if len(normal) > MAX_EMAIL or not _EMAIL.fullmatch(normal):
        raise BadEmail(email)
    return normal


async def find_by_email(session: AsyncSession, email: str) -> User:
    """The person with that address who has an account. Raises UserNotFound."""
    user = await session.scalar(select(User).where(User.email == email.strip().lower()))
    if user is None or user.email == LOCAL_USER_EMAIL:
        raise UserNotFound(email)
    return user


async def find(session: AsyncSession, user_id: UUID) -> User:
    """Raises AccountNotFound, for the one person of AUTH=local too."""
    user = await session.get(User, user_id)
    if user is None or user.email == LOCAL_USER_EMAIL:
        raise AccountNotFound(user_id)
    return user


async def create(
    session: AsyncSession, email: str, password_hash: str | None, role: UserRole = "user"
) -> User:
    """A new account; the first administrator's takes over what the one person of AUTH=local has.

    Raises BadEmail or EmailTaken.
    """
    address = normal_email(email)
    values = {
        "email": address,
        "password_hash": password_hash,
        "role": role,
        "created_at": now(),
    }
    first = role == "admin" and not await has_admin(session)
    try:
        async with session.begin_nested():
            if first:
                local = update(User).where(User.email == LOCAL_USER_EMAIL)
                made = (await session.scalars(local.values(values).returning(User))).one()
                session.add(User(email=LOCAL_USER_EMAIL))
            else:
                made = User(**values)
                session.add(made)
    except IntegrityError as error:
        raise EmailTaken(address) from error
    return made


async def has_admin(session: AsyncSession) -> bool:
    """Whether somebody administers; the answer holds until the transaction's end."""
    await session.execute(select(func.pg_advisory_xact_lock(ADMINS_LOCK)))
    return bool(await session.scalar(select(exists(_admins()))))


async def keep_an_admin(session: AsyncSession, user: User) -> None:
    """Raise LastAdmin for the only one there is, who would be missed by the others."""
    if user.role != "admin" or not user.active:
        return
    await session.execute(select(func.pg_advisory_xact_lock(ADMINS_LOCK)))
    if not await session.scalar(select(exists(_admins().where(User.id != user.id)))):
        raise LastAdmin


async def change(
    session: AsyncSession, user: User, *, role: UserRole | None = None, active: bool | None = None
) -> None:
    """Change what is not null; who is locked out is logged out too. Raises LastAdmin."""
    if role == "user" or active is False:
        await keep_an_admin(session, user)
    if role is not None:
        user.role = role
    if active is not None:
        user.active = active
    if active is False:
        await log_out_everywhere(session, user.id)
    await session.flush()


async def set_password(session: AsyncSession, user_id: UUID, password_hash: str) -> None:
    await session.execute(
        update(User).where(User.id == user_id).values(password_hash=password_hash)
    )


async def log_out_everywhere(
    session: AsyncSession, user_id: UUID, *, but: UUID | None = None
) -> None:
    """End all logins of a person, but for one."""
    tokens = delete(AccessToken).where(AccessToken.user_id == user_id)
    await session.execute(tokens if but is None else tokens.where(AccessToken.id != but))


def _admins() -> Select[UUID]:
    return select(User.id).where(User.role == "admin", User.active)
