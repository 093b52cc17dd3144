"""Retrieval alone: the moments that bear on a question."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from agent.events import source
from agent.retrieve import find_passages
from api.asking import check_scope, scope
from api.dependencies import AppResources, AppSearch, CurrentUser
from api.problems import OF_MODELS, problems

router = APIRouter(tags=["search"])

MAX_PASSAGES = 50


class PassageOut(BaseModel):
    video_id: UUID
    youtube_id: str | None
    title: str
    start_s: float
    end_s: float
    text: str
    score: float
    url: str | None


class SearchOut(BaseModel):
    passages: list[PassageOut]


@router.get("/search", responses=problems(404, 409) | OF_MODELS)
async def search(
    q: Annotated[str, Query(min_length=1, max_length=2_000)],
    user: CurrentUser,
    resources: AppResources,
    searching: AppSearch,
    limit: Annotated[int, Query(ge=1, le=MAX_PASSAGES)] = 10,
    video_id: Annotated[list[UUID] | None, Query()] = None,
    collection_id: UUID | None = None,
) -> SearchOut:
    """The passages that answer best, best first; `video_id`, once or more, or `collection_id`
    narrows the search."""
    async with resources.sessions() as session:
        await check_scope(session, user, video_id, collection_id)
        wanted = await scope(session, user, video_id, collection_id)
    passages = await find_passages(
        q,
        user.id,
        None if wanted is None else [str(id_) for id_ in wanted],
        search=searching,
        sessions=resources.sessions,
        limit=limit,
    )
    return SearchOut(
        passages=[
            PassageOut.model_validate({**source(passage), "score": passage["score"]})
            for passage in passages
        ]
    )
