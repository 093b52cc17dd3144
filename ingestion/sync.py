"""Subscribed collections: what is new of their playlists and channels is brought in."""

import logging
from collections.abc import Collection as Some
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from ingestion.add import add_found
from ingestion.failures import SERVICE_REASONS
from ingestion.listing import Found, find_videos
from ingestion.provider import TranscriptProvider
from ingestion.wishes import Added, Wishes
from talker import collections
from talker.models import Collection, ListKind, User, now
from talker.quotas import quotas_of
from talker.resources import Resources
from talker.sources import ListSource

log = logging.getLogger(__name__)

SYNC_EVERY = timedelta(days=1)
"""A listing costs credits, and a channel seldom has more than one new video a day."""


@dataclass(frozen=True, slots=True)
class Synced:
    """`new` are the videos that the list did not have before; `failure` why it was not read."""

    collection_id: UUID
    name: str
    new: Sequence[Added]
    failure: dict[str, Any] | None = None

    def as_added(self) -> Added:
        """As adding the list would have answered."""
        status = "failed" if self.failure else "queued" if self.new else "ready"
        return Added(
            self.name,
            None,
            None,
            status,
            self.failure,
            title=self.name,
            collection_id=None if self.failure else self.collection_id,
            videos=self.new,
        )


async def subscribed(
    resources: Resources,
    *,
    user: User | None = None,
    names: Some[str] = (),
    due: bool = False,
) -> list[tuple[UUID, UUID]]:
    """Subscribed collections and their owners: a person's or everybody's, of certain names or
    ids, or only those that are `due`."""
    query = select(Collection.id, Collection.user_id, Collection.name).where(
        Collection.subscribed, Collection.source_id.is_not(None)
    )
    if user is not None:
        query = query.where(Collection.user_id == user.id)
    if due:
        late = Collection.synced_at < now() - SYNC_EVERY
        query = query.where(or_(Collection.synced_at.is_(None), late))
    async with resources.sessions() as session:
        rows = (await session.execute(query.order_by(Collection.synced_at.nulls_first()))).all()
    return [
        (id_, user_id) for id_, user_id, name in rows if not names or {str(id_), name} & set(names)
    ]


async def sync(
    resources: Resources,
    services: Sequence[TranscriptProvider],
    collection_id: UUID,
    user_id: UUID,
) -> Synced:
    """Add what a collection's playlist or channel has got since it was last read.

    What a person took out of the library stays out: it is not new. Raises CollectionNotFound for
    one that was deleted meanwhile.
    """
    async with resources.sessions() as session:
        collection = await collections.find(
            session, await session.get_one(User, user_id), collection_id
        )
    kind: ListKind = "channel" if collection.source_kind == "channel" else "playlist"
    source = ListSource(kind, collection.source_id or "")
    limit = collection.source_limit
    [found] = await find_videos(resources, services, user_id, [source.url], limit=limit, fresh=True)
    return await _bring_in(resources, collection_id, user_id, found)


async def _bring_in(
    resources: Resources, collection_id: UUID, user_id: UUID, found: Found
) -> Synced:
    async with resources.sessions.begin() as session:
        user = await session.get_one(User, user_id)
        collection = await collections.find(session, user, collection_id, lock=True)
        collection.sync_failure = found.failure.as_json() if found.failure else None
        if found.failure is None or found.failure.reason not in SERVICE_REASONS:
            # A service that is down or busy is asked again soon, not in a day.
            collection.synced_at = now()
        if found.failure is not None:
            return Synced(collection.id, collection.name, (), found.failure.as_json())
        known = set(collection.seen)
        new = [video for video in found.videos if video.youtube_id not in known]
        if not new:
            return Synced(collection.id, collection.name, ())
        wishes = Wishes(language=collection.language)
        quotas = quotas_of(user, resources.settings)
        new_ones = replace(found, videos=new)
        [added] = await add_found(session, user, [new_ones], wishes, quotas=quotas)
        collection.sync_failure = added.failure
        log.info("collection synced", extra={"new": len(added.videos)})
        return Synced(collection.id, collection.name, added.videos, added.failure)
