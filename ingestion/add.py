"""Adding videos to a person's library: what is known is ready at once, the rest is queued.

The functions that take a session work inside the caller's transaction: rows and queue change
together or not at all.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from ingestion.captions import CaptionFile, parse_file
from ingestion.failures import too_long
from ingestion.jobs import BATCH, PERSONAL, hurry, latest_jobs, put_back
from ingestion.listing import Found
from ingestion.provider import FetchedTranscript, no_videos
from ingestion.room import Room, fitting, open_room
from ingestion.rows import (
    add_transcript,
    enter,
    loaded_languages,
    own_videos,
    shared_videos,
    text_bytes,
)
from ingestion.wishes import Added, Wishes, failed_lately, lacks
from talker import collections
from talker.cleaning import plain_name
from talker.models import IngestionBatch, IngestionJob, User, Video, now
from talker.quotas import Quotas
from talker.sources import youtube_id

UNBOUND = Quotas()

PERSONAL_VIDEOS = 5
"""So few at one time are what a person waits for; they go before any batch."""


async def add_found(
    session: AsyncSession,
    user: User,
    found: Sequence[Found],
    wishes: Wishes,
    *,
    quotas: Quotas = UNBOUND,
    together: bool = False,
) -> list[Added]:
    """Add the videos that sources name; one answer for each source, in order.

    A known video is `ready` without any call to the outside; one that somebody is loading is
    joined. One that failed a short while ago is `failed` for the same reason, without another
    try. A bad source fails beside the good ones, and so does what `quotas` leave no room for; a
    list is taken as far as it fits. `together` says that the service asked first may
    have batches, in which many are fetched at once.
    """
    found = await fitting(session, user, found, quotas)
    sources = {video.youtube_id: one.source for one in found for video in one.videos}
    videos = await own_videos(session, user, set(sources))
    missing = {
        video.youtube_id: video
        for one in found
        for video in one.videos
        if video.youtube_id not in videos
    }
    videos |= await shared_videos(session, missing)
    await enter(session, user, [videos[name].id for name in sources])
    batch = IngestionBatch(user_id=user.id, source=_label(found))
    fates = await _queued(session, batch, user, videos, sources, wishes, together=together)
    return [await _answer(session, user, one, fates, wishes) for one in found]


async def add_file(
    session: AsyncSession,
    user: User,
    name: str,
    content: bytes,
    *,
    title: str | None = None,
    url: str | None = None,
    language: str | None = None,
    max_hours: int,
    quotas: Quotas = UNBOUND,
    priority: int = PERSONAL,
) -> Added:
    """Add a caption file as a video of the person's own; the same captions again are that video.

    Raises LoadingFailed with reason `bad_file` (or `not_a_video` for the `url`), LibraryFull or
    WrongKindOfFile; then the transaction must not be committed.
    """
    name = plain_name(name)
    file = await asyncio.to_thread(parse_file, name, content)
    if file.duration_ms > max_hours * 3_600_000:
        raise too_long(file.duration_ms, max_hours)
    file = replace(
        file,
        title=plain_name(title or "") or file.title,
        youtube_id=youtube_id(url) if url else file.youtube_id,
        language=language or file.language,
    )
    room = await open_room(session, user, quotas)
    video, transcript_id = await _of_file(session, user, file, room)
    await enter(session, user, [video.id])
    if video.status == "ready":
        return Added(name, video.id, None, "ready", None, video.title)
    job = (await latest_jobs(session, [video.id])).get(video.id)
    if job is None:
        job = IngestionJob(
            video_id=video.id,
            user_id=user.id,
            source=name,
            transcript_id=transcript_id,
            priority=priority,
        )
        session.add(job)
        await session.flush()
        await put_back(session, [job])
    elif job.status not in ("queued", "running"):
        await put_back(session, [job])
    return Added(name, video.id, job.id, video.status, None, video.title)


async def _of_file(
    session: AsyncSession, user: User, file: CaptionFile, room: Room | None
) -> tuple[Video, UUID]:
    """The video of a caption file, and its transcript. Raises LibraryFull."""
    content_hash = file.content_hash()
    made = await session.scalar(
        insert(Video)
        .values(
            youtube_id=file.youtube_id,
            owner_id=user.id,
            content_hash=content_hash,
            title=file.title,
            channel=file.channel,
            duration_ms=file.duration_ms,
            described_at=now(),
        )
        .on_conflict_do_nothing(index_elements=["owner_id", "content_hash"])
        .returning(Video.id)
    )
    if room is not None and made is not None:
        room.take(duration_ms=file.duration_ms, size=text_bytes(file.segments))
    video = await session.scalar(
        select(Video)
        .where(Video.owner_id == user.id, Video.content_hash == content_hash)
        .with_for_update()
    )
    if video is None:
        raise LookupError(content_hash)
    transcript = FetchedTranscript("file", file.language, "uploaded", file.segments)
    return video, await add_transcript(session, video, transcript)


async def _queued(
    session: AsyncSession,
    batch: IngestionBatch,
    user: User,
    videos: Mapping[str, Video],
    sources: Mapping[str, str],
    wishes: Wishes,
    *,
    together: bool,
) -> dict[str, Added]:
    """Let the videos be loaded that are not, nor are about to be; what became of each, by id."""
    jobs = await latest_jobs(session, [video.id for video in videos.values()])
    loaded = await loaded_languages(session, [video.id for video in videos.values()])
    fates: dict[str, Added] = {}
    wanted: dict[str, IngestionJob] = {}
    for name, source in sources.items():
        video, job = videos[name], jobs.get(videos[name].id)
        if job is not None and job.status in ("queued", "running"):
            fates[name] = Added(source, video.id, job.id, video.status, None, video.title)
        elif video.status == "ready" and not lacks(video, loaded.get(video.id, ()), wishes):
            fates[name] = Added(source, video.id, None, "ready", None, video.title)
        elif job is not None and failed_lately(job, wishes):
            fates[name] = Added(source, video.id, job.id, "failed", job.failure, video.title)
        else:
            wanted[name] = _job(user, video, job, source, wishes)
    if wanted:
        session.add(batch)
        await session.flush()
    personal = len(sources) <= PERSONAL_VIDEOS
    for job in wanted.values():
        job.batch_id, job.priority = batch.id, PERSONAL if personal else BATCH
        session.add(job)
    await session.flush()
    await put_back(session, wanted.values(), together=together)
    if personal:
        await hurry(session, [job for job in jobs.values() if job.status == "queued"])
    for name, job in wanted.items():
        video = videos[name]
        fates[name] = Added(sources[name], video.id, job.id, video.status, None, video.title)
    return fates


def _job(
    user: User, video: Video, last: IngestionJob | None, source: str, wishes: Wishes
) -> IngestionJob:
    """The job that failed, was cancelled or rests, to be done as it is wished now; else a new one.

    Another language of a loaded video is other work than what was done.
    """
    job = last if last is not None and last.status != "done" else IngestionJob(video_id=video.id)
    if video.status == "ready":
        job.transcript_id = None
    job.user_id, job.source, job.generate = user.id, source, wishes.generate
    job.language = wishes.language or job.language
    return job


async def _answer(
    session: AsyncSession, user: User, found: Found, fates: Mapping[str, Added], wishes: Wishes
) -> Added:
    """What became of one source, its videos put where they belong."""
    if found.failure is not None:
        return Added.refused(found.source, found.failure)
    if not found.videos:
        return Added.refused(found.source, no_videos(found.source))
    members = [replace(fates[video.youtube_id], source=found.source) for video in found.videos]
    ids = [member.video_id for member in members if member.video_id]
    await collect(session, user, wishes, members)
    if found.listed is None:
        return members[0]
    collection = await collections.collection_for(
        session,
        user,
        name=found.title,
        kind=found.listed.kind,
        source_id=found.listed.id,
        language=wishes.language,
    )
    collection.subscribed = collection.subscribed or wishes.subscribe
    collection.source_limit = found.limit
    seen = dict.fromkeys([*collection.seen, *(video.youtube_id for video in found.videos)])
    collection.seen = list(seen)
    await collections.put_videos(session, collection, ids)
    return Added(
        found.source,
        None,
        None,
        _status(members),
        found.left_out.as_json() if found.left_out else None,
        title=found.title,
        collection_id=collection.id,
        videos=members,
    )


async def collect(
    session: AsyncSession, user: User, wishes: Wishes, members: Sequence[Added]
) -> None:
    """Put videos into the collection that the person named, if one was named."""
    if wishes.collection_id is not None:
        collection = await collections.find(session, user, wishes.collection_id)
    elif wishes.collection:
        collection = await collections.collection_for(
            session, user, name=wishes.collection, kind=None, source_id=None, language=None
        )
    else:
        return
    await collections.put_videos(
        session, collection, [one.video_id for one in members if one.video_id]
    )


def _status(members: Sequence[Added]) -> str:
    """A list's status: what is not over yet, else the best there is."""
    statuses = {member.status for member in members}
    return next(
        s for s in ("queued", "loading", "ready", "failed") if s in statuses or s == "failed"
    )


def _label(found: Sequence[Found]) -> str:
    if len(found) == 1:
        return found[0].title or found[0].source
    return f"{len(found)} sources"
