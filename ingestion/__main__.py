"""The `ingest` command: parse, call, print. Exit codes: 0 all ready, 1 some failed, 2 bad usage."""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from ingestion import archive_commands, batch, library, queue_commands
from ingestion.overview import Overview, overview
from ingestion.price import Price, price
from ingestion.program import JobsOption, JsonOption, UserOption, exit_by, run
from ingestion.reports import Totals, open_report, told
from ingestion.services import open_services
from ingestion.wishes import Wishes
from talker.errors import VideoNotFound
from talker.models import LOCAL_USER_EMAIL
from talker.resources import Resources

app = typer.Typer(
    help="Load videos into the library, and look after what is loaded.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def add(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE…", help="Links of videos, playlists and channels, ids, caption files."
        ),
    ] = None,
    file: Annotated[
        typer.FileText | None,
        typer.Option(help="A list, one source a line, # for comments; - is standard input."),
    ] = None,
    language: Annotated[
        str | None, typer.Option(help="Captions' languages in order of preference: pl,en.")
    ] = None,
    generate: Annotated[
        bool,
        typer.Option("--generate", help="Make captions where there are none, 2 credits a minute."),
    ] = False,
    collection: Annotated[
        str | None, typer.Option(metavar="NAME", help="Put the videos into this collection.")
    ] = None,
    subscribe: Annotated[
        bool,
        typer.Option("--subscribe", help="Bring in what is new of playlists and channels."),
    ] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Take only the first N videos.", show_default=False)
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list what would be loaded and its cost.")
    ] = False,
    jobs: JobsOption = None,
    as_json: JsonOption = False,
    user: UserOption = LOCAL_USER_EMAIL,
) -> None:
    """Add videos and wait until each is ready or failed."""
    wanted = _wanted(sources or [], file or [])
    wishes = Wishes(language, generate, collection, subscribe=subscribe)

    async def look(resources: Resources) -> Price:
        owner = await batch.find_user(resources, user)
        async with open_services(resources) as services:
            return await price(resources, services, owner.id, wanted, wishes=wishes, limit=limit)

    async def load(resources: Resources) -> Totals:
        owner = await batch.find_user(resources, user)
        with open_report(as_json=as_json) as report:
            totals = await batch.add(
                resources, owner, wanted, report, wishes=wishes, limit=limit, jobs=jobs
            )
            report.totals(totals)
        return totals

    if dry_run:
        exit_by(_show_price(run(look), as_json=as_json))
    exit_by(run(load))


def _wanted(sources: Iterable[str], lines: Iterable[str]) -> list[str]:
    """What was named and what a list names, each once."""
    listed = [line.split(" #")[0].strip() for line in lines]
    wanted = [*sources, *(line for line in listed if line and not line.startswith("#"))]
    if not wanted:
        raise typer.BadParameter("Give at least one source, or --file with a list of them.")
    return list(dict.fromkeys(wanted))


@app.command()
def status(as_json: JsonOption = False, user: UserOption = LOCAL_USER_EMAIL) -> None:
    """Count the library's videos by status, and list those that are not ready."""

    async def look(resources: Resources) -> Overview:
        owner = await batch.find_user(resources, user)
        async with resources.sessions() as session:
            return await overview(session, owner)

    found = run(look)
    if as_json:
        _print(json.dumps(_as_json(found), ensure_ascii=False))
        return
    counts = ", ".join(f"{count} {word}" for word, count in found.counts.items())
    _print(f"{counts} ({found.paused} paused)" if found.paused else counts)
    if found.credits:
        _print(f"Supadata credits spent: {found.credits}")
    for service in found.resting:
        why = service.failure or {"detail": ""}
        _print(f"{service.service} rests until {service.resting_until:%H:%M:%S}: {why['detail']}")
    for one in found.unready:
        _print(f"{one.status:<8}{one.video.id}  {told(one.video.title, one.failure)}")


@app.command()
def remove(
    ids: Annotated[
        list[str], typer.Argument(metavar="ID…", help="Ids of videos, ours or YouTube's.")
    ],
    user: UserOption = LOCAL_USER_EMAIL,
) -> None:
    """Take videos out of the library."""

    async def take_out(resources: Resources) -> list[str]:
        owner = await batch.find_user(resources, user)
        return await library.remove_named(resources, owner, ids)

    missing = run(take_out)
    for name in missing:
        sys.stderr.write(f"{VideoNotFound(name)}\n")
    raise typer.Exit(1 if missing else 0)


queue_commands.register(app)
app.add_typer(archive_commands.app)


def main() -> None:
    app()


def _print(line: str) -> None:
    Console(highlight=False).print(line, markup=False, soft_wrap=True)


def _show_price(found: Price, *, as_json: bool) -> Totals:
    failed = sum(one.failure is not None for one in found.sources)
    if as_json:
        fields = asdict(found)
        for shown, one in zip(fields["sources"], found.sources, strict=True):
            shown["failure"] = one.failure.as_json() if one.failure else None
        _print(json.dumps(fields, ensure_ascii=False))
        return Totals(0, failed, 0)
    for one in found.sources:
        name = one.title or one.source
        if one.failure is not None:
            _print(f"failed  {told(one.source, one.failure.as_json())}")
        elif one.kind in ("playlist", "channel"):
            _print(f"{one.kind:<8} {name}: {one.videos} videos, {one.known} of them known")
        else:
            word = "known" if one.known else "failed" if one.failed else "load"
            _print(f"{word:<8}{name}")
    failed_lately = f", {found.failed} failed lately" if found.failed else ""
    _print(
        f"{found.videos} videos, {found.known} of them known{failed_lately}, {found.new} to load"
    )
    _print(f"Supadata credits: {found.credits}")
    if found.generated_credits:
        _print(f"and for captions made from the sound at most: {found.generated_credits}")
    cost = "price unknown" if found.cost_usd is None else f"${found.cost_usd:.2f}"
    _print(f"Embedding: about {found.embedding_tokens:,} tokens, {cost}")
    _print(f"Time: about {_time(found.seconds)}")
    return Totals(0, failed, 0)


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _as_json(found: Overview) -> dict[str, object]:
    return {
        **found.counts,
        "paused": found.paused,
        "credits": found.credits,
        "resting": [
            {
                "service": one.service,
                "until": one.resting_until.isoformat() if one.resting_until else None,
                "failure": one.failure,
            }
            for one in found.resting
        ],
        "not_ready": [
            {
                "id": str(one.video.id),
                "youtube_id": one.video.youtube_id,
                "title": one.video.title,
                "status": one.status,
                "failure": one.failure,
            }
            for one in found.unready
        ],
    }


if __name__ == "__main__":
    main()
