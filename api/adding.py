"""Adding to the library: links, caption files, the sample."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Request, Response, UploadFile
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.types import Message

import talker
from api.asking import check_collection
from api.dependencies import (
    AppLimits,
    AppResources,
    AppServices,
    Asker,
    CurrentUser,
    Session,
)
from api.problems import problems
from api.videos import FailureOut
from ingestion.add import add_file, add_found
from ingestion.listing import find_videos
from ingestion.prefetch import batching
from ingestion.price import price
from ingestion.wishes import Added, Wishes
from talker.errors import UploadTooLarge
from talker.models import VideoStatus
from talker.quotas import quotas_of

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


class NewVideos(BaseModel):
    """One `url` or several `urls`: links to videos, playlists or channels in any form, or ids.

    `limit` is how many videos are taken in all; with `generate`, captions are made where there
    are none, at two credits a minute; with `subscribe`, what is new of playlists and channels is
    brought in later.
    """

    model_config = ConfigDict(extra="forbid")

    url: str | None = Field(default=None, min_length=1, max_length=2_000)
    urls: list[Annotated[str, Field(min_length=1, max_length=2_000)]] | None = Field(
        default=None, min_length=1, max_length=MAX_SOURCES
    )
    language: Languages | None = None
    collection_id: UUID | None = None
    generate: bool = False
    subscribe: bool = False
    limit: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.url is None) == (self.urls is None):
            raise ValueError("give either url or urls")
        return self

    @property
    def sources(self) -> list[str]:
        return [self.url] if self.url is not None else self.urls or []

    @property
    def wishes(self) -> Wishes:
        return Wishes(
            language=self.language,
            generate=self.generate,
            collection_id=self.collection_id,
            subscribe=self.subscribe,
        )


class AddedOut(BaseModel):
    """`video_id` and `job_id` are null for a source that is no video; `job_id` for a known one.

    A playlist or channel has neither: `videos` is how many it holds, `collection_id` where they
    are, and a `failure` says why some were left out.
    """

    source: str
    video_id: UUID | None
    job_id: UUID | None
    status: VideoStatus
    failure: FailureOut | None
    title: str | None
    collection_id: UUID | None
    videos: int


class AddedList(BaseModel):
    items: list[AddedOut]


class PlannedOut(BaseModel):
    """One source: how many videos it names, how many of them are known, and how many failed so
    lately that adding does not try them again."""

    source: str
    kind: Literal["video", "playlist", "channel", "file"]
    title: str | None
    videos: int
    known: int
    failed: int
    failure: FailureOut | None


class PriceOut(BaseModel):
    """`credits` are Supadata's, `generated_credits` what captions that have to be made may add at
    most, `cost_usd` is for embeddings (null where their price cannot be learnt), `seconds` about
    how long loading takes."""

    items: list[PlannedOut]
    videos: int
    known: int
    failed: int
    new: int
    credits: int
    generated_credits: int
    embedding_tokens: int
    cost_usd: float | None
    seconds: float


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
            except HTTPException as error:
                # FastAPI's word for whatever went wrong while it read the form.
                if body.too_large:
                    raise UploadTooLarge(max_mb) from None
                if isinstance(error.__cause__, OSError):
                    raise error.__cause__ from None
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


@router.post("", status_code=202, responses=problems(404))
async def add_videos(
    new: NewVideos,
    user: CurrentUser,
    resources: AppResources,
    services: AppServices,
    limits: AppLimits,
    who: Asker,
) -> AddedList:
    """Add videos by link: known ones are ready at once, bad ones failed beside the good ones.

    A playlist or channel makes a collection, or extends it; what it holds is asked for first.
    """
    await limits.adding(who, len(new.sources))
    async with resources.sessions() as session:
        await check_collection(session, user, new.collection_id)
    found = await find_videos(resources, services, user.id, new.sources, limit=new.limit)
    async with resources.sessions.begin() as session:
        added = await add_found(
            session,
            user,
            found,
            new.wishes,
            quotas=quotas_of(user, resources.settings),
            together=batching(services) is not None,
        )
    by_source = {one.source: one for one in added}
    return _added([by_source[source] for source in new.sources if source in by_source])


@router.post("/price")
async def price_videos(
    new: NewVideos,
    user: CurrentUser,
    resources: AppResources,
    services: AppServices,
    limits: AppLimits,
    who: Asker,
) -> PriceOut:
    """What adding would load and cost; nothing is loaded. The listing is kept for ten minutes."""
    await limits.adding(who, len(new.sources))
    found = await price(
        resources, services, user.id, new.sources, wishes=new.wishes, limit=new.limit
    )
    return PriceOut(
        items=[
            PlannedOut(
                source=one.source,
                kind=one.kind,
                title=one.title,
                videos=one.videos,
                known=one.known,
                failed=one.failed,
                failure=FailureOut.model_validate(one.failure.as_json()) if one.failure else None,
            )
            for one in found.sources
        ],
        **{name: getattr(found, name) for name in PriceOut.model_fields if name != "items"},
    )


@router.post("/sample", status_code=202, responses=problems(400, 413))
async def add_sample(session: Session, user: CurrentUser, resources: AppResources) -> AddedList:
    """Add the talk that comes with the app, for a first answer without key or network."""
    content = await asyncio.to_thread(SAMPLE.read_bytes)
    settings = resources.settings
    quotas, max_hours = quotas_of(user, settings), settings.max_video_hours
    sample = add_file(session, user, SAMPLE.name, content, max_hours=max_hours, quotas=quotas)
    return _added([await sample])


async def upload_video(
    session: Session,
    user: CurrentUser,
    resources: AppResources,
    limits: AppLimits,
    who: Asker,
    file: UploadFile,
    title: Annotated[str | None, Form(max_length=500)] = None,
    url: Annotated[str | None, Form(max_length=2_000)] = None,
    language: Annotated[Language | None, Form()] = None,
) -> AddedList:
    """Add a caption file (.srt, .vtt, .json, .json3 or .txt) as a video of one's own.

    A file that cannot be understood is answered with 400 and the typed reason as `error`, and
    leaves nothing behind.
    """
    await limits.uploading(who)
    added = await add_file(
        session,
        user,
        file.filename or "",
        await file.read(),
        title=(title or "").strip() or None,
        url=(url or "").strip() or None,
        language=language or None,
        max_hours=resources.settings.max_video_hours,
        quotas=quotas_of(user, resources.settings),
    )
    return _added([added])


router.add_api_route(
    "/upload",
    upload_video,
    methods=["POST"],
    status_code=202,
    route_class_override=UploadRoute,
    responses=problems(415),
)


def _added(answers: list[Added]) -> AddedList:
    return AddedList(items=[_out(answer) for answer in answers])


def _out(added: Added) -> AddedOut:
    fields = {name: getattr(added, name) for name in AddedOut.model_fields if name != "videos"}
    return AddedOut(videos=len(added.videos) or int(added.video_id is not None), **fields)
