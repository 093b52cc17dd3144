"""What every route may answer beside what is asked for, as the OpenAPI document tells it."""

from typing import Any

from pydantic import BaseModel


class Problem(BaseModel):
    """`error` is a stable name, `detail` a sentence: what was wrong, and what to do."""

    error: str
    detail: str


_MEANINGS = {
    400: "What was sent makes no sense",
    401: "Not logged in",
    402: "A budget, or a service's credit, is used up",
    403: "Not allowed",
    404: "Not there, or not yours",
    409: "Not now, or not twice",
    413: "Too large",
    415: "The wrong kind of file",
    422: "Does not fit the schema",
    429: "Too many; `Retry-After` says when to try again",
    502: "The model or the transcript service failed",
    503: "Postgres or Qdrant is away",
    504: "The model did not answer in time",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": Problem, "description": _MEANINGS[status]} for status in statuses}


EVERYWHERE = problems(400, 401, 403, 404, 409, 413, 422, 429, 503)
OF_MODELS = problems(402, 502, 504)
"""Beside these where a chat model is asked."""
