"""One-time links: to register, to set a new password. Whoever holds one may use it, once."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from api.accounts.errors import LinkUsedUp
from api.accounts.people import has_admin, normal_email
from api.accounts.tokens import Tokens
from talker.models import LinkPurpose, OneTimeLink, User, UserRole, now

RESET_WITHIN = timedelta(days=1)
SETUP_WITHIN = timedelta(days=7)

PAGES: dict[LinkPurpose, str] = {
    "invite": "/register#invite=",
    "setup": "/register#invite=",
    "reset": "/login#reset=",
}
"""Where a link leads. What follows a # is never sent to a server, and so stands in no log."""


@dataclass(frozen=True)
class MadeLink:
    """The only time that a link's token is known."""

    row: OneTimeLink
    token: str

    def url(self, base: str) -> str:
        return address_of(self.row.purpose, self.token, base)  # type: ignore[arg-type]  # a check keeps the column to LinkPurpose


def address_of(purpose: LinkPurpose, token: str, base: str) -> str:
    return f"{base}{PAGES[purpose]}{token}"


async def invite(
    session: AsyncSession,
    tokens: Tokens,
    *,
    email: str | None = None,
    role: UserRole = "user",
    within: timedelta,
) -> MadeLink:
    """An invitation, for one address alone where one is named. Raises BadEmail."""
    address = normal_email(email) if email else None
    return await _make(session, tokens, "invite", within, email=address, role=role)


async def reset(session: AsyncSession, tokens: Tokens, user: User) -> MadeLink:
    """A link that sets a new password; the person's earlier ones end."""
    await session.execute(delete(OneTimeLink).where(OneTimeLink.user_id == user.id))
    return await _make(session, tokens, "reset", RESET_WITHIN, user_id=user.id)


async def setup(session: AsyncSession, tokens: Tokens) -> MadeLink | None:
    """A link that makes the first administrator's account; null where somebody is one."""
    if await has_admin(session):
        return None
    return await _make(session, tokens, "setup", SETUP_WITHIN, role="admin")


async def use(
    session: AsyncSession, tokens: Tokens, token: str, purposes: Collection[LinkPurpose]
) -> OneTimeLink:
    """What a link says; from the commit on it is used up. Raises LinkUsedUp."""
    link = delete(OneTimeLink).where(
        OneTimeLink.token_hash == tokens.hash(token),
        OneTimeLink.purpose.in_(purposes),
        OneTimeLink.expires_at > now(),
    )
    used = (await session.scalars(link.returning(OneTimeLink))).one_or_none()
    if used is None or (used.purpose == "setup" and await has_admin(session)):
        raise LinkUsedUp
    return used


async def _make(
    session: AsyncSession,
    tokens: Tokens,
    purpose: LinkPurpose,
    within: timedelta,
    **values: object,
) -> MadeLink:
    await session.execute(delete(OneTimeLink).where(OneTimeLink.expires_at < now()))
    token, token_hash = tokens.new()
    expires_at: datetime = now() + within
    row = OneTimeLink(token_hash=token_hash, purpose=purpose, expires_at=expires_at, **values)
    session.add(row)
    await session.flush()
    return MadeLink(row, token)
