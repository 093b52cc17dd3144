"""Batch loading for the command line: add sources, work the queue, wait, report."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from ingestion.add import Added, add_file, add_sources, retry
from ingestion.reports import JobState, Report, Totals
from ingestion.sources import is_file
from ingestion.worker import working
from talker.errors import LoadingFailed, UserNotFound, WrongKindOfFile
from talker.models import IngestionJob, LibraryEntry, User, Video
from talker.resources import Resources

POLL_S = 0.3
LINKS_AT_ONCE = 100
OVER = ("done", "failed", "cancelled")
TIME_HEALS = ("provider_down", "blocked", "quota", "unauthorised", "live", "upcoming")
"""Reasons that may be gone by now; the others need another video or another file."""


async def find_user(resources: Resources, email: str) -> User:
    """Raises UserNotFound."""
    async with resources.sessions() as session:
        user = await session.scalar(select(User).where(User.email == email))
    if user is None:
        raise UserNotFound(email)
    return user


async def add(
    resources: Resources,
    user: User,
    sources: Sequence[str],
    report: Report,
    *,
    language: str | None = None,
    jobs: int | None = None,
) -> Totals:
    """Add files, links and ids, and wait until each is ready or failed."""
    answers: list[Added] = []
    async with working(resources, concurrency=jobs):
        for source in (source for source in sources if names_file(source)):
            answers.append(await _add_one_file(resources, user, source))
            report.added(answers[-1])
        links = [source for source in sources if not names_file(source)]
        for at in range(0, len(links), LINKS_AT_ONCE):
            some = links[at : at + LINKS_AT_ONCE]
            async with resources.sessions.begin() as session:
                found = await add_sources(session, user, some, language=language)
            answers += found
            for added in found:
                report.added(added)
        waited = await _wait(resources, [a.job_id for a in answers if a.job_id], report)
    ready = sum(added.status == "ready" for added in answers)
    refused = sum(added.job_id is None and added.status == "failed" for added in answers)
    return Totals(ready + waited.ready, refused + waited.failed, waited.left)


async def retry_failed(
    resources: Resources, user: User, report: Report, *, every: bool, jobs: int | None = None
) -> Totals:
    """Load failed videos of the library again: those that time may have healed, or `every` one."""
    async with resources.sessions.begin() as session:
        found = await session.scalars(
            select(IngestionJob)
            .join(LibraryEntry, LibraryEntry.video_id == IngestionJob.video_id)
            .where(LibraryEntry.user_id == user.id, IngestionJob.status == "failed")
            .order_by(IngestionJob.video_id)
        )
        again = [job for job in found if every or (job.failure or {}).get("reason") in TIME_HEALS]
        for job in again:
            await retry(session, job)
            report.added(Added(job.source, job.video_id, job.id, "queued"))
    if not again:
        return Totals(0, 0, 0)
    async with working(resources, concurrency=jobs):
        return await _wait(resources, [job.id for job in again], report)


def names_file(source: str) -> bool:
    return is_file(source) or ("://" not in source and Path(source).is_file())


async def _add_one_file(resources: Resources, user: User, source: str) -> Added:
    settings = resources.settings
    try:
        content = await asyncio.to_thread(read_file, Path(source), settings.max_upload_mb)
        async with resources.sessions.begin() as session:
            added = await add_file(
                session, user, Path(source).name, content, max_hours=settings.max_video_hours
            )
    except WrongKindOfFile as error:
        return Added.refused(source, _bad_file(str(error)))
    except LoadingFailed as failure:
        return Added.refused(source, failure)
    return Added(source, added.video_id, added.job_id, added.status, added.failure)


def read_file(path: Path, max_mb: int) -> bytes:
    """A caption file's bytes. Raises LoadingFailed with reason `bad_file`."""
    try:
        if path.stat().st_size > max_mb * 1_000_000:
            raise _bad_file(f"{path} is larger than {max_mb} MB, the most that is taken.")
        return path.read_bytes()
    except OSError as error:
        raise _bad_file(f"{path} cannot be read: {error.strerror or error}.") from error


def _bad_file(detail: str) -> LoadingFailed:
    return LoadingFailed("bad_file", detail, "Check the file's name and add it once more.")


async def _wait(resources: Resources, job_ids: Sequence[UUID], report: Report) -> Totals:
    """Report each change until every job is over."""
    known: dict[str, JobState] = {}
    while True:
        states = await _states(resources, job_ids)
        for state in states:
            before = known.get(state.job_id)
            if before != state:
                known[state.job_id] = state
                report.job(before, state)
        left = sum(state.status not in OVER for state in states)
        if not left:
            break
        await asyncio.sleep(POLL_S)
    ready = sum(state.status == "done" for state in states)
    return Totals(ready, len(states) - ready, 0)


async def _states(resources: Resources, job_ids: Sequence[UUID]) -> list[JobState]:
    async with resources.sessions() as session:
        rows = await session.execute(
            select(IngestionJob, Video.title)
            .join(Video, Video.id == IngestionJob.video_id)
            .where(IngestionJob.id.in_(job_ids))
            .order_by(IngestionJob.created_at)
        )
        return [
            JobState(
                job_id=str(job.id),
                video_id=str(job.video_id),
                title=title,
                source=job.source,
                status=job.status,
                step=job.step,
                progress=job.progress,
                failure=job.failure,
            )
            for job, title in rows
        ]
