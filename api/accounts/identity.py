"""Who asks: by the session cookie, or by an API key."""

from dataclasses import dataclass
from datetime import datetime, timedelta
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
    """Somebody, and by what they are known: a login, a key, or neither in AUTH=local.

    `seen_at` is when the login or the key was used before, as far as it is kept.
    """

    user: User
    login_id: UUID | None = None
    key_id: UUID | None = None
    scope: KeyScope = "full"
    seen_at: datetime | None = None

    @property
    def is_admin(self) -> bool:
        return self.user.role == "admin"

    @property
    def may_lapse(self) -> bool:
        return self.login_id is not None or self.key_id is not None

    @property
    def news(self) -> bool:
        """Whether this use is worth a write."""
        return self.may_lapse and (self.seen_at is None or self.seen_at < now() - SEEN_EVERY)


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


async def still_holds(session: AsyncSession, person: Person) -> User | None:
    """Who was let in a while ago, as they are now; null where they would not be let in again."""
    if person.login_id is not None:
        query: Select[User] = _logins().with_only_columns(User)
        query = query.where(AccessToken.id == person.login_id)
    elif person.key_id is not None:
        query = _keys().with_only_columns(User).where(ApiKey.id == person.key_id)
    else:
        return person.user
    return await session.scalar(query)


async def note_use(session: AsyncSession, person: Person) -> None:
    """Keep when a login or a key was used last."""
    if person.login_id is not None:
        login = update(AccessToken).where(AccessToken.id == person.login_id)
        await session.execute(login.values(used_at=now()))
    else:
        await session.execute(
            update(ApiKey).where(ApiKey.id == person.key_id).values(used_at=now())
        )


async def _by_login(session: AsyncSession, token_hash: str) -> Person | None:
    row = (await session.execute(_logins().where(AccessToken.token_hash == token_hash))).first()
    if row is None:
        return None
    user, login = row
    return Person(user, login_id=login.id, seen_at=login.used_at)


async def _by_key(session: AsyncSession, key_hash: str) -> Person | None:
    row = (await session.execute(_keys().where(ApiKey.key_hash == key_hash))).first()
    if row is None:
        return None
    user, key = row
    scope: KeyScope = "full" if key.scope == "full" else "read"
    return Person(user, key_id=key.id, scope=scope, seen_at=key.used_at)


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
