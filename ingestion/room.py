"""How much room a person's quotas leave in their library, and what of a list fits into it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from ingestion.listing import Found
from ingestion.provider import ListedVideo
from talker.errors import LibraryFull
from talker.models import LibraryEntry, User, Video
from talker.quotas import HOUR_MS, MEGABYTE, Held, Quotas, held


class Room:
    """What is left; opened within the transaction that fills it."""

    def __init__(self, quotas: Quotas, has: Held) -> None:
        self._quotas = quotas
        self._has = has

    def take(self, *, duration_ms: int = 0, size: int = 0) -> None:
        """Take the room of one more video, of `size` bytes if it is a file. Raises LibraryFull."""
        has = self._has
        after = Held(has.videos + 1, has.duration_ms + duration_ms, has.bytes + size)
        if full := next(_exceeded(self._quotas, has, after), None):
            raise LibraryFull(full)
        self._has = after


async def open_room(session: AsyncSession, user: User, quotas: Quotas) -> Room | None:
    """The room of a person; None where nothing bounds it.

    Their row stays locked until the transaction's end: what is added twice at once is counted
    one after the other.
    """
    if not quotas.bound_library:
        return None
    await session.execute(select(User.id).where(User.id == user.id).with_for_update(key_share=True))
    return Room(quotas, await held(session, user.id))


async def fitting(
    session: AsyncSession, user: User, found: Sequence[Found], quotas: Quotas
) -> Sequence[Found]:
    """The sources with those of their videos that there is room for, in order; what is in the
    library already takes none. A video whose length nobody knows yet counts when it is loaded."""
    room = await open_room(session, user, quotas)
    if room is None:
        return found
    names = {video.youtube_id for one in found for video in one.videos}
    there, lengths = await _known(session, user, names)
    fitted = []
    for one in found:
        kept: list[ListedVideo] = []
        full: LibraryFull | None = None
        for video in one.videos:
            if video.youtube_id not in there:
                length = lengths.get(video.youtube_id) or video.duration_ms or 0
                try:
                    room.take(duration_ms=length)
                except LibraryFull as error:
                    full = full or error
                    continue
                there.add(video.youtube_id)
            kept.append(video)
        if full is None:
            fitted.append(one)
        elif kept:
            fitted.append(replace(one, videos=kept, left_out=full))
        else:
            fitted.append(replace(one, videos=(), failure=full))
    return fitted


async def _known(
    session: AsyncSession, user: User, names: set[str]
) -> tuple[set[str], dict[str, int]]:
    """Which videos are in the person's library, and how long those are that anybody has."""
    rows = await session.execute(
        select(Video.youtube_id, Video.duration_ms, LibraryEntry.user_id)
        .outerjoin(
            LibraryEntry, (LibraryEntry.video_id == Video.id) & (LibraryEntry.user_id == user.id)
        )
        .where(
            Video.youtube_id.in_(names), or_(Video.owner_id.is_(None), Video.owner_id == user.id)
        )
    )
    there: set[str] = set()
    lengths: dict[str, int] = {}
    for name, duration_ms, entered in rows:
        if name is None:
            continue
        if entered is not None:
            there.add(name)
        if duration_ms is not None:
            lengths[name] = duration_ms
    return there, lengths


def _exceeded(quotas: Quotas, has: Held, after: Held) -> Iterator[str]:
    """What a person would have too much of, and has now."""
    if quotas.videos and after.videos > quotas.videos:
        yield f"{has.videos:,} of {quotas.videos:,} videos"
    # Where lengths come to be known after the adding, the hours may be full already.
    full = quotas.hours and has.duration_ms >= quotas.hours * HOUR_MS
    if full or (quotas.hours and after.duration_ms > quotas.hours * HOUR_MS):
        yield f"{has.hours:,.3g} of {quotas.hours:,.5g} hours"
    if quotas.storage_mb and after.bytes > quotas.storage_mb * MEGABYTE:
        yield f"{has.storage_mb:,.3g} of {quotas.storage_mb:,.5g} MB of files"
