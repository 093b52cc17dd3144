"""What the model service's failures mean to us; chat and embeddings alike speak through openai.

Statuses and kinds as OpenRouter documents them; the words of llama.cpp, vLLM and OpenAI for a
prompt that is too long are understood too. Of what a service says in its own words only the
sentence about a refused request is passed on, never the text that its moderation quotes.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import openai

from talker.errors import (
    AnswerBrokenOff,
    AnswerCutShort,
    AnswerFiltered,
    BlockedByGuardrail,
    ContextTooLong,
    ModelBusy,
    ModelError,
    ModelNotOffered,
    ModelOutOfCredit,
    ModelRefused,
    ModelTimedOut,
    ModelUnauthorised,
    ModelUnavailable,
    NoProvider,
    QuestionFlagged,
    UnreadableReply,
)

_MAX_DETAIL_CHARS = 300
_MAX_REASONS = 3
_MAX_REASON_CHARS = 40

_TOO_LONG = {
    "context_length_exceeded",  # OpenRouter, OpenAI
    "exceed_context_size_error",  # llama.cpp
    "string_too_long",
    "payload_too_large",
}
_TOO_LONG_WORDS = re.compile(
    r"(maximum|exceeds?\b.{0,40}) context|context (length|size|window) exceeded|prompt is too long",
    re.IGNORECASE,
)
"""For servers that say it in a sentence alone, such as vLLM."""

_STATUS_OF_KIND = {
    "authentication": 401,
    "payment_required": 402,
    "permission_denied": 403,
    "not_found": 404,
    "rate_limit_exceeded": 429,
    "server": 500,
    "provider_unavailable": 502,
    "provider_overloaded": 503,
    "timeout": 504,
}
"""OpenRouter's `error_type`, for an error inside a stream that comes without a number."""


def as_model_error(
    error: openai.OpenAIError | httpx2.HTTPError, *, begun: bool = False
) -> ModelError:
    """The typed error for one of openai's, or for a connection lost inside a stream.

    `begun` says that words of an answer have come: it broke off then, rather than never came.
    """
    if isinstance(error, openai.APITimeoutError | httpx2.TimeoutException):
        return ModelTimedOut(begun=begun)
    if isinstance(error, openai.APIConnectionError | httpx2.HTTPError):
        return AnswerBrokenOff() if begun else ModelUnavailable(retry_after_s=0)
    if not isinstance(error, openai.APIError):
        return ModelRefused(_detail(error))
    said = error.body if isinstance(error.body, dict) else {}
    return _by_kind(error, said, begun) or _by_status(error, said)


def _by_kind(error: openai.APIError, said: Mapping[str, Any], begun: bool) -> ModelError | None:
    """What the service names by a word of its own; null where the status says it all."""
    kinds, metadata = _kinds(said), _part(said, "metadata")
    if kinds & _TOO_LONG or (_status(error, said) == 400 and _TOO_LONG_WORDS.search(error.message)):
        return ContextTooLong()
    if "max_tokens_exceeded" in kinds:
        return AnswerCutShort()
    if "reasons" in metadata or "content_policy_violation" in kinds:
        return AnswerFiltered() if begun else QuestionFlagged(_reasons(metadata))
    if "patterns" in metadata or error.message.startswith("Request blocked"):
        return BlockedByGuardrail()
    if _part(said, "availability").get("code") == "region_restricted":
        return ModelNotOffered(_detail(error))
    return None


def _by_status(error: openai.APIError, said: Mapping[str, Any]) -> ModelError:
    status = _status(error, said)
    match status:
        case 401 | 403:
            return ModelUnauthorised()
        case 402:
            return ModelOutOfCredit()
        case 408 | 504:
            return ModelTimedOut()
        case 429:
            return ModelBusy(_retry_after_s(error, said))
        case 503:
            return NoProvider(_retry_after_s(error, said))
        case 404 if not said:  # a page, not an answer: another kind of server, or path
            return UnreadableReply()
        case 404:
            return ModelNotOffered(_detail(error))
    if _part(said, "availability"):
        return ModelNotOffered(_detail(error))
    if status is None or status >= 500:
        return ModelUnavailable()
    return ModelRefused(_detail(error))


def _kinds(said: Mapping[str, Any]) -> set[str]:
    """Every word by which the service names the error: OpenRouter's, OpenAI's, llama.cpp's."""
    words = (
        _part(said, "metadata").get("error_type"),
        said.get("error_type"),
        said.get("type"),
        said.get("code"),
    )
    return {word for word in words if isinstance(word, str)}


def _part(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = said.get(name)
    return part if isinstance(part, dict) else {}


def _status(error: openai.APIError, said: Mapping[str, Any]) -> int | None:
    if isinstance(error, openai.APIStatusError):
        return error.status_code
    for number in (said.get("code"), said.get("http_status")):
        if str(number).isdecimal():
            return int(str(number))
    return next((_STATUS_OF_KIND[kind] for kind in _kinds(said) if kind in _STATUS_OF_KIND), None)


def _reasons(metadata: Mapping[str, Any]) -> list[str]:
    reasons = metadata.get("reasons")
    if not isinstance(reasons, list):
        return []
    return [str(reason)[:_MAX_REASON_CHARS] for reason in reasons[:_MAX_REASONS]]


def _retry_after_s(error: openai.APIError, said: Mapping[str, Any]) -> float | None:
    """The wait asked for, by the header (seconds or a date) or in the body; null without one."""
    header = None
    if isinstance(error, openai.APIStatusError):
        header = error.response.headers.get("retry-after")
    value = header if header is not None else _part(said, "availability").get("retry_after")
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except (TypeError, ValueError):
        return _seconds_until(str(value))


def _seconds_until(date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _detail(error: openai.OpenAIError) -> str:
    """The service's own sentence; the status alone where the body is a page or nothing."""
    body = getattr(error, "body", None)
    message = body.get("message") if isinstance(body, dict) else None
    if not message and isinstance(error, openai.APIStatusError):
        return f"it answered with status {error.status_code}"
    return str(message or error)[:_MAX_DETAIL_CHARS]
