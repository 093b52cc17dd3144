"""Who asks: by the session cookie, or by an API key."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection

from api.accounts.tokens import Tokens
from talker.models import LOCAL_USER_EMAIL, AccessToken, ApiKey, KeyScope, User, now

COOKIE = "talker_session"

SEEN_EVERY = timedelta(minutes=1)
"""How exactly the last use is kept; more would be a write for every request."""


@dataclass(frozen=True)
class Person:
    """Somebody, and by what they are known: a login, a key, or neither in AUTH=local."""

    user: User
    login_id: UUID | None = None
    key_id: UUID | None = None
    scope: KeyScope = "full"

    @property
    def is_admin(self) -> bool:
        return self.user.role == "admin"


async def local_person(session: AsyncSession) -> Person:
    """The one person of AUTH=local."""
    query = select(User).where(User.email == LOCAL_USER_EMAIL)
    return Person((await session.scalars(query)).one())


async def known_person(
    session: AsyncSession, tokens: Tokens, connection: HTTPConnection
) -> Person | None:
    """Whose key or cookie was sent; null for nobody's, or one that does not hold any more.

    A key that is sent decides, whatever cookie comes with it.
    """
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return await _by_key(session, tokens.hash(key.strip()))
    if cookie := connection.cookies.get(COOKIE):
        return await _by_login(session, tokens.hash(cookie))
    return None


async def still_holds(session: AsyncSession, person: Person) -> bool:
    """Whether who was let in a while ago would be let in again."""
    if person.login_id is not None:
        query: Select[User] = _logins().with_only_columns(User)
        query = query.where(AccessToken.id == person.login_id)
    elif person.key_id is not None:
        query = _keys().with_only_columns(User).where(ApiKey.id == person.key_id)
    else:
        return True
    return await session.scalar(query) is not None


async def _by_login(session: AsyncSession, token_hash: str) -> Person | None:
    row = (await session.execute(_logins().where(AccessToken.token_hash == token_hash))).first()
    if row is None:
        return None
    user, login = row
    if login.used_at < now() - SEEN_EVERY:
        seen = update(AccessToken).where(AccessToken.id == login.id).values(used_at=now())
        await session.execute(seen)
    return Person(user, login_id=login.id)


async def _by_key(session: AsyncSession, key_hash: str) -> Person | None:
    row = (await session.execute(_keys().where(ApiKey.key_hash == key_hash))).first()
    if row is None:
        return None
    user, key = row
    if key.used_at is None or key.used_at < now() - SEEN_EVERY:
        await session.execute(update(ApiKey).where(ApiKey.id == key.id).values(used_at=now()))
    return Person(user, key_id=key.id, scope="full" if key.scope == "full" else "read")


def _logins() -> Select[User, AccessToken]:
    return (
        select(User, AccessToken)
        .join(AccessToken, AccessToken.user_id == User.id)
        .where(User.active, AccessToken.expires_at > now())
    )


def _keys() -> Select[User, ApiKey]:
    return (
        select(User, ApiKey)
        .join(ApiKey, ApiKey.user_id == User.id)
        .where(User.active, or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now()))
    )
