"""A person's library: its videos and their transcripts."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.asking import check_collection
from api.dependencies import AppResources, CurrentUser, Limit, Offset, Session
from api.problems import problems
from api.video_list import Order, Sort, Wanted, listed
from ingestion import library
from talker.errors import BadRequest, NotFound, Reason
from talker.models import (
    Collection,
    CollectionVideo,
    LibraryEntry,
    Segment,
    Transcript,
    TranscriptKind,
    User,
    Video,
    VideoStatus,
)
from talker.sources import watch_url

router = APIRouter(prefix="/videos", tags=["videos"])


class FailureOut(BaseModel):
    """Why a video could not be loaded, and what the person can do."""

    reason: Reason
    detail: str
    next_step: str


class OrderedByNothing(BadRequest):
    def __init__(self) -> None:
        super().__init__("`position` orders a collection's videos; name its collection_id too.")


class ChapterOut(BaseModel):
    start_s: float
    title: str


class LanguageOut(BaseModel):
    """A transcript that is loaded."""

    language: str
    kind: TranscriptKind


class AvailableOut(BaseModel):
    """Captions that could be loaded; `kind` is null where the service does not say."""

    language: str
    kind: TranscriptKind | None


class VideoOut(BaseModel):
    """`youtube_id` and `url` are null where a file names none; `duration_s` until it is known.

    `languages` are the transcripts that are loaded, the first loaded first, `available` the
    other captions that there are; `collection_ids` are the person's own.
    """

    id: UUID
    youtube_id: str | None
    url: str | None
    title: str
    channel: str | None
    language: str | None
    duration_s: float | None
    published_at: datetime | None
    status: VideoStatus
    failure: FailureOut | None
    added_at: datetime
    chapters: list[ChapterOut]
    languages: list[LanguageOut]
    available: list[AvailableOut]
    collection_ids: list[UUID]


class VideoList(BaseModel):
    items: list[VideoOut]
    total: int


class SegmentOut(BaseModel):
    start_s: float
    duration_s: float
    text: str


class TranscriptOut(BaseModel):
    """One language of a video; `languages` are all that are loaded."""

    language: str
    kind: TranscriptKind
    languages: list[LanguageOut]
    segments: list[SegmentOut]


@router.get("", responses=problems(404))
async def list_videos(
    session: Session,
    user: CurrentUser,
    q: Annotated[str, Query(max_length=200)] = "",
    status: VideoStatus | None = None,
    channel: Annotated[str | None, Query(max_length=500)] = None,
    language: Annotated[str | None, Query(max_length=35)] = None,
    collection_id: UUID | None = None,
    sort: Sort = "added",
    order: Order | None = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> VideoList:
    """The library, what was added last first.

    `q` finds videos that have each of its words in their title, their channel's name or what is
    said in them, those with all in the title first; words between quotation marks are looked for
    as they stand. `sort=position` is a collection's own order. Without `order`, `added` and
    `published` go from the newest back, the others from the smallest up; what is not known of a
    video puts it last.
    """
    if sort == "position" and collection_id is None:
        raise OrderedByNothing
    await check_collection(session, user, collection_id)
    wanted = Wanted(
        q=q,
        status=status,
        channel=_without_nul(channel),
        language=_without_nul(language),
        collection_id=collection_id,
        sort=sort,
        order=order,
    )
    query = listed(user, wanted)
    rows = (await session.execute(query.limit(limit).offset(offset))).all()
    if rows:
        total = rows[0][2]
    else:  # past the end there is no row that says how many there are
        counted = select(func.count()).select_from(query.order_by(None).subquery())
        total = (await session.scalar(counted) or 0) if offset else 0
    found = [(video, entry) for video, entry, _ in rows]
    return VideoList(items=await _out(session, user, found), total=total)


@router.get("/{video_id}")
async def get_video(video_id: UUID, session: Session, user: CurrentUser) -> VideoOut:
    row = await library.find(session, user, video_id)
    [video] = await _out(session, user, [row])
    return video


@router.delete("/{video_id}", status_code=204)
async def delete_video(
    video_id: UUID, session: Session, user: CurrentUser, resources: AppResources
) -> None:
    """Take a video out of the library; one's own file is forgotten altogether."""
    await library.remove(session, resources.chunks, user, video_id)


@router.get("/{video_id}/transcript")
async def get_transcript(
    video_id: UUID,
    session: Session,
    user: CurrentUser,
    language: Annotated[str | None, Query(max_length=35)] = None,
) -> TranscriptOut:
    """What was said and when, as fetched; without a `language`, the one that was loaded first."""
    video, _ = await library.find(session, user, video_id)
    transcripts = (await _transcripts(session, [video.id]))[video.id]
    if not transcripts:
        raise NotFound("This video has no transcript yet; its job says how far it is.")
    wanted = (one for one in transcripts if language is None or one.language == language)
    transcript = next(wanted, None)
    if transcript is None:
        there = ", ".join(one.language for one in transcripts)
        raise NotFound(f"This video has no transcript in {language!r}; there is: {there}.")
    return TranscriptOut(
        language=transcript.language,
        kind=transcript.kind,
        languages=[_language(one) for one in transcripts],
        segments=await _segments(session, transcript.id),
    )


async def _transcripts(
    session: AsyncSession, video_ids: Sequence[UUID]
) -> defaultdict[UUID, list[Transcript]]:
    """The transcripts of each video, the first loaded first."""
    found: defaultdict[UUID, list[Transcript]] = defaultdict(list)
    query = select(Transcript).where(Transcript.video_id.in_(video_ids))
    for one in await session.scalars(query.order_by(Transcript.created_at, Transcript.id)):
        found[one.video_id].append(one)
    return found


async def _collection_ids(
    session: AsyncSession, user: User, video_ids: Sequence[UUID]
) -> defaultdict[UUID, list[UUID]]:
    """The person's collections that each video is in, by name."""
    rows = await session.execute(
        select(CollectionVideo.video_id, Collection.id)
        .join(Collection, Collection.id == CollectionVideo.collection_id)
        .where(Collection.user_id == user.id, CollectionVideo.video_id.in_(video_ids))
        .order_by(func.lower(Collection.name), Collection.id)
    )
    found: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for video_id, collection_id in rows:
        found[video_id].append(collection_id)
    return found


async def _segments(session: AsyncSession, transcript_id: UUID) -> list[SegmentOut]:
    rows = await session.execute(
        select(Segment.start_ms, Segment.duration_ms, Segment.text)
        .where(Segment.transcript_id == transcript_id)
        .order_by(Segment.position)
    )
    return [
        SegmentOut(start_s=start_ms / 1000, duration_s=duration_ms / 1000, text=text)
        for start_ms, duration_ms, text in rows
    ]


async def _out(
    session: AsyncSession, user: User, rows: Sequence[tuple[Video, LibraryEntry]]
) -> list[VideoOut]:
    """Videos as they are answered; two queries for what hangs on them, however many they are."""
    ids = [video.id for video, _ in rows]
    transcripts = await _transcripts(session, ids)
    collection_ids = await _collection_ids(session, user, ids)
    return [
        _video(video, entry, transcripts[video.id], collection_ids[video.id])
        for video, entry in rows
    ]


def _video(
    video: Video,
    entry: LibraryEntry,
    transcripts: Sequence[Transcript],
    collection_ids: list[UUID],
) -> VideoOut:
    loaded = {transcript.language for transcript in transcripts}
    return VideoOut(
        id=video.id,
        youtube_id=video.youtube_id,
        url=watch_url(video.youtube_id) if video.youtube_id else None,
        title=video.title,
        channel=video.channel,
        language=video.language,
        duration_s=None if video.duration_ms is None else video.duration_ms / 1000,
        published_at=video.published_at,
        status=video.status,
        failure=FailureOut.model_validate(video.failure) if video.failure else None,
        added_at=entry.added_at,
        chapters=[
            ChapterOut(start_s=chapter["start_ms"] / 1000, title=chapter["title"])
            for chapter in video.chapters
        ],
        languages=[_language(transcript) for transcript in transcripts],
        available=[
            AvailableOut.model_validate(captions)
            for captions in video.available
            if captions["language"] not in loaded
        ],
        collection_ids=collection_ids,
    )


def _language(transcript: Transcript) -> LanguageOut:
    return LanguageOut(language=transcript.language, kind=transcript.kind)


def _without_nul(text: str | None) -> str | None:
    """Postgres takes no NUL in a text."""
    return None if text is None else text.replace("\x00", "")
