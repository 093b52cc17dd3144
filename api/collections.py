"""Collections: a person's named groups of videos."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from sqlalchemy import Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.asking import check_videos
from api.dependencies import CurrentUser, Limit, Offset, Session, named
from api.problems import problems
from api.videos import FailureOut
from talker import collections
from talker.errors import Conflict, NotFound
from talker.models import Collection, CollectionVideo, LibraryEntry, User, Video
from talker.sources import ListSource

router = APIRouter(prefix="/collections", tags=["collections"])

MAX_VIDEOS = 5_000

Name = Annotated[
    str,
    BeforeValidator(named),
    StringConstraints(
        strip_whitespace=True,
        min_length=1,
        max_length=collections.MAX_NAME,
        pattern=r"^[^\x00]*$",
    ),
]
VideoIds = Annotated[list[UUID], Field(max_length=MAX_VIDEOS)]


class NothingToFollow(Conflict):
    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name!r} comes from no playlist or channel, so there is nothing to subscribe to. "
            "Add a playlist or channel: that makes a collection that can be."
        )


class CollectionOut(BaseModel):
    """`videos` counts all in it, `ready` those that can be asked about; `source_url` is the
    playlist or channel it came from, and `sync_failure` why it was not brought up to date."""

    id: UUID
    name: str
    source_url: str | None
    subscribed: bool
    synced_at: datetime | None
    sync_failure: FailureOut | None
    videos: int
    ready: int
    created_at: datetime
    updated_at: datetime


class CollectionList(BaseModel):
    items: list[CollectionOut]
    total: int


class NewCollection(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Name
    video_ids: VideoIds = []


class CollectionChange(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    subscribed: bool | None = None


class MoreVideos(BaseModel):
    model_config = ConfigDict(extra="forbid")

    video_ids: VideoIds


@router.get("")
async def list_collections(
    session: Session, user: CurrentUser, limit: Limit = 100, offset: Offset = 0
) -> CollectionList:
    """The person's collections by name."""
    total = await session.scalar(select(func.count()).where(Collection.user_id == user.id))
    rows = await session.execute(
        _counted(user)
        .order_by(func.lower(Collection.name), Collection.id)
        .limit(limit)
        .offset(offset)
    )
    return CollectionList(items=[_out(*row) for row in rows], total=total or 0)


@router.post("", status_code=201, responses=problems(404, 409))
async def create_collection(
    new: NewCollection, session: Session, user: CurrentUser
) -> CollectionOut:
    """Make a collection, of videos of the library in the order given."""
    await check_videos(session, user, new.video_ids)
    collection = await collections.create(session, user, new.name)
    await collections.put_videos(session, collection, new.video_ids)
    return await _read(session, user, collection.id)


@router.get("/{collection_id}")
async def read_collection(
    collection_id: UUID, session: Session, user: CurrentUser
) -> CollectionOut:
    await collections.find(session, user, collection_id)
    return await _read(session, user, collection_id)


@router.patch("/{collection_id}", responses=problems(409))
async def change_collection(
    collection_id: UUID, change: CollectionChange, session: Session, user: CurrentUser
) -> CollectionOut:
    """Rename a collection, or follow its playlist or channel: what is new there is added."""
    collection = await collections.find(session, user, collection_id, lock=True)
    if change.subscribed and collection.source_id is None:
        raise NothingToFollow(collection.name)
    if change.name is not None:
        await collections.rename(session, collection, change.name)
    if change.subscribed is not None:
        collection.subscribed = change.subscribed
    await session.flush()
    return await _read(session, user, collection_id)


@router.delete("/{collection_id}", status_code=204)
async def delete_collection(collection_id: UUID, session: Session, user: CurrentUser) -> None:
    """Delete a collection; its videos stay, and so do conversations about what was in it."""
    await collections.remove(session, user, collection_id)


@router.post("/{collection_id}/videos")
async def put_videos(
    collection_id: UUID, more: MoreVideos, session: Session, user: CurrentUser
) -> CollectionOut:
    """Append videos of the library; those that are in it already stay where they are."""
    collection = await collections.find(session, user, collection_id)
    await check_videos(session, user, more.video_ids)
    await collections.put_videos(session, collection, more.video_ids)
    await session.flush()
    return await _read(session, user, collection_id)


@router.delete("/{collection_id}/videos/{video_id}", status_code=204)
async def take_out_video(
    collection_id: UUID, video_id: UUID, session: Session, user: CurrentUser
) -> None:
    """Take a video out of a collection; it stays in the library."""
    collection = await collections.find(session, user, collection_id)
    if not await collections.take_out(session, collection, video_id):
        raise NotFound(f"There is no video {video_id} in the collection {collection.name!r}.")


def _counted(user: User) -> Select[Collection, int, int]:
    """The person's collections, each with how many videos it has and how many are ready."""
    readable = and_(
        LibraryEntry.video_id == CollectionVideo.video_id, LibraryEntry.user_id == user.id
    )
    ready = func.count(Video.id).filter(Video.status == "ready")
    return (
        select(Collection, func.count(Video.id), ready)
        .outerjoin(CollectionVideo, CollectionVideo.collection_id == Collection.id)
        .outerjoin(LibraryEntry, readable)
        .outerjoin(Video, Video.id == LibraryEntry.video_id)
        .where(Collection.user_id == user.id)
        .group_by(Collection.id)
    )


async def _read(session: AsyncSession, user: User, collection_id: UUID) -> CollectionOut:
    query = _counted(user).where(Collection.id == collection_id)
    return _out(*(await session.execute(query)).one())


def _out(collection: Collection, videos: int, ready: int) -> CollectionOut:
    source = None
    if collection.source_kind is not None and collection.source_id is not None:
        source = ListSource(collection.source_kind, collection.source_id)  # type: ignore[arg-type]  # a check keeps the column to ListKind
    return CollectionOut(
        id=collection.id,
        name=collection.name,
        source_url=source and source.url,
        subscribed=collection.subscribed,
        synced_at=collection.synced_at,
        sync_failure=(
            FailureOut.model_validate(collection.sync_failure) if collection.sync_failure else None
        ),
        videos=videos,
        ready=ready,
        created_at=collection.created_at,
        updated_at=collection.updated_at,
    )
