"""A video's summaries: the stored ones, and new ones, read while they are written."""

import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession
from sse_starlette import EventSourceResponse, ServerSentEvent

from agent.budget import check_budget
from agent.events import cited_moment
from agent.state import Plan, Reader, SummaryPlan, SummaryVideo
from agent.summaries import EXTRACTIVE, any_summary, as_found
from agent.summarizer import Summarizer, key_of
from agent.transcripts import transcripts_in
from api.conversations import CitationOut
from api.dependencies import (
    AppLimits,
    AppMakings,
    AppModels,
    AppResources,
    AppSummarizer,
    Asker,
    CurrentUser,
    Session,
)
from api.makings import Making
from api.problems import OF_MODELS, problems
from api.streams import EventStream
from ingestion import library
from talker.errors import ChatModelNeeded, SummaryNotFound, VideoNotReady
from talker.models import SummaryStyle, Transcript, User
from talker.quotas import daily_usd
from talker.text import primary

router = APIRouter(prefix="/videos", tags=["summaries"])

MAX_LANGUAGE = 35


class SummaryOut(BaseModel):
    """`citations` are the numbers in the text, each with the words and the second that prove it;
    `model` is null where the text only quotes."""

    video_id: UUID
    style: SummaryStyle
    language: str
    content: str
    citations: list[CitationOut]
    model: str | None
    created_at: datetime


class NewSummary(BaseModel):
    """`language` is the video's own where there is none; `model` is one of /api/models."""

    model_config = ConfigDict(extra="forbid")

    style: SummaryStyle = "short"
    language: str | None = Field(default=None, min_length=2, max_length=MAX_LANGUAGE)
    model: str | None = None


@router.get("/{video_id}/summary")
async def get_summary(
    video_id: UUID,
    session: Session,
    user: CurrentUser,
    models: AppModels,
    style: SummaryStyle = "short",
    language: Annotated[str | None, Query(min_length=2, max_length=MAX_LANGUAGE)] = None,
) -> SummaryOut:
    """The stored summary, in the video's own language where none is named.

    One by the default model is preferred; quotations are the last resort, in the language that
    they were said in.
    """
    transcript, language = await _transcript(session, user, video_id, language)
    row = await any_summary(session, transcript.id, language, style, models.names)
    if row is None:
        raise SummaryNotFound(video_id, style, language)
    found = as_found(row)
    return SummaryOut(
        video_id=video_id,
        style=style,
        language=row.language,
        content=found["content"],
        citations=[CitationOut.model_validate(cited_moment(one)) for one in found["citations"]],
        model=found["model"],
        created_at=row.created_at,
    )


@router.post(
    "/{video_id}/summary",
    response_class=EventSourceResponse,
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "How it is written"},
        **problems(409),
        **OF_MODELS,
    },
)
async def make_summary(
    video_id: UUID,
    user: CurrentUser,
    resources: AppResources,
    models: AppModels,
    summarizer: AppSummarizer,
    makings: AppMakings,
    limits: AppLimits,
    who: Asker,
    new: NewSummary | None = None,
) -> EventSourceResponse:
    """Have a summary written, and read it meanwhile as one JSON object a `data:` line.

    `status` and `token` as in chat, then `summary` with all of it, or `error`; `done` is the
    last. One that is stored comes at once and costs nothing; one that is being written for
    somebody else is read along. It is written to its end when the reader goes away.
    """
    new = new or NewSummary()
    await limits.asking(who)
    models.check(new.model)
    async with resources.sessions() as session:
        transcript, language = await _transcript(session, user, video_id, new.language)
    summary = SummaryPlan(
        videos=[SummaryVideo(video_id=str(video_id), transcript_id=str(transcript.id), parts=0)],
        style=new.style,
        language=language if models.configured else primary(transcript.language),
        span=None,
        model=(new.model or models.names[0]) if models.configured else EXTRACTIVE,
        first="",
    )
    await _check(resources, summarizer, user, summary)
    reader = Reader(user_id=user.id, model=new.model)
    making = makings.start(key_of(summary, summary["videos"][0]), _plan(summary), reader)
    return EventStream(_as_sse(making))


async def _transcript(
    session: AsyncSession, user: User, video_id: UUID, language: str | None
) -> tuple[Transcript, str]:
    """What a video is summarised from, and the language that the summary is in.

    Raises VideoNotFound or VideoNotReady.
    """
    video, _ = await library.find(session, user, video_id)
    wanted = language or video.language or ""
    transcript = (await transcripts_in(session, [video_id], wanted)).get(video_id)
    if video.status != "ready" or transcript is None:
        raise VideoNotReady(video.title, video.status)
    return transcript, primary(language or transcript.language)


async def _check(
    resources: AppResources, summarizer: Summarizer, user: User, summary: SummaryPlan
) -> None:
    """Raise what stands against a new summary: NothingToSummarize's kinds, BudgetUsedUp."""
    models, [video] = summarizer.models, summary["videos"]
    if summary["style"] == "study_guide" and not models.configured:
        raise ChatModelNeeded("A study guide, with its questions and answers,")
    if await summarizer.stored(summary, video):
        return
    await summarizer.material(summary, video)
    if models.configured:
        async with resources.sessions() as session:
            await check_budget(session, user.id, daily_usd(user, models.daily_budget_usd))


def _plan(summary: SummaryPlan) -> Plan:
    return Plan(
        intent="summarize",
        question="",
        before="",
        language=summary["language"],
        video_ids=[video["video_id"] for video in summary["videos"]],
        span=None,
        style=summary["style"],
        template=None,
        sources=[],
        decided_by="rules",
    )


async def _as_sse(making: Making) -> AsyncIterator[ServerSentEvent]:
    async for event in making.read():
        yield ServerSentEvent(data=json.dumps(event, ensure_ascii=False))
