"""How much there is of what, over all people: counts from the tables, and no words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from ingestion.jobs import ACTIVE
from talker.models import (
    LOCAL_USER_EMAIL,
    IngestionJob,
    JobStatus,
    User,
    UserRole,
    Video,
    VideoStatus,
    now,
)

WORKER_SEEN_S = 60
"""A worker that has shown no sign of life for longer counts as gone; it shows one every 10 s."""


@dataclass(frozen=True)
class Things:
    """`jobs` by status, `oldest_s` the age of the oldest of those that are not over, `failures`
    the failed ones by reason; `videos` by status, `users` by role."""

    jobs: dict[str, int]
    oldest_s: dict[str, float]
    failures: dict[str, int]
    videos: dict[str, int]
    users: dict[str, int]
    workers: int
    database_bytes: int


async def read_things(session: AsyncSession) -> Things:
    at = now()
    jobs = await session.execute(
        select(IngestionJob.status, func.count(), func.min(IngestionJob.created_at)).group_by(
            IngestionJob.status
        )
    )
    rows = jobs.all()
    first = {status: began_at for status, _, began_at in rows if status in ACTIVE}
    reason = IngestionJob.failure["reason"].astext
    failures = await session.execute(
        select(reason, func.count()).where(IngestionJob.status == "failed").group_by(reason)
    )
    videos = await session.execute(select(Video.status, func.count()).group_by(Video.status))
    users = await session.execute(
        select(User.role, func.count()).where(User.email != LOCAL_USER_EMAIL).group_by(User.role)
    )
    size = await session.scalar(text("SELECT pg_database_size(current_database())"))
    return Things(
        jobs=_counts(get_args(JobStatus), rows),
        oldest_s={
            status: max(0.0, (at - first[status]).total_seconds()) if status in first else 0.0
            for status in ACTIVE
        },
        failures={row[0] or "unknown": row[1] for row in failures},
        videos=_counts(get_args(VideoStatus), videos.all()),
        users=_counts(get_args(UserRole), users.all()),
        workers=await living_workers(session),
        database_bytes=size or 0,
    )


async def living_workers(session: AsyncSession) -> int:
    seen = await session.scalar(
        text(
            "SELECT count(*) FROM procrastinate_workers"
            " WHERE last_heartbeat > now() - make_interval(secs => :seconds)"
        ),
        {"seconds": WORKER_SEEN_S},
    )
    return seen or 0


def _counts(words: Sequence[str], rows: Iterable[Any]) -> dict[str, int]:
    """A count for every word, also for one of which there are none."""
    found: dict[str, int] = {row[0]: row[1] for row in rows}
    return {word: found.get(word, 0) for word in words}
