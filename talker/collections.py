"""Collections: a person's named groups of videos, as the programs share them.

Whatever reads one narrows it to the videos that its person may read: a video that left their
library is nowhere in it.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import and_, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from talker.cleaning import plain_name
from talker.errors import CollectionNameTaken, CollectionNotFound
from talker.models import (
    Collection,
    CollectionVideo,
    Conversation,
    LibraryEntry,
    ListKind,
    User,
    Video,
    now,
)

MAX_NAME = 200


async def find(
    session: AsyncSession, user: User, collection_id: UUID, *, lock: bool = False
) -> Collection:
    """The person's collection. Raises CollectionNotFound, also for someone else's."""
    collection = await session.get(Collection, collection_id, with_for_update=lock or None)
    if collection is None or collection.user_id != user.id:
        raise CollectionNotFound(collection_id)
    return collection


async def videos_in(session: AsyncSession, user: User, collection_id: UUID) -> list[UUID]:
    """The videos in a collection in its order, ready or not.

    Raises CollectionNotFound.
    """
    await find(session, user, collection_id)
    rows = await session.scalars(
        select(CollectionVideo.video_id)
        .join(LibraryEntry, LibraryEntry.video_id == CollectionVideo.video_id)
        .where(CollectionVideo.collection_id == collection_id, LibraryEntry.user_id == user.id)
        .order_by(CollectionVideo.position, CollectionVideo.video_id)
    )
    return list(rows)


async def create(session: AsyncSession, user: User, name: str) -> Collection:
    """A new, empty collection. Raises CollectionNameTaken."""
    made = await _insert(session, user_id=user.id, name=name)
    if made is None:
        raise CollectionNameTaken(name)
    return made


async def rename(session: AsyncSession, collection: Collection, name: str) -> None:
    """Raises CollectionNameTaken."""
    try:
        async with session.begin_nested():
            collection.name = name
    except IntegrityError as error:
        raise CollectionNameTaken(name) from error


async def collection_for(
    session: AsyncSession,
    user: User,
    *,
    name: str | None,
    kind: ListKind | None,
    source_id: str | None,
    language: str | None,
) -> Collection:
    """The collection of a playlist or channel, or else the one of that name; made where missing.

    A playlist's or channel's own is found by its source, whatever it is called by now; a new one
    whose name is taken gets a number behind it. `language` is kept as what its next videos are
    loaded in. Safe when two do it at once: the later one waits for the earlier one's commit.
    """
    wanted = plain_name(name or source_id or "")[:MAX_NAME]
    same = Collection.name == wanted
    if source_id is not None:
        same = and_(Collection.source_kind == kind, Collection.source_id == source_id)
    while True:
        query = select(Collection).where(Collection.user_id == user.id, same)
        if (found := await session.scalar(query)) is not None:
            found.language = language or found.language
            return found
        made = await _insert(
            session,
            user_id=user.id,
            name=wanted if source_id is None else await _free_name(session, user, wanted),
            source_kind=kind,
            source_id=source_id,
            language=language,
        )
        if made is not None:
            return made


async def put_videos(
    session: AsyncSession, collection: Collection, video_ids: Sequence[UUID]
) -> None:
    """Append the videos that are not in the collection yet, in this order.

    One that is not in its person's library is passed over. Raises CollectionNotFound for a
    collection that was deleted meanwhile.
    """
    await _lock(session, collection)
    # The videos' rows are held too, so that none is forgotten before this is committed.
    rows = await session.scalars(
        select(Video.id)
        .join(LibraryEntry, LibraryEntry.video_id == Video.id)
        .where(LibraryEntry.user_id == collection.user_id, Video.id.in_(video_ids))
        .order_by(Video.id)
        .with_for_update(read=True, key_share=True, of=Video)
    )
    own = set(rows)
    in_it = CollectionVideo.collection_id == collection.id
    there = set(await session.scalars(select(CollectionVideo.video_id).where(in_it)))
    last = await session.scalar(select(func.max(CollectionVideo.position)).where(in_it))
    new = [id_ for id_ in dict.fromkeys(video_ids) if id_ in own and id_ not in there]
    if not new:
        return
    first = 0 if last is None else last + 1
    await session.execute(
        insert(CollectionVideo),
        [
            {"collection_id": collection.id, "video_id": video_id, "position": position}
            for position, video_id in enumerate(new, first)
        ],
    )
    collection.updated_at = now()


async def take_out(session: AsyncSession, collection: Collection, video_id: UUID) -> bool:
    """Take a video out of a collection; false where it is not in it."""
    gone = await session.execute(
        delete(CollectionVideo)
        .where(CollectionVideo.collection_id == collection.id, CollectionVideo.video_id == video_id)
        .returning(CollectionVideo.video_id)
    )
    if gone.first() is None:
        return False
    collection.updated_at = now()
    return True


async def take_out_of_all(session: AsyncSession, user: User, video_id: UUID) -> None:
    """Take a video that leaves a person's library out of every collection of theirs."""
    own = select(Collection.id).where(Collection.user_id == user.id)
    await session.execute(
        delete(CollectionVideo).where(
            CollectionVideo.video_id == video_id, CollectionVideo.collection_id.in_(own)
        )
    )


async def remove(session: AsyncSession, user: User, collection_id: UUID) -> None:
    """Delete a collection; its videos stay in the library.

    Conversations about it go on being about what was in it. Raises CollectionNotFound.
    """
    collection = await find(session, user, collection_id, lock=True)
    await session.execute(
        update(Conversation)
        .where(Conversation.collection_id == collection_id)
        .values(collection_id=None, video_ids=await videos_in(session, user, collection_id))
    )
    await session.delete(collection)


async def _free_name(session: AsyncSession, user: User, wanted: str) -> str:
    """The name, or the first of `name (2)`, `name (3)`, … that no collection of theirs has."""
    like = Collection.name.startswith(wanted, autoescape=True)
    names = await session.scalars(
        select(Collection.name).where(Collection.user_id == user.id, like)
    )
    taken = set(names)
    number, free = 1, wanted
    while free in taken:
        number += 1
        free = f"{wanted} ({number})"
    return free


async def _insert(session: AsyncSession, **values: object) -> Collection | None:
    """A new row, or None where the name or the source is there already."""
    query = postgresql.insert(Collection).values(**values).on_conflict_do_nothing()
    made: Collection | None = await session.scalar(query.returning(Collection))
    return made


async def _lock(session: AsyncSession, collection: Collection) -> None:
    query = select(Collection.id).where(Collection.id == collection.id)
    if await session.scalar(query.with_for_update(key_share=True)) is None:
        raise CollectionNotFound(collection.id)
