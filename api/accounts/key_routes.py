"""API keys, with which programs ask as the person who made them."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import delete, func, select

from api.accounts.auth_routes import AppAccounts
from api.accounts.errors import KeyNotFound, TooManyKeys
from api.accounts.tokens import KEY_PREFIX, SHOWN
from api.dependencies import CurrentUser, Limit, Offset, Session
from api.problems import problems
from talker.models import ApiKey, KeyScope, now

router = APIRouter(prefix="/keys", tags=["accounts"], responses=problems(409))

MAX_KEYS = 100

Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00]*$"),
]


class KeyOut(BaseModel):
    """`prefix` is how the key begins; an `expires_at` of null is never."""

    id: UUID
    name: str
    prefix: str
    scope: KeyScope
    created_at: datetime
    used_at: datetime | None
    expires_at: datetime | None


class KeyList(BaseModel):
    items: list[KeyOut]
    total: int


class NewKey(BaseModel):
    """A `read` key may only read; `expires_in_days` of null is never."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    scope: KeyScope = "full"
    expires_in_days: int | None = Field(default=None, ge=1, le=3_650)


class MadeKey(KeyOut):
    """`key` is shown this once."""

    key: str


@router.get("")
async def list_keys(
    session: Session,
    user: CurrentUser,
    _accounts: AppAccounts,
    limit: Limit = 100,
    offset: Offset = 0,
) -> KeyList:
    """One's own keys, the newest first, those that are expired too."""
    own = select(ApiKey).where(ApiKey.user_id == user.id)
    total = await session.scalar(select(func.count()).select_from(own.subquery())) or 0
    rows = await session.scalars(
        own.order_by(ApiKey.created_at.desc(), ApiKey.id).limit(limit).offset(offset)
    )
    return KeyList(items=[key_out(row) for row in rows], total=total)


@router.post("", status_code=201)
async def create_key(
    new: NewKey, session: Session, user: CurrentUser, accounts: AppAccounts
) -> MadeKey:
    """Make a key. Send it as `Authorization: Bearer …`; it is shown this once."""
    count = await session.scalar(select(func.count()).where(ApiKey.user_id == user.id)) or 0
    if count >= MAX_KEYS:
        raise TooManyKeys(MAX_KEYS)
    key, key_hash = accounts.tokens.new(KEY_PREFIX)
    days = new.expires_in_days
    row = ApiKey(
        user_id=user.id,
        key_hash=key_hash,
        name=new.name,
        prefix=key[:SHOWN],
        scope=new.scope,
        expires_at=now() + timedelta(days=days) if days else None,
    )
    session.add(row)
    await session.flush()
    return MadeKey(**key_out(row).model_dump(), key=key)


@router.delete("/{key_id}", status_code=204)
async def revoke_key(
    key_id: UUID, session: Session, user: CurrentUser, _accounts: AppAccounts
) -> None:
    """Revoke a key; it opens nothing from now on."""
    own = delete(ApiKey).where(ApiKey.id == key_id, ApiKey.user_id == user.id)
    if await session.scalar(own.returning(ApiKey.id)) is None:
        raise KeyNotFound(key_id)


def key_out(row: ApiKey) -> KeyOut:
    return KeyOut.model_validate(row, from_attributes=True)
