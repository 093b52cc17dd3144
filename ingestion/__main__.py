"""The `ingest` command: parse, call, print. Exit codes: 0 all ready, 1 some failed, 2 bad usage."""

import asyncio
import json
import logging
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from sqlalchemy import select

from ingestion import batch, library
from ingestion.preview import preview
from ingestion.reports import Totals, open_report
from talker.errors import BadSettings, TalkerError, UserNotFound, VideoNotFound
from talker.logs import start_logging
from talker.models import LOCAL_USER_EMAIL, LibraryEntry, Video
from talker.resources import Resources, open_resources
from talker.settings import Settings, load_settings

INTERRUPTED = 130

app = typer.Typer(
    help="Load videos into the library, and look after what is loaded.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

UserOption = Annotated[
    str, typer.Option("--user", metavar="EMAIL", help="Whose library; needed with accounts.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
JobsOption = Annotated[
    int | None, typer.Option("--jobs", min=1, help="Videos loaded at once.", show_default=False)
]

Result = TypeVar("Result")


@app.command()
def add(
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="SOURCE…", help="Links, ids, .srt, .vtt or .json files."),
    ] = None,
    file: Annotated[
        typer.FileText | None,
        typer.Option(help="A list, one source a line, # for comments; - is standard input."),
    ] = None,
    language: Annotated[
        str | None, typer.Option(help="Captions' languages in order of preference: pl,en.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Take only the first N sources.", show_default=False)
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list what would be loaded and its cost.")
    ] = False,
    jobs: JobsOption = None,
    as_json: JsonOption = False,
    user: UserOption = LOCAL_USER_EMAIL,
) -> None:
    """Add videos and wait until each is ready or failed."""
    listed = [line.split(" #")[0].strip() for line in file] if file else []
    wanted = [*(sources or []), *(line for line in listed if line and not line.startswith("#"))]
    if not wanted:
        raise typer.BadParameter("Give at least one source, or --file with a list of them.")
    wanted = list(dict.fromkeys(wanted))[:limit]
    if dry_run:
        _exit_by(_run(lambda resources: _preview(resources, user, wanted, as_json=as_json)))

    async def load(resources: Resources) -> Totals:
        owner = await batch.find_user(resources, user)
        with open_report(as_json=as_json) as report:
            totals = await batch.add(resources, owner, wanted, report, language=language, jobs=jobs)
            report.totals(totals)
        return totals

    _exit_by(_run(load))


@app.command()
def retry(
    every: Annotated[
        bool,
        typer.Option("--failed", help="Every failed video, also where time alone heals nothing."),
    ] = False,
    jobs: JobsOption = None,
    as_json: JsonOption = False,
    user: UserOption = LOCAL_USER_EMAIL,
) -> None:
    """Load failed videos again, and wait for them."""

    async def load(resources: Resources) -> Totals:
        owner = await batch.find_user(resources, user)
        with open_report(as_json=as_json) as report:
            totals = await batch.retry_failed(resources, owner, report, every=every, jobs=jobs)
            report.totals(totals)
        return totals

    _exit_by(_run(load))


@app.command()
def status(as_json: JsonOption = False, user: UserOption = LOCAL_USER_EMAIL) -> None:
    """Count the library's videos by status, and list those that are not ready."""
    videos = _run(lambda resources: _library(resources, user))
    counts = {word: sum(video.status == word for video in videos) for word in _STATUSES}
    rest = [video for video in videos if video.status != "ready"]
    console = Console(highlight=False)
    if as_json:
        items = [
            {"id": str(v.id), "title": v.title, "status": v.status, "failure": v.failure}
            for v in rest
        ]
        console.print(json.dumps({**counts, "not_ready": items}), markup=False, soft_wrap=True)
        return
    console.print(", ".join(f"{count} {word}" for word, count in counts.items()))
    for video in rest:
        why = f": {video.failure['detail']} {video.failure['next_step']}" if video.failure else ""
        console.print(
            f"{video.status:<8}{video.id}  {video.title}{why}", markup=False, soft_wrap=True
        )


@app.command()
def remove(
    ids: Annotated[
        list[str], typer.Argument(metavar="ID…", help="Ids of videos, ours or YouTube's.")
    ],
    user: UserOption = LOCAL_USER_EMAIL,
) -> None:
    """Take videos out of the library."""
    missing = _run(lambda resources: _remove(resources, user, ids))
    for name in missing:
        sys.stderr.write(f"{VideoNotFound(name)}\n")
    raise typer.Exit(1 if missing else 0)


@app.command()
def reindex() -> None:
    """Build the search index anew from the database, for the embedding model that is set."""
    count = _run(library.reindex)
    Console(highlight=False).print(f"{count} videos indexed")


_STATUSES = ("ready", "loading", "queued", "failed")


def main() -> None:
    app()


def _run(work: Callable[[Resources], Awaitable[Result]]) -> Result:
    """Open what is needed, do the work, close it; say failures in their own words."""
    try:
        settings = load_settings()
        start_logging(max(settings.log_level, "WARNING", key=logging.getLevelName))
        return asyncio.run(_with_resources(settings, work))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.stderr.write(
            "Stopped. What is not loaded yet stays in the queue: it goes on with the app, "
            "`worker`, or the same command again.\n"
        )
        raise typer.Exit(INTERRUPTED) from None
    except (BadSettings, UserNotFound) as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from None
    except TalkerError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(1) from None


async def _with_resources(
    settings: Settings, work: Callable[[Resources], Awaitable[Result]]
) -> Result:
    this = asyncio.current_task()
    if this is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    async with open_resources(settings) as resources:
        return await work(resources)


def _exit_by(totals: Totals) -> None:
    raise typer.Exit(1 if totals.failed or totals.left else 0)


async def _library(resources: Resources, email: str) -> list[Video]:
    user = await batch.find_user(resources, email)
    async with resources.sessions() as session:
        videos = await session.scalars(
            select(Video)
            .join(LibraryEntry, LibraryEntry.video_id == Video.id)
            .where(LibraryEntry.user_id == user.id)
            .order_by(LibraryEntry.added_at)
        )
        return list(videos)


async def _remove(resources: Resources, email: str, ids: list[str]) -> list[str]:
    """Remove what is there; the ids that name nothing in the library."""
    user = await batch.find_user(resources, email)
    videos = await _library(resources, email)
    missing = []
    for name in ids:
        found = [video for video in videos if name in (str(video.id), video.youtube_id)]
        if not found:
            missing.append(name)
        for video in found:
            async with resources.sessions.begin() as session:
                await library.remove(session, resources.chunks, user, video.id)
    return missing


async def _preview(
    resources: Resources, email: str, sources: list[str], *, as_json: bool
) -> Totals:
    planned = await preview(resources, await batch.find_user(resources, email), sources)
    console = Console(highlight=False)
    for plan in planned:
        why = f": {plan.detail}" if plan.detail else ""
        line = json.dumps(asdict(plan)) if as_json else f"{plan.fate:<8}{plan.source}{why}"
        console.print(line, markup=False, soft_wrap=True)
    if not as_json:
        console.print(f"Supadata credits: {sum(plan.credits for plan in planned)}")
    failed = sum(plan.fate == "failed" for plan in planned)
    return Totals(len(planned) - failed, failed, 0)


if __name__ == "__main__":
    main()
