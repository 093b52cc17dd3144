"""Supadata's refusals, and what they mean to us.

https://docs.supadata.ai/errors: `error` is a stable name, `details` a sentence.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self

import httpx

from ingestion.cues import clean
from ingestion.provider import Busy, no_captions, provider_down
from talker.errors import LoadingFailed, Reason
from talker.sources import ListSource

_STATUS = {
    "invalid-request": 400,
    "unauthorized": 401,
    "upgrade-required": 402,
    "forbidden": 403,
    "not-found": 404,
    "limit-exceeded": 429,
    "transcript-unavailable": 206,
}
"""Of the errors that a job names; https://docs.supadata.ai/errors/list."""

_RESTRICTED: tuple[tuple[str, Reason], ...] = (
    (r"\bmember|subscriber", "members_only"),
    (r"\bage(?![a-z])", "age_restricted"),
    (r"premiere|upcoming|scheduled|will begin", "upcoming"),
    (r"\blive\b|live ?stream", "live"),
    (r"\bprivate\b", "private"),
)
"""Words in Supadata's sentences on videos that it may not read, and what they mean to us."""

_NEXT_STEP: dict[str, str] = {
    "private": "Make the video public or unlisted, or upload its captions as a file.",
    "members_only": "Upload its captions as a file if you may see the video.",
    "age_restricted": "Upload its captions as a file.",
    "upcoming": "Add it again once it has been shown.",
    "live": "Add it again once the stream is over and has captions.",
    "removed": "Check the link; if it is your own, make it public or unlisted.",
    "not_a_video": "Check the link; live streams and premieres can be loaded once they are over.",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error as Supadata gives it, in an answer of its own or inside a job's result."""

    status: int
    said: str = ""
    retry_after_s: float | None = None

    @classmethod
    def of(cls, response: httpx.Response) -> Self:
        body = json_of(response)
        status = response.status_code
        if body.get("error") == "transcript-unavailable":
            status = _STATUS["transcript-unavailable"]
        return cls(status, _said(body), retry_after_s(response))

    @classmethod
    def in_job(cls, error: Any) -> Self:
        """`error` is a whole error or only its name."""
        body = error if isinstance(error, dict) else {"error": error}
        return cls(_STATUS.get(str(body.get("error")), 500), _said(body))

    @property
    def quoted(self) -> str:
        return f' Supadata says: "{self.said}".' if self.said else ""

    @property
    def names_quota(self) -> bool:
        return bool(re.search(r"usage limit|quota|credit", self.said, re.IGNORECASE))

    @property
    def may_be_either_limit(self) -> bool:
        """Its documented sentence on 429 is "… the allowed request rate or quota limits"."""
        return (
            self.status == httpx.codes.TOO_MANY_REQUESTS
            and self.names_quota
            and re.search(r"\brate\b", self.said, re.IGNORECASE) is not None
            and self.retry_after_s is None
        )


def about_video(youtube_id: str, refusal: Refusal) -> LoadingFailed:
    said = refusal.said.lower()
    reason = next((reason for words, reason in _RESTRICTED if re.search(words, said)), None)
    match refusal.status:
        case 206:
            return no_captions(f"YouTube has no captions for {youtube_id}.")
        case 403:
            reason = reason or "private"
        case 404 if reason is None:
            return LoadingFailed(
                "removed",
                f"There is no public video {youtube_id} on YouTube.",
                _NEXT_STEP["removed"],
            )
        case 400 | 404 | 422:
            reason = reason or "not_a_video"
        case _:
            return about_service(refusal)
    return LoadingFailed(
        reason, f"Supadata may not read {youtube_id}.{refusal.quoted}", _NEXT_STEP[reason]
    )


def about_list(source: ListSource, refusal: Refusal) -> LoadingFailed:
    match refusal.status:
        case 403:
            return LoadingFailed(
                "private",
                f"Supadata may not read the {source.kind} {source.id}.{refusal.quoted}",
                "Make it public or unlisted, or give the links of its videos.",
            )
        case 404:
            return LoadingFailed(
                "removed", f"There is no such {source.kind}: {source.url}.", _NEXT_STEP["removed"]
            )
        case 400 | 422:
            return LoadingFailed(
                "not_a_video",
                f"Supadata cannot read the {source.kind} {source.id}.{refusal.quoted}",
                "Check the link, or give the links of its videos.",
            )
    return about_service(refusal)


def about_batch(refusal: Refusal) -> LoadingFailed:
    if refusal.status in (400, 422):
        return LoadingFailed(
            "not_a_video",
            f"Supadata does not take this batch of videos.{refusal.quoted}",
            "Load its videos one by one.",
        )
    return about_service(refusal)


def about_service(refusal: Refusal) -> LoadingFailed:
    match refusal.status:
        case 401:
            return LoadingFailed(
                "unauthorised", "Supadata refuses the key.", "Check SUPADATA_API_KEY, then retry."
            )
        case 402:
            return LoadingFailed(
                "quota",
                f"Supadata's plan does not cover this request.{refusal.quoted}",
                "Upgrade the plan or add credits at Supadata, then retry.",
            )
        case 429 if refusal.names_quota and not refusal.may_be_either_limit:
            return out_of_credits(refusal)
        case 429:
            return Busy("Supadata", refusal.retry_after_s)
    return provider_down(
        f"Supadata answered with an error ({refusal.status}).{refusal.quoted}",
        refusal.retry_after_s,
    )


def out_of_credits(refusal: Refusal) -> LoadingFailed:
    return LoadingFailed(
        "quota",
        f"Supadata's credits are used up.{refusal.quoted}",
        "Wait for the plan's next period or upgrade it, then retry.",
    )


def json_of(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def retry_after_s(response: httpx.Response) -> float | None:
    """The `Retry-After` of an answer: seconds, or a date (RFC 9110, section 10.2.3)."""
    value = response.headers.get("retry-after", "").strip()
    if value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _said(body: Mapping[str, Any]) -> str:
    return clean(str(body.get("details") or body.get("message") or ""))[:200]
