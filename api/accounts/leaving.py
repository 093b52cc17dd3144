"""The end of an account: everything that is the person's goes, what is everybody's stays."""

from uuid import UUID

from langgraph.checkpoint.base import BaseCheckpointSaver
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.accounts import people
from api.talking import Talking
from ingestion import library
from ingestion.jobs import ACTIVE
from talker.models import Conversation, IngestionJob, LibraryEntry, Run, User, Video
from talker.resources import Resources


async def stop_answers(talking: Talking, user: User) -> None:
    """Stop what is being written for a person, so that nothing of it is stored after the end."""
    running = select(Run.conversation_id).join(Conversation, Conversation.id == Run.conversation_id)
    async with talking.resources.sessions() as session:
        query = running.where(Conversation.user_id == user.id, Run.status == "running")
        found = (await session.scalars(query)).all()
    for conversation_id in found:
        await talking.stop_and_wait(user, conversation_id)


async def delete_account(
    resources: Resources, checkpointer: BaseCheckpointSaver[str], user: User
) -> None:
    """Raises LastAdmin, and IndexUnavailable: then some of their files may be gone already, and
    it is to be done again."""
    async with resources.sessions() as session:
        await people.keep_an_admin(session, user)
        own = select(Video.id).where(Video.owner_id == user.id)
        files = (await session.scalars(own)).all()
        talks = select(Conversation.id).where(Conversation.user_id == user.id)
        threads = (await session.scalars(talks)).all()
    for video_id in files:
        async with resources.sessions.begin() as session:
            await library.remove(session, resources.chunks, user, video_id)
    for thread in threads:
        await checkpointer.adelete_thread(str(thread))
    async with resources.sessions.begin() as session:
        await people.keep_an_admin(session, user)
        await _hand_over_jobs(session, user.id)
        await session.execute(delete(User).where(User.id == user.id))


async def _hand_over_jobs(session: AsyncSession, user_id: UUID) -> None:
    """What others wait for too is loaded for them."""
    another = (
        select(LibraryEntry.user_id)
        .where(LibraryEntry.video_id == IngestionJob.video_id, LibraryEntry.user_id != user_id)
        .order_by(LibraryEntry.added_at)
        .limit(1)
        .scalar_subquery()
    )
    await session.execute(
        update(IngestionJob)
        .where(IngestionJob.user_id == user_id, IngestionJob.status.in_(ACTIVE))
        .where(another.is_not(None))
        .values(user_id=another, batch_id=None)
    )
