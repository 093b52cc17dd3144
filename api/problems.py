"""What every route may answer beside what is asked for, as the OpenAPI document tells it."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from api.accounts.gate import is_private


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


WORDS = {"type", "title", "minLength", "maxLength", "description", "default"}
"""The keys of a schema that takes any text: no enumeration, format or pattern."""


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": Problem, "description": _MEANINGS[status]} for status in statuses}


OF_MODELS = problems(402, 502, 504)
"""Where a chat model, or one for embeddings, is asked."""


def add_problems(document: dict[str, Any]) -> None:
    """What can be told from a route's path, parameters and body; the rest stands at the route."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            answers = operation["responses"]
            for status in sorted(_problems_of(path, method, operation)):
                if status == 422 or str(status) not in answers:
                    answers[str(status)] = _documented(status)
    for unused in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(unused, None)


def _problems_of(path: str, method: str, operation: dict[str, Any]) -> Iterator[int]:
    parameters = operation.get("parameters", [])
    has_body = "requestBody" in operation
    yield 403  # a foreign Host or Origin
    if is_private(path):
        yield from (401, 429, 503)
    elif method == "post":
        yield 503
        if has_body:
            yield 429
    if any(parameter["in"] == "path" for parameter in parameters):
        yield 404
    if has_body or parameters:
        yield 422
    if has_body:
        yield 413
    if has_body or any(_takes_words(parameter["schema"]) for parameter in parameters):
        yield 400  # what cannot be stored, or makes no sense


def _takes_words(schema: dict[str, Any]) -> bool:
    kinds = schema.get("anyOf", [schema])
    return any(kind.get("type") == "string" and kind.keys() <= WORDS for kind in kinds)


def _documented(status: int) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{Problem.__name__}"}
    return {
        "description": _MEANINGS[status],
        "content": {"application/json": {"schema": schema}},
    }
