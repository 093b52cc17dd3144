"""An exported collection into a person's own: made where it is missing, else extended."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from ingestion.archive_files import CollectionFile
from talker import collections
from talker.models import User


async def import_collection(
    session: AsyncSession, user: User, content: CollectionFile, video_ids: Sequence[UUID]
) -> None:
    """Make the collection, or add at its end what it lacks; a subscription is kept."""
    collection = await collections.collection_for(
        session,
        user,
        name=content.name,
        kind=content.source_kind,
        source_id=content.source_id,
        language=content.language,
    )
    collection.subscribed = collection.subscribed or content.subscribed
    collection.seen = list(dict.fromkeys([*collection.seen, *content.seen]))
    collection.source_limit = content.source_limit
    collection.created_at = min(collection.created_at, content.created_at)
    await session.flush()
    await collections.put_videos(session, collection, video_ids)
