"""Batch loading for the command line: add sources, work the queue, wait, report."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from ingestion.add import PERSONAL_VIDEOS, add_file, add_found, collect
from ingestion.files import bad_file, names_file, read_file
from ingestion.jobs import BATCH, OVER, PERSONAL
from ingestion.listing import find_videos
from ingestion.prefetch import batching
from ingestion.reports import JobState, Report, Totals
from ingestion.services import open_services
from ingestion.wishes import Added, Wishes
from ingestion.worker import working
from talker.errors import BadRequest, LoadingFailed, UserNotFound, WrongKindOfFile
from talker.models import LOCAL_USER_EMAIL, IngestionJob, User, Video, now
from talker.quotas import quotas_of
from talker.resources import Resources

POLL_S = 0.3
OVERLAP = timedelta(seconds=10)
"""How far apart the clocks of processes may be without a change being missed."""


class WhoseLibrary(BadRequest):
    def __init__(self) -> None:
        super().__init__("With AUTH=accounts, say whose library it is: --user EMAIL.")


async def find_user(resources: Resources, email: str) -> User:
    """The person with that address. Raises UserNotFound, and WhoseLibrary with accounts, where
    the one person of AUTH=local is nobody."""
    if email == LOCAL_USER_EMAIL and resources.settings.auth == "accounts":
        raise WhoseLibrary
    async with resources.sessions() as session:
        user = await session.scalar(select(User).where(User.email == email.strip().lower()))
    if user is None:
        raise UserNotFound(email)
    return user


async def add(
    resources: Resources,
    user: User,
    sources: Sequence[str],
    report: Report,
    *,
    wishes: Wishes,
    limit: int | None = None,
    jobs: int | None = None,
) -> Totals:
    """Add files, links and lists, at most `limit` videos, and wait until all are over."""
    files = [source for source in sources if names_file(source)][:limit]
    links = [source for source in sources if not names_file(source)]
    async with (
        open_services(resources) as services,
        working(resources, services, concurrency=jobs),
    ):
        answers = []
        for source in files:
            answers.append(await _add_one_file(resources, user, source, wishes, len(sources)))
            report.added(answers[-1])
        left = None if limit is None else limit - len(files)
        if links and left != 0:
            report.listing()
            found = await find_videos(resources, services, user.id, links, limit=left)
            async with resources.sessions.begin() as session:
                linked = await add_found(
                    session,
                    user,
                    found,
                    wishes,
                    quotas=quotas_of(user, resources.settings),
                    together=batching(services) is not None,
                )
            for added in linked:
                report.added(added)
            answers += linked
        return await follow(resources, answers, report)


async def follow(resources: Resources, answers: Sequence[Added], report: Report) -> Totals:
    """Report each change until every job is over; a video counts once.

    One more language of a ready video has a job to wait for too.
    """
    videos = [one for added in answers for one in (added.videos if added.is_list else (added,))]
    failed = {one.video_id or one.source for one in videos if one.status == "failed"}
    failed |= {added.source for added in answers if added.is_list and added.failure}
    waiting = {one.job_id for one in videos if one.job_id and one.status != "failed"}
    ready = {one.video_id for one in videos if one.status == "ready" and not one.job_id}
    waited = await wait(resources, waiting, report)
    return Totals(len(ready) + waited.ready, len(failed) + waited.failed, waited.left)


async def _add_one_file(
    resources: Resources, user: User, source: str, wishes: Wishes, of: int
) -> Added:
    settings = resources.settings
    try:
        content = await asyncio.to_thread(read_file, Path(source), settings.max_upload_mb)
        async with resources.sessions.begin() as session:
            added = await add_file(
                session,
                user,
                Path(source).name,
                content,
                max_hours=settings.max_video_hours,
                quotas=quotas_of(user, settings),
                priority=PERSONAL if of <= PERSONAL_VIDEOS else BATCH,
            )
            await collect(session, user, wishes, [added])
    except WrongKindOfFile as error:
        return Added.refused(source, bad_file(str(error)))
    except LoadingFailed as failure:
        return Added.refused(source, failure)
    return replace(added, source=source)


async def wait(resources: Resources, job_ids: Collection[UUID], report: Report) -> Totals:
    """Report each change until every job is over, or all that are not are paused."""
    known: dict[str, JobState] = {}
    since: datetime | None = None
    while job_ids:
        at = now()
        for state in await _states(resources, job_ids, since):
            before = known.get(state.job_id)
            if before != state:
                known[state.job_id] = state
                report.job(before, state)
        since = at - OVERLAP
        # A video that was removed meanwhile took its job with it.
        if all(state.status in (*OVER, "paused") for state in known.values()):
            break
        await asyncio.sleep(POLL_S)
    statuses = [state.status for state in known.values()]
    ready, left = statuses.count("done"), sum(status not in OVER for status in statuses)
    return Totals(ready, len(statuses) - ready - left, left)


async def _states(
    resources: Resources, job_ids: Collection[UUID], since: datetime | None
) -> list[JobState]:
    """The jobs that changed since an instant; all without one."""
    query = (
        select(IngestionJob, Video.title)
        .join(Video, Video.id == IngestionJob.video_id)
        .where(IngestionJob.id.in_(job_ids))
        .order_by(IngestionJob.updated_at)
    )
    if since is not None:
        query = query.where(IngestionJob.updated_at > since)
    async with resources.sessions() as session:
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
            for job, title in await session.execute(query)
        ]
