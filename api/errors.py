"""Error type to status: one table, one handler; a test holds the table to the whole tree."""

import errno
import logging
import math
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException

from api.accounts.errors import NotLoggedIn
from talker import errors
from talker.database import DATABASE_AWAY, why_away

log = logging.getLogger(__name__)


class InternalError(errors.TalkerError):
    """A bug, as the person who met it is told of it."""

    def __init__(self) -> None:
        super().__init__("Something went wrong on our side; the log has the details.")


UNSTORABLE = (DataError, psycopg.DataError, UnicodeEncodeError)
"""What SQLAlchemy, psycopg and Python raise for text that Postgres cannot hold."""


class Unstorable(errors.BadRequest):
    """What no check of ours foresaw and Postgres refuses."""

    def __init__(self) -> None:
        super().__init__(
            "What was sent holds something that cannot be stored, such as a NUL character or a "
            "number out of range. Take it out and send it again."
        )


class BodyTooLarge(errors.TalkerError):
    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"A request here may have {max_bytes:,} bytes and no more.")


class RunFailed(errors.TalkerError):
    """A run that ended with an `error` event, whose name is `error`."""

    def __init__(self, error: str, detail: str) -> None:
        super().__init__(detail)
        self.error = error


STATUS: dict[type[errors.TalkerError], int] = {
    InternalError: 500,
    BodyTooLarge: 413,
    NotLoggedIn: 401,
    RunFailed: 500,
    errors.BadSettings: 500,
    errors.BadRequest: 400,
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.UploadTooLarge: 413,
    errors.WrongKindOfFile: 415,
    errors.LoadingFailed: 400,
    errors.LibraryFull: 413,
    errors.Unavailable: 503,
    errors.ModelError: 502,
    errors.ModelOutOfCredit: 402,
    errors.ModelTimedOut: 504,
    errors.TooManyRequests: 429,
    errors.BudgetUsedUp: 402,
}
"""By the nearest class: an error without a row has its parent's."""

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""The disk is full, or what of it this user, or this process, may have."""

MISFITS_TOLD, TOLD_CHARS = 5, 120

HTTP_NAMES = {
    401: "not_logged_in",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "wrong_kind_of_file",
}


def status_of(error: type[errors.TalkerError]) -> int:
    return next(STATUS[cls] for cls in error.__mro__ if cls in STATUS)


def status_named(name: str) -> int:
    """The status of an error that only its name is left of, as in a run's event."""
    return next((status_of(cls) for cls in _tree() if cls.name() == name), 500)


def _tree(
    root: type[errors.TalkerError] = errors.TalkerError,
) -> Iterator[type[errors.TalkerError]]:
    for child in root.__subclasses__():
        yield child
        yield from _tree(child)


def add_handlers(app: FastAPI) -> None:
    app.add_exception_handler(errors.TalkerError, _talker_error)
    app.add_exception_handler(RequestValidationError, _misfit)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _bug)
    app.add_exception_handler(OSError, _no_room)
    for unstorable in UNSTORABLE:
        app.add_exception_handler(unstorable, _unstorable)
    for away in DATABASE_AWAY:
        app.add_exception_handler(away, _database_away)


def error_event(error: errors.TalkerError) -> dict[str, Any]:
    """An error inside a stream; `retryable` says whether the same may work later, and
    `retry_after_s`, where it is known, when."""
    retryable = isinstance(error, errors.Unavailable | InternalError | errors.TooManyRequests) or (
        isinstance(error, errors.ModelError) and error.retryable
    )
    event: dict[str, Any] = {
        "type": "error",
        **body(error.name(), str(error)),
        "retryable": retryable,
    }
    if retry_after_s := _retry_after_s(error):
        event["retry_after_s"] = retry_after_s
    return event


def _retry_after_s(error: errors.TalkerError) -> int | None:
    if isinstance(error, errors.ModelBusy | errors.TooManyRequests) and error.retry_after_s:
        return max(1, math.ceil(error.retry_after_s))
    return None


def body(name: str, detail: str) -> dict[str, str]:
    # What was sent may be quoted in it, with halves of surrogate pairs that no answer can hold.
    return {"error": name, "detail": detail.encode(errors="replace").decode()}


async def _talker_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, errors.TalkerError)
    return response_to(error)


def response_to(error: errors.TalkerError) -> JSONResponse:
    headers = {}
    if retry_after_s := _retry_after_s(error):
        headers["Retry-After"] = str(retry_after_s)
    if isinstance(error, NotLoggedIn):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, errors.LoadingFailed):
        content = body(error.reason, f"{error.detail} {error.next_step}")
    else:
        content = body(error.name(), str(error))
    return JSONResponse(content, status_of(type(error)), headers)


async def _database_away(request: Request, error: Exception) -> JSONResponse:
    log.warning("database unavailable", extra={"error": type(error).__name__})
    return await _talker_error(request, why_away(error))


async def _no_room(request: Request, error: Exception) -> JSONResponse:
    """A file that could not be written, as an upload is while it is read."""
    assert isinstance(error, OSError)
    if error.errno not in NO_ROOM:
        raise error
    log.error("disk full")
    return await _talker_error(request, errors.DiskFull())


async def _unstorable(request: Request, _: Exception) -> JSONResponse:
    return await _talker_error(request, Unstorable())


async def _misfit(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return JSONResponse(body("validation_failed", misfits(error.errors(), "body")), 422)


def misfits(found: Sequence[Any], whole: str) -> str:
    """What of something sent does not fit, in a few words each; `whole` is what it is called."""
    sentences = [_sentence(one, whole) for one in found[:MISFITS_TOLD]]
    more = len(found) - len(sentences)
    return "; ".join([*sentences, *([f"and {more:,} more"] if more else [])])


def _sentence(misfit: Any, whole: str) -> str:
    if isinstance(misfit, str):  # LangServe's, of a body that is no JSON
        return f"{whole}: {misfit}"
    return f"{clipped('.'.join(_place(misfit['loc']))) or whole}: {clipped(misfit['msg'])}"


def clipped(text: str) -> str:
    """What somebody sent, as far as it is worth being said again."""
    return text if len(text) <= TOLD_CHARS else f"{text[: TOLD_CHARS - 1]}…"


def _place(loc: Sequence[str | int]) -> list[str]:
    """Where in the request, without its part; LangServe leaves the part out."""
    parts = [str(part) for part in loc]
    return parts[1:] if parts[:1] and parts[0] in ("body", "query", "path", "header") else parts


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    cause = error.__cause__  # FastAPI's 400 is for whatever fails while a body is read
    if isinstance(cause, OSError) and cause.errno in NO_ROOM:
        return await _no_room(request, cause)
    name = HTTP_NAMES.get(error.status_code, "bad_request")
    detail = error.detail
    if error.status_code == 404 and detail == "Not Found":
        detail = f"There is nothing at {request.url.path}. The API is described at /api/docs."
    return JSONResponse(body(name, detail), error.status_code, error.headers)


async def _bug(request: Request, error: Exception) -> JSONResponse:
    log.error("unexpected error", exc_info=error)
    return await _talker_error(request, InternalError())
