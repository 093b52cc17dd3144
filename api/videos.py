"""A person's library: its videos, their transcripts, and adding to it."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Request, Response, UploadFile
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.types import Message

import talker
from api.asking import check_collection
from api.dependencies import AppResources, CurrentUser, Limit, Offset, Session
from ingestion import library
from ingestion.add import Added, add_file, add_sources
from ingestion.sources import watch_url
from talker.errors import NotFound, Reason, UploadTooLarge
from talker.models import (
    LibraryEntry,
    Segment,
    Transcript,
    TranscriptKind,
    Video,
    VideoStatus,
)

router = APIRouter(prefix="/videos", tags=["videos"])

MAX_SOURCES = 1_000
FORM_OVERHEAD = 16_384
"""What a multipart form may weigh beside its file."""

SAMPLE = Path(talker.__file__).parent / "sample" / "sample.json"

Languages = Annotated[
    str,
    Field(
        max_length=200,
        pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*(\s*,\s*[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)*$",
        description="Languages of captions in order of preference, such as `pl,en`.",
    ),
]
Language = Annotated[str, Field(max_length=35, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]


class FailureOut(BaseModel):
    """Why a video could not be loaded, and what the person can do."""

    reason: Reason
    detail: str
    next_step: str


class VideoOut(BaseModel):
    """`youtube_id` and `url` are null where a file names none; `duration_s` until it is known."""

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


class VideoList(BaseModel):
    items: list[VideoOut]
    total: int


class SegmentOut(BaseModel):
    start_s: float
    duration_s: float
    text: str


class TranscriptOut(BaseModel):
    language: str
    kind: TranscriptKind
    segments: list[SegmentOut]


class NewVideos(BaseModel):
    """One `url` or several `urls`: links to videos in any form, or their ids."""

    model_config = ConfigDict(extra="forbid")

    url: str | None = Field(default=None, min_length=1, max_length=2_000)
    urls: list[Annotated[str, Field(min_length=1, max_length=2_000)]] | None = Field(
        default=None, min_length=1, max_length=MAX_SOURCES
    )
    language: Languages | None = None
    collection_id: UUID | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.url is None) == (self.urls is None):
            raise ValueError("give either url or urls")
        return self


class AddedOut(BaseModel):
    """`video_id` and `job_id` are null for a source that is no video; `job_id` for a known one."""

    source: str
    video_id: UUID | None
    job_id: UUID | None
    status: VideoStatus
    failure: FailureOut | None


class AddedList(BaseModel):
    items: list[AddedOut]


class UploadRoute(APIRoute):
    """Stops reading a request's body as soon as it is larger than an upload may be."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def limited(request: Request) -> Response:
            max_mb = request.app.state.settings.max_upload_mb
            body = _LimitedBody(request, max_mb * 1_000_000 + FORM_OVERHEAD)
            if body.too_large:
                raise UploadTooLarge(max_mb)
            try:
                return await handle(Request(request.scope, body.receive))
            except HTTPException:
                # FastAPI's word for whatever went wrong while it read the form.
                if body.too_large:
                    raise UploadTooLarge(max_mb) from None
                raise

        return limited


class _LimitedBody:
    def __init__(self, request: Request, max_bytes: int) -> None:
        self._receive = request.receive
        self._left = max_bytes
        announced = request.headers.get("content-length", "0")
        self.too_large = announced.isdecimal() and int(announced) > max_bytes

    async def receive(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            self.too_large = True
            raise HTTPException(413)
        return message


@router.get("")
async def list_videos(
    session: Session, user: CurrentUser, limit: Limit = 100, offset: Offset = 0
) -> VideoList:
    """The library, what was added last first."""
    mine = LibraryEntry.user_id == user.id
    total = await session.scalar(select(func.count()).select_from(LibraryEntry).where(mine))
    rows = await session.execute(
        select(Video, LibraryEntry)
        .join(LibraryEntry, LibraryEntry.video_id == Video.id)
        .where(mine)
        .order_by(LibraryEntry.added_at.desc(), Video.id)
        .limit(limit)
        .offset(offset)
    )
    return VideoList(items=[_out(video, entry) for video, entry in rows], total=total or 0)


@router.post("", status_code=202)
async def add_videos(new: NewVideos, session: Session, user: CurrentUser) -> AddedList:
    """Add videos by link: known ones are ready at once, bad ones failed beside the good ones."""
    check_collection(new.collection_id)
    sources = [new.url] if new.url is not None else new.urls or []
    return _added(await add_sources(session, user, sources, language=new.language))


@router.post("/sample", status_code=202)
async def add_sample(session: Session, user: CurrentUser, resources: AppResources) -> AddedList:
    """Add the talk that comes with the app, for a first answer without key or network."""
    content = await asyncio.to_thread(SAMPLE.read_bytes)
    max_hours = resources.settings.max_video_hours
    return _added([await add_file(session, user, SAMPLE.name, content, max_hours=max_hours)])


async def upload_video(
    session: Session,
    user: CurrentUser,
    resources: AppResources,
    file: UploadFile,
    title: Annotated[str | None, Form(max_length=500)] = None,
    url: Annotated[str | None, Form(max_length=2_000)] = None,
    language: Annotated[Language | None, Form()] = None,
) -> AddedList:
    """Add a caption file (.srt, .vtt or .json) as a video of one's own.

    A file that cannot be understood is answered with 400 and the typed reason as `error`, and
    leaves nothing behind.
    """
    added = await add_file(
        session,
        user,
        file.filename or "",
        await file.read(),
        title=(title or "").strip() or None,
        url=(url or "").strip() or None,
        language=language or None,
        max_hours=resources.settings.max_video_hours,
    )
    return _added([added])


router.add_api_route(
    "/upload",
    upload_video,
    methods=["POST"],
    status_code=202,
    route_class_override=UploadRoute,
)


@router.get("/{video_id}")
async def get_video(video_id: UUID, session: Session, user: CurrentUser) -> VideoOut:
    return _out(*await library.find(session, user, video_id))


@router.delete("/{video_id}", status_code=204)
async def delete_video(
    video_id: UUID, session: Session, user: CurrentUser, resources: AppResources
) -> None:
    """Take a video out of the library; one's own file is forgotten altogether."""
    await library.remove(session, resources.chunks, user, video_id)


@router.get("/{video_id}/transcript")
async def get_transcript(video_id: UUID, session: Session, user: CurrentUser) -> TranscriptOut:
    """What was said and when, as fetched."""
    video, _ = await library.find(session, user, video_id)
    transcript = await session.scalar(
        select(Transcript).where(Transcript.video_id == video.id).order_by(Transcript.created_at)
    )
    if transcript is None:
        raise NotFound("This video has no transcript yet; its job says how far it is.")
    return TranscriptOut(
        language=transcript.language,
        kind=transcript.kind,
        segments=await _segments(session, transcript.id),
    )


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


def _out(video: Video, entry: LibraryEntry) -> VideoOut:
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
    )


def _added(answers: list[Added]) -> AddedList:
    return AddedList(
        items=[AddedOut.model_validate(answer, from_attributes=True) for answer in answers]
    )
