"""The commands that steer the queue: retry, pause, resume, cancel, sync."""

import sys
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ingestion import batch, jobs
from ingestion.failures import TIME_HEALS
from ingestion.program import JobsOption, JsonOption, UserOption, exit_by, run
from ingestion.reports import Totals, open_report
from ingestion.services import open_services
from ingestion.sync import subscribed, sync
from ingestion.wishes import Added
from ingestion.worker import working
from talker.errors import JobNotFound
from talker.models import LOCAL_USER_EMAIL, IngestionJob, LibraryEntry, User, Video
from talker.resources import Resources

Change = Callable[[AsyncSession, Collection[IngestionJob]], Awaitable[list[IngestionJob]]]

IdsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ID…", help="Ids of videos (ours or YouTube's), jobs or batches; all without any."
    ),
]


def register(app: typer.Typer) -> None:
    app.command()(retry)
    app.command()(pause)
    app.command()(resume)
    app.command()(cancel)
    app.command("sync")(sync_lists)


def retry(
    ids: IdsArgument = None,
    failed: Annotated[
        bool,
        typer.Option("--failed", help="All that failed for a reason that may be gone by now."),
    ] = False,
    at_once: JobsOption = None,
    as_json: JsonOption = False,
    user: UserOption = LOCAL_USER_EMAIL,
) -> None:
    """Load failed videos again, and wait for them.

    Without ids, those that may pass now; what failed for good (private, removed, without
    captions) is tried again only by its id.
    """
    if ids and failed:
        raise typer.BadParameter("Give ids, or --failed, not both.")

    async def load(resources: Resources) -> Totals:
        owner = await batch.find_user(resources, user)
        with open_report(as_json=as_json) as report:
            again, missing = await _retry(resources, owner, ids)
            for added in again:
                report.added(added)
            totals = Totals(0, 0, 0)
            if again:
                async with (
                    open_services(resources) as services,
                    working(resources, services, concurrency=at_once),
                ):
                    totals = await batch.follow(resources, again, report)
            report.totals(totals)
        return Totals(totals.ready, totals.failed + _tell_missing(missing), totals.left)

    exit_by(run(load))


def pause(ids: IdsArgument = None, user: UserOption = LOCAL_USER_EMAIL) -> None:
    """Let loading rest; what is fetched is kept."""
    _change(jobs.pause, "paused", ids, user)


def resume(ids: IdsArgument = None, user: UserOption = LOCAL_USER_EMAIL) -> None:
    """Put paused jobs back on the queue; the app, `worker` or `ingest add` goes on with them."""
    _change(jobs.resume, "queued again", ids, user)


def cancel(ids: IdsArgument = None, user: UserOption = LOCAL_USER_EMAIL) -> None:
    """End what is not loaded yet. `retry ID` takes it up again."""
    _change(jobs.cancel, "cancelled", ids, user)


def sync_lists(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="COLLECTION…", help="Names or ids; all subscribed without any."),
    ] = None,
    at_once: JobsOption = None,
    as_json: JsonOption = False,
    user: UserOption = LOCAL_USER_EMAIL,
) -> None:
    """Bring in what is new of subscribed playlists and channels, and wait for it."""

    async def load(resources: Resources) -> Totals | None:
        owner = await batch.find_user(resources, user)
        found = await subscribed(resources, user=owner, names=names or ())
        if not found:
            return None
        async with (
            open_services(resources) as services,
            working(resources, services, concurrency=at_once),
        ):
            with open_report(as_json=as_json) as report:
                report.listing()
                new: list[Added] = []
                for collection_id, user_id in found:
                    synced = await sync(resources, services, collection_id, user_id)
                    new.append(synced.as_added())
                    report.added(new[-1])
                totals = await batch.follow(resources, new, report)
                report.totals(totals)
        return totals

    totals = run(load)
    if totals is None:
        _say("There is no collection to sync. Add a list with --subscribe.")
        raise typer.Exit(1 if names else 0)
    exit_by(totals)


def _change(change: Change, word: str, ids: Sequence[str] | None, email: str) -> None:
    async def work(resources: Resources) -> tuple[int, list[str]]:
        owner = await batch.find_user(resources, email)
        async with resources.sessions.begin() as session:
            found, missing = await _find(session, owner, ids, jobs.ACTIVE)
            return len(await change(session, found)), missing

    count, missing = run(work)
    _say(f"{count} {word}")
    raise typer.Exit(1 if _tell_missing(missing) else 0)


async def _retry(
    resources: Resources, user: User, ids: Sequence[str] | None
) -> tuple[list[Added], list[str]]:
    async with resources.sessions.begin() as session:
        found, missing = await _find(session, user, ids, ("failed", "cancelled"))
        if not ids:
            found = [job for job in found if (job.failure or {}).get("reason") in TIME_HEALS]
        again = await jobs.retry(session, found)
        return [Added(job.source, job.video_id, job.id, "queued") for job in again], missing


async def _find(
    session: AsyncSession, user: User, ids: Sequence[str] | None, statuses: Sequence[str]
) -> tuple[list[IngestionJob], list[str]]:
    """The library's last jobs in these states that ids name (all without any); the other ids."""
    rows = await session.execute(
        select(IngestionJob, Video.youtube_id)
        .join(Video, Video.id == IngestionJob.video_id)
        .join(LibraryEntry, LibraryEntry.video_id == Video.id)
        .where(LibraryEntry.user_id == user.id, IngestionJob.status.in_(statuses))
        .order_by(IngestionJob.created_at)
    )
    found = [(job, _names(job, youtube_id)) for job, youtube_id in rows]
    if not ids:
        return [job for job, _ in found], []
    wanted = set(ids)
    missing = wanted - {name for _, names in found for name in names}
    return [job for job, names in found if names & wanted], sorted(missing)


def _names(job: IngestionJob, youtube_id: str | None) -> set[str]:
    ids: list[UUID | None] = [job.id, job.video_id, job.batch_id]
    return {str(name) for name in (*ids, youtube_id) if name}


def _say(line: str) -> None:
    Console(highlight=False).print(line, markup=False, soft_wrap=True)


def _tell_missing(missing: Sequence[str]) -> int:
    for name in missing:
        sys.stderr.write(f"{JobNotFound(name)}\n")
    return len(missing)
