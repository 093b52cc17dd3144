"""What a job's failure means: its typed reason, and whether a later try may pass."""

import random

from ingestion.provider import Busy, Resting
from talker.errors import (
    IndexMismatch,
    LoadingFailed,
    ModelBusy,
    ModelOutOfCredit,
    ModelTimedOut,
    ModelUnauthorised,
    ModelUnavailable,
    Reason,
    TalkerError,
    Unavailable,
)

FIRST_DELAY_S, LONGEST_DELAY_S = 5.0, 300.0
MAX_TRIES = 12
"""About half an hour in all, after which a person has to look at it."""
MAX_FETCHES = 5
"""Of one video, a good minute in all. While the service itself is down nothing is counted."""

SERVICE_REASONS: tuple[Reason, ...] = ("provider_down", "blocked", "quota", "unauthorised")
"""What is said of a service, not of the video."""
TIME_HEALS: tuple[Reason, ...] = (*SERVICE_REASONS, "live", "upcoming")
"""Reasons that may be gone by now; the others need another video or another file."""


class TryAgain(Exception):
    """A job's try failed in a way that may pass; it goes back to the queue for `delay_s`."""

    def __init__(self, delay_s: float) -> None:
        super().__init__(f"It is tried again in {delay_s:.0f} s.")
        self.delay_s = delay_s


def delay_s(error: TalkerError, attempt: int) -> float | None:
    """Seconds until the next try after the given one, counted from 1.

    None when another one cannot help, or enough were made.
    """
    fetching = isinstance(error, LoadingFailed)
    if not _may_pass(error):
        return None
    if isinstance(error, Resting | Busy):
        # Not all at the same instant: the first one sees whether the service works again.
        return (error.retry_after_s or FIRST_DELAY_S) * random.uniform(1.0, 1.2)  # noqa: S311 - no secret
    if attempt >= (MAX_FETCHES if fetching else MAX_TRIES):
        return None
    asked_s = error.retry_after_s if isinstance(error, LoadingFailed | ModelBusy) else None
    return max(min(FIRST_DELAY_S * 2.0 ** (attempt - 1), LONGEST_DELAY_S), asked_s or 0)


def asked(error: TalkerError) -> bool:
    """Whether anybody was asked: a try that met a resting or busy service counts for nothing."""
    return not isinstance(error, Resting | Busy)


def _may_pass(error: TalkerError) -> bool:
    """Whether what is down comes back by itself.

    A block does not end sooner for being asked again; keys, credits and the video itself are
    for a person to change. An index of another model is being replaced, or soon will be.
    """
    if isinstance(error, LoadingFailed):
        return error.reason == "provider_down"
    return isinstance(
        error, Unavailable | ModelBusy | ModelTimedOut | ModelUnavailable | IndexMismatch
    )


def as_failure(error: TalkerError) -> LoadingFailed:
    """Any failure of ours as one of loading, with the reason that the API names."""
    match error:
        case LoadingFailed():
            return error
        case ModelUnauthorised():
            return LoadingFailed(
                "unauthorised",
                str(error),
                "Set the key, or EMBEDDING_MODEL=local to embed without one, then retry.",
            )
        case ModelOutOfCredit():
            return LoadingFailed("quota", str(error), "Add credit, then retry.")
    next_step = (
        "It is tried again by itself." if _may_pass(error) else "Put that right, then retry."
    )
    return LoadingFailed("provider_down", str(error), next_step)


def broken(error: Exception) -> LoadingFailed:
    """A fault of this program, which the log has in full."""
    return LoadingFailed(
        "provider_down",
        f"Loading broke off with an unexpected error ({type(error).__name__}).",
        "Retry; if it happens again, the worker's log says where.",
    )


def cancelled() -> LoadingFailed:
    return LoadingFailed(
        "cancelled", "Loading was cancelled.", "Retry it, or take the video out of the library."
    )


def too_long(duration_ms: int, max_hours: int) -> LoadingFailed:
    return LoadingFailed(
        "too_long",
        f"The video lasts {duration_ms / 3_600_000:.1f} hours; at most {max_hours} are loaded.",
        "Raise MAX_VIDEO_HOURS, or load a shorter video.",
    )
