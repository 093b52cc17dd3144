"""`ingest export`, `import` and `reindex`: the library as a whole."""

from pathlib import Path
from typing import Annotated

import typer

from ingestion import library
from ingestion.archive_export import export_library
from ingestion.archive_files import Outcome
from ingestion.archive_import import import_library
from ingestion.batch import find_user, wait
from ingestion.meters import Meter, open_meter
from ingestion.program import JobsOption, JsonOption, UserOption, run
from ingestion.reports import open_report
from ingestion.services import open_services
from ingestion.worker import working
from talker.models import LOCAL_USER_EMAIL
from talker.resources import Resources

app = typer.Typer()

FolderArgument = Annotated[
    Path, typer.Argument(metavar="DIR", file_okay=False, help="The exported library's folder.")
]


@app.command("export")
def export(
    folder: FolderArgument, as_json: JsonOption = False, user: UserOption = LOCAL_USER_EMAIL
) -> None:
    """Write the whole library to a folder of files, so that it can move to another server."""

    async def work(resources: Resources) -> Outcome:
        owner = await find_user(resources, user)
        with open_meter("exported", as_json=as_json) as meter:
            done = await export_library(resources, owner, folder, meter)
            _end(meter, "exported", done)
        return done

    done = run(work, when_stopped="The folder is not complete; the same command again makes it so.")
    raise typer.Exit(1 if done.failed else 0)


@app.command("import")
def import_(
    folder: FolderArgument,
    jobs: JobsOption = None,
    as_json: JsonOption = False,
    user: UserOption = LOCAL_USER_EMAIL,
) -> None:
    """Bring an exported library in, and wait until each of its videos is ready or failed."""

    async def work(resources: Resources) -> int:
        owner = await find_user(resources, user)
        with open_meter("imported", as_json=as_json) as meter:
            done, job_ids = await import_library(resources, owner, folder, meter)
            _end(meter, "imported", done)
        if not job_ids:
            return done.failed
        async with (
            open_services(resources) as services,
            working(resources, services, concurrency=jobs),
        ):
            with open_report(as_json=as_json) as report:
                totals = await wait(resources, job_ids, report)
                report.totals(totals)
        return done.failed + totals.failed + totals.left

    raise typer.Exit(1 if run(work) else 0)


@app.command("reindex")
def reindex(as_json: JsonOption = False) -> None:
    """Build the search index anew from the database, for the embedding model that is set."""

    async def work(resources: Resources) -> None:
        with open_meter("indexed", as_json=as_json) as meter:
            videos = await library.reindex(resources, meter.at)
            meter.end(f"{videos} videos indexed", videos=videos)

    run(work, when_stopped="The index in use stays as it is; the next reindex starts from nothing.")


def _end(meter: Meter, word: str, done: Outcome) -> None:
    meter.end(
        f"{done.videos} videos and {done.collections} collections {word}, {done.failed} failed",
        videos=done.videos,
        collections=done.collections,
        failed=done.failed,
    )
