"""Supadata's API (https://docs.supadata.ai): native captions and metadata, one credit each.

What its documentation leaves between the lines: 206 means that there are no captions (and is
charged), 429 means a rate limit or a used-up plan, told apart by `details`, and a language that a
video lacks is silently replaced by the first one it has.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar

import httpx
from pydantic import BaseModel, Field, ValidationError

from ingestion.cues import clean
from ingestion.provider import (
    FetchedTranscript,
    Metadata,
    no_captions,
    no_speech,
    provider_down,
    speaks,
)
from ingestion.sources import watch_url
from talker.errors import LoadingFailed
from talker.models import TranscriptKind
from talker.sentences import TimedText

log = logging.getLogger(__name__)

TRIES = 4
"""Of one request, when the service is busy or stumbles, before the job itself waits."""
LONGEST_WAIT_S = 30.0
_FULL_STOPS = ".?!…。।"
_QUOTES = "\"')\u201d\u2019"
POLL_S = 1.0
LONGEST_POLL_S = 600.0

Model = TypeVar("Model", bound=BaseModel)
Milliseconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


class _Piece(BaseModel):
    text: str
    offset: Milliseconds
    duration: Milliseconds


class _Transcript(BaseModel):
    content: list[_Piece]
    lang: str = ""
    availableLangs: list[str] = []  # noqa: N815 - Supadata's name


class _Author(BaseModel):
    displayName: str | None = None  # noqa: N815 - Supadata's name


class _Media(BaseModel):
    duration: float | None = Field(default=None, ge=0, allow_inf_nan=False)


class _Metadata(BaseModel):
    title: str | None = None
    author: _Author | None = None
    media: _Media | None = None
    createdAt: datetime | None = None  # noqa: N815 - Supadata's name


class Supadata:
    """`http` carries the base URL and the key; `wait_s` scales the waits between tries."""

    name = "supadata"

    def __init__(self, http: httpx.AsyncClient, *, wait_s: float = 1.0) -> None:
        self._http = http
        self._wait_s = wait_s

    async def transcript(self, youtube_id: str, languages: Sequence[str]) -> FetchedTranscript:
        """The captions that exist; nothing is generated, which would cost by the minute."""
        got, spent = await self._in_language(youtube_id, languages[0] if languages else None)
        other = _better(got, languages)
        if other is not None:
            got, more = await self._in_language(youtube_id, other)
            spent += more
        segments = [
            TimedText(round(piece.offset), round(piece.duration), words)
            for piece in got.content
            if (words := clean(piece.text))
        ]
        if not segments:
            raise no_speech(youtube_id)
        segments.sort(key=lambda segment: segment.start_ms)
        return FetchedTranscript(
            provider=self.name,
            language=got.lang or "und",
            kind=_kind(segments),
            segments=segments,
            credits=spent,
        )

    async def metadata(self, youtube_id: str) -> Metadata:
        response = await self._get("/metadata", {"url": watch_url(youtube_id)}, youtube_id)
        found = _read(_Metadata, response)
        duration_s = found.media.duration if found.media else None
        return Metadata(
            title=clean(found.title or ""),
            channel=(found.author.displayName or None) if found.author else None,
            duration_ms=round(duration_s * 1000) if duration_s else None,
            published_at=found.createdAt,
            credits=_credits(response),
        )

    async def _in_language(self, youtube_id: str, language: str | None) -> tuple[_Transcript, int]:
        params = {"url": watch_url(youtube_id), "mode": "native"}
        if language:
            params["lang"] = language
        response = await self._get("/transcript", params, youtube_id)
        spent = _credits(response)
        if response.status_code == httpx.codes.PARTIAL_CONTENT:
            raise no_captions(f"YouTube has no captions for {youtube_id}.")
        if response.status_code == httpx.codes.ACCEPTED:
            job_id = _json(response).get("jobId")
            if not isinstance(job_id, str):
                raise provider_down("Supadata took the request and named no job for it.")
            response = await self._finished(job_id, youtube_id)
        return _read(_Transcript, response), spent

    async def _finished(self, job_id: str, youtube_id: str) -> httpx.Response:
        """Poll a transcript job, which costs nothing, until it is done."""
        waited_s = 0.0
        while waited_s < LONGEST_POLL_S:
            try:
                response = await self._get(f"/transcript/{job_id}", {}, youtube_id)
            except LoadingFailed as failure:
                if failure.reason == "removed":  # the job, that is; a result is kept for an hour
                    raise provider_down("Supadata lost the transcript it was making.") from None
                raise
            job = _json(response)
            if job.get("status") == "completed":
                return response
            if job.get("status") == "failed":
                error = job.get("error")
                raise _failure(400, error if isinstance(error, dict) else job, youtube_id, None)
            await asyncio.sleep(POLL_S * self._wait_s)
            waited_s += POLL_S
        raise provider_down(f"Supadata did not finish {youtube_id} in {LONGEST_POLL_S:.0f} s.")

    async def _get(self, path: str, params: Mapping[str, str], youtube_id: str) -> httpx.Response:
        """One request, tried again while that can help. Raises LoadingFailed."""
        for attempt in range(TRIES):
            try:
                response = await self._http.get(path, params=dict(params))
            except httpx.TimeoutException:
                # A request that timed out is charged all the same: the job tries later, once.
                raise provider_down("Supadata did not answer in time.") from None
            except httpx.TransportError as error:
                failure = provider_down(f"Supadata cannot be reached ({type(error).__name__}).")
            else:
                if response.is_success:
                    _log_cost(path, response)
                    return response
                retry_after_s = _retry_after(response)
                failure = _failure(response.status_code, _json(response), youtube_id, retry_after_s)
                if failure.reason != "provider_down" or response.status_code == 501:
                    raise failure
            delay_s = failure.retry_after_s or 2.0**attempt
            if attempt + 1 == TRIES or delay_s > LONGEST_WAIT_S:
                raise failure
            await asyncio.sleep(delay_s * self._wait_s)
        raise AssertionError("unreachable")


def _better(got: _Transcript, languages: Sequence[str]) -> str | None:
    """The wanted language to ask for instead of the one that came, if the video has one."""
    for wanted in languages:
        if speaks(got.lang, wanted):
            return None
        for available in got.availableLangs:
            if speaks(available, wanted):
                return available
    return None


def _kind(segments: Sequence[TimedText]) -> TranscriptKind:
    """Supadata does not say who wrote the captions; speech recognition hardly punctuates."""
    last = [segment.text.rstrip(_QUOTES)[-1:] for segment in segments]
    ends = sum(mark in _FULL_STOPS for mark in last if mark)
    return "manual" if ends * 20 >= len(segments) else "automatic"


def _failure(
    status: int, body: Mapping[str, Any], youtube_id: str, retry_after_s: float | None
) -> LoadingFailed:
    """https://docs.supadata.ai/errors: `error` is a stable name, `details` a sentence."""
    name = str(body.get("error", ""))
    said = str(body.get("details") or body.get("message") or "")[:200]
    quoted = f' Supadata says: "{said}".' if said else ""
    if name == "transcript-unavailable":
        return no_captions(f"YouTube has no captions for {youtube_id}.")
    match status:
        case 401:
            return LoadingFailed(
                "unauthorised", "Supadata refuses the key.", "Check SUPADATA_API_KEY, then retry."
            )
        case 402:
            return LoadingFailed(
                "quota",
                f"Supadata's plan does not cover this request.{quoted}",
                "Upgrade the plan or add credits at Supadata, then retry.",
            )
        case 403:
            return LoadingFailed(
                "private",
                f"Supadata may not read {youtube_id}: it is private, for members or age-restricted."
                f"{quoted}",
                "Make the video public or unlisted, or upload its captions as a file.",
            )
        case 404:
            return LoadingFailed(
                "removed",
                f"There is no public video {youtube_id} on YouTube.",
                "Check the link; if the video is your own, make it public or unlisted.",
            )
        case 429 if "usage limit" in said.lower() or "quota" in said.lower():
            return LoadingFailed(
                "quota",
                f"Supadata's credits are used up.{quoted}",
                "Wait for the plan's next period or upgrade it, then retry.",
            )
        case 429:
            return provider_down("Supadata takes no more requests just now.", retry_after_s)
        case 400 | 422:
            return LoadingFailed(
                "not_a_video",
                f"Supadata cannot read {youtube_id}.{quoted}",
                "Check the link; live streams and premieres can be loaded once they are over.",
            )
    return provider_down(f"Supadata answered with an error ({status}).{quoted}", retry_after_s)


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _read(model: type[Model], response: httpx.Response) -> Model:
    try:
        return model.model_validate(_json(response))
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise provider_down(f"Supadata's answer cannot be understood ({place}).") from None


def _credits(response: httpx.Response) -> int:
    spent = response.headers.get("x-billable-requests", "")
    return int(spent) if spent.isdigit() else 0


def _log_cost(path: str, response: httpx.Response) -> None:
    spent = _credits(response)
    if spent:
        log.info("supadata credits spent", extra={"request": path, "credits": spent})


def _retry_after(response: httpx.Response) -> float | None:
    seconds = response.headers.get("retry-after", "")
    return float(seconds) if seconds.isdigit() else None
