"""What the model service's failures mean to us; chat and embeddings alike speak through openai."""

import httpx
import openai

from talker.errors import (
    ModelBusy,
    ModelError,
    ModelOutOfCredit,
    ModelRefused,
    ModelTimedOut,
    ModelUnauthorised,
    ModelUnavailable,
)

_MAX_DETAIL_CHARS = 300


def as_model_error(error: openai.OpenAIError | httpx.HTTPError) -> ModelError:
    """The typed error for one of openai's, or for a connection lost inside a stream.

    Statuses as OpenRouter documents them: 402 credit used up, 408 and 504 time-outs, 429 busy,
    5xx (529 from embeddings) away; an error inside a stream carries the status as `code`.
    """
    if isinstance(error, openai.APITimeoutError | httpx.TimeoutException):
        return ModelTimedOut()
    if isinstance(error, openai.APIConnectionError | httpx.HTTPError):
        return ModelUnavailable()
    if not isinstance(error, openai.APIError):
        return ModelRefused(_detail(error))
    status = _status(error)
    if status in (401, 403) and not _moderated(error):
        return ModelUnauthorised()
    if status == 402:
        return ModelOutOfCredit()
    if status in (408, 504):
        return ModelTimedOut()
    if status == 429:
        return ModelBusy(_retry_after_s(error))
    if status is None or status >= 500:
        return ModelUnavailable()
    return ModelRefused(_detail(error))


def _status(error: openai.APIError) -> int | None:
    if isinstance(error, openai.APIStatusError):
        return error.status_code
    code = str(error.code or "")
    return int(code) if code.isdecimal() else None


def _moderated(error: openai.APIError) -> bool:
    """OpenRouter answers 403 to what its moderation stops, and says so in the metadata."""
    body = error.body
    metadata = body.get("metadata") if isinstance(body, dict) else None
    return isinstance(metadata, dict) and "reasons" in metadata


def _retry_after_s(error: openai.APIError) -> float | None:
    if not isinstance(error, openai.APIStatusError):
        return None
    value = error.response.headers.get("retry-after", "")
    try:
        return max(0.0, float(value))
    except ValueError:
        return None


def _detail(error: openai.OpenAIError) -> str:
    body = getattr(error, "body", None)
    message = body.get("message") if isinstance(body, dict) else None
    return str(message or error)[:_MAX_DETAIL_CHARS]
