"""What adding sources would load and cost, without loading anything.

Listing a playlist or channel is the one call that it makes; what is loaded within ten minutes
uses the same listing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import httpx
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from ingestion.files import names_file, parsed
from ingestion.jobs import latest_jobs
from ingestion.listing import Found, find_videos
from ingestion.provider import TranscriptProvider, no_videos
from ingestion.rows import loaded_languages
from ingestion.wishes import Wishes, failed_lately, lacks
from talker.errors import LoadingFailed
from talker.models import Video
from talker.resources import Resources
from talker.settings import LOCAL, Settings
from talker.text import token_estimate
from talker.tls import tls

CREDITS_PER_VIDEO = 2
"""At Supadata: one for the native transcript, one for title and length."""
CREDITS_PER_GENERATED_MINUTE = 2
REQUESTS_PER_VIDEO = 2

TOKENS_PER_MINUTE = 240
"""Of speech, as talks in English have it."""
UNKNOWN_MINUTES = 10.0
"""What a video is taken to last whose length no list tells."""

SECONDS_PER_TOKEN = 0.000_95
"""The local embedding model on two cores."""
SECONDS_PER_VIDEO = 0.2
"""Everything else, and remote embeddings, several videos at once."""
PRICES_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Planned:
    """One source and how many videos it names.

    `known` are there or on the queue; `failed` failed so lately that they are not tried again.
    `minutes` and `tokens` are about those that would be loaded.
    """

    source: str
    kind: Literal["video", "playlist", "channel", "file"]
    title: str | None = None
    videos: int = 0
    known: int = 0
    failed: int = 0
    minutes: float = 0.0
    tokens: int = 0
    failure: LoadingFailed | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """`credits` are Supadata's; `generated_credits` what making captions may add at most.

    `cost_usd` is for remote embeddings, None where their price cannot be learnt; `seconds` is
    about how long it takes.
    """

    sources: Sequence[Planned]
    videos: int
    known: int
    failed: int
    new: int
    credits: int
    generated_credits: int
    embedding_tokens: int
    cost_usd: float | None
    seconds: float


async def price(
    resources: Resources,
    providers: Sequence[TranscriptProvider],
    user_id: UUID,
    sources: Sequence[str],
    *,
    wishes: Wishes,
    limit: int | None = None,
) -> Price:
    """The price of adding sources: links, ids, files. A video that two of them name is loaded
    for one."""
    names = list(dict.fromkeys(sources))
    files = [source for source in names if names_file(source)][:limit]
    links = [source for source in names if not names_file(source)]
    left = None if limit is None else limit - len(files)
    found = await find_videos(resources, providers, user_id, links, limit=left)
    ids = {video.youtube_id for one in found for video in one.videos}
    async with resources.sessions() as session:
        known, failed, lengths = await _standing(session, user_id, ids, wishes)
    planned = [await _file(source, resources.settings) for source in files]
    for one in found:
        planned.append(_plan(one, known, failed, lengths))
        known |= {video.youtube_id for video in one.videos} - failed
    return await _sum(resources.settings, planned, generate=wishes.generate)


async def _file(source: str, settings: Settings) -> Planned:
    try:
        file = await parsed(source, settings.max_upload_mb)
    except LoadingFailed as failure:
        return Planned(source, "file", failure=failure)
    tokens = sum(token_estimate(segment.text) for segment in file.segments)
    return Planned(source, "file", file.title, 1, tokens=tokens)


def _plan(
    found: Found, known: Collection[str], failed: Collection[str], lengths: Mapping[str, int]
) -> Planned:
    kind = found.listed.kind if found.listed else "video"
    failure = found.failure
    if failure is None and not found.videos:
        failure = no_videos(found.source)
    seen = {*known, *failed}
    new = [video for video in found.videos if video.youtube_id not in seen]
    minutes = sum(_minutes(video.duration_ms or lengths.get(video.youtube_id)) for video in new)
    return Planned(
        source=found.source,
        kind=kind,
        title=found.title,
        videos=len(found.videos),
        known=sum(video.youtube_id in known for video in found.videos),
        failed=sum(video.youtube_id in failed for video in found.videos),
        minutes=minutes,
        tokens=round(minutes * TOKENS_PER_MINUTE),
        failure=failure,
    )


def _minutes(duration_ms: int | None) -> float:
    return UNKNOWN_MINUTES if duration_ms is None else duration_ms / 60_000


async def _standing(
    session: AsyncSession, user_id: UUID, ids: Collection[str], wishes: Wishes
) -> tuple[set[str], set[str], dict[str, int]]:
    """For which videos no service would be asked: known ones, and those that failed lately; and
    the lengths in milliseconds that we know of already."""
    own = or_(Video.owner_id.is_(None), Video.owner_id == user_id)
    videos = (await session.scalars(select(Video).where(Video.youtube_id.in_(ids), own))).all()
    video_ids = [video.id for video in videos]
    jobs = await latest_jobs(session, video_ids)
    loaded = await loaded_languages(session, video_ids)
    known: set[str] = set()
    failed: set[str] = set()
    for video in videos:
        name, job = video.youtube_id or "", jobs.get(video.id)
        if (job is not None and job.status in ("queued", "running")) or (
            video.status == "ready" and not lacks(video, loaded.get(video.id, ()), wishes)
        ):
            known.add(name)
        elif job is not None and failed_lately(job, wishes):
            failed.add(name)
    lengths = {
        one.youtube_id: one.duration_ms for one in videos if one.youtube_id and one.duration_ms
    }
    return known, failed - known, lengths


async def _sum(settings: Settings, planned: Sequence[Planned], *, generate: bool) -> Price:
    videos, known = sum(one.videos for one in planned), sum(one.known for one in planned)
    failed = sum(one.failed for one in planned)
    new = videos - known - failed
    fetched = new - sum(one.videos for one in planned if one.kind == "file")
    tokens = sum(one.tokens for one in planned)
    paid = _pays_credits(settings)
    minutes = sum(one.minutes for one in planned)
    return Price(
        sources=planned,
        videos=videos,
        known=known,
        failed=failed,
        new=new,
        credits=CREDITS_PER_VIDEO * fetched if paid else 0,
        generated_credits=round(CREDITS_PER_GENERATED_MINUTE * minutes) if paid and generate else 0,
        embedding_tokens=tokens,
        cost_usd=await _embedding_cost(settings, tokens),
        seconds=_seconds(settings, fetched, new, tokens, paid=paid),
    )


def _pays_credits(settings: Settings) -> bool:
    """Whether Supadata is the service that is asked first."""
    first = next(
        (
            name
            for name in settings.transcript_providers
            if name != "supadata" or settings.supadata_api_key
        ),
        None,
    )
    return first == "supadata"


def _seconds(settings: Settings, fetched: int, new: int, tokens: int, *, paid: bool) -> float:
    """The slower of what the service lets through and what this machine embeds."""
    rate = settings.supadata_rate if paid else settings.youtube_rate
    fetching = fetched * REQUESTS_PER_VIDEO / rate
    local = settings.embedding_model == LOCAL
    return max(fetching, new * SECONDS_PER_VIDEO, tokens * SECONDS_PER_TOKEN if local else 0.0)


async def _embedding_cost(settings: Settings, tokens: int) -> float | None:
    """https://openrouter.ai/docs: `GET /embeddings/models` lists prices in dollars a token."""
    if settings.embedding_model == LOCAL or not tokens:
        return 0.0
    key = settings.openrouter_api_key
    headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
    url = f"{settings.openrouter_base_url}/embeddings/models"
    try:
        async with httpx.AsyncClient(timeout=PRICES_TIMEOUT_S, verify=tls()) as http:
            answer = (await http.get(url, headers=headers)).raise_for_status().json()
        prices = {model["id"]: model["pricing"]["prompt"] for model in answer["data"]}
        return float(prices[settings.embedding_model]) * tokens
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return None
