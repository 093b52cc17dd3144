"""`admin status`, `admin costs`, `admin queue`: how the server is, on a terminal.

What the app itself is made of takes seconds to import, so only what needs it does.
"""

import json
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from api.accounts import audit
from api.accounts.costs import Cost, read_costs, span_of_days
from api.accounts.desk import Desk, run
from api.accounts.everybodys_jobs import TO_LOOK_AT, Found, read_jobs, steer_job

if TYPE_CHECKING:
    from api.accounts.operation_routes import Overview

MOST = 100_000
SHOWN = 200

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Day = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], show_default=False, metavar="YYYY-MM-DD")
]


def register(app: typer.Typer) -> None:
    app.command()(status)
    app.command()(costs)
    app.command()(queue)


def status(as_json: JsonOption = False) -> None:
    """Show how each part is, the queue, and how much there is. Exit code 1 if a part is away."""
    from api.accounts.operation_routes import overview_of  # noqa: PLC0415 - see above
    from talker.resources import open_resources  # noqa: PLC0415 - see above

    async def look(desk: Desk) -> "Overview":
        async with open_resources(desk.settings) as resources:
            return await overview_of(resources)

    found = run(look)
    if as_json:
        _say(found.model_dump_json())
    else:
        _tell(found)
    raise typer.Exit(0 if found.health.ready else 1)


def costs(since: Day = None, until: Day = None, as_json: JsonOption = False) -> None:
    """Show what models cost, by person and model; by day too with --json. The last 30 days."""
    start, end = span_of_days(_date(since), _date(until))

    async def look(desk: Desk) -> list[Cost]:
        async with desk.sessions() as session:
            return list(await read_costs(session, start, end))

    found = run(look)
    if as_json:
        for row in found:
            _say(json.dumps(row.__dict__, default=str))
        return
    sums: dict[tuple[str, str], tuple[int, float]] = {}
    for row in found:
        key = row.email or "nobody", row.model
        calls, usd = sums.get(key, (0, 0.0))
        sums[key] = calls + row.calls, usd + row.cost_usd
    table = Table("who", "model", "calls", "$", box=None)
    for (who, model), (calls, usd) in sorted(sums.items(), key=lambda one: -one[1][1]):
        table.add_row(who, model, str(calls), f"{usd:.4f}")
    Console(highlight=False).print(table)
    _say(f"{start} to {end}: ${sum(usd for _, usd in sums.values()):.4f}")


def queue(
    what: Annotated[
        Literal["retry", "cancel"] | None,
        typer.Argument(help="What to do with one job; without, the queue is shown."),
    ] = None,
    job_id: Annotated[UUID | None, typer.Argument(metavar="[ID]")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show everybody's jobs that wait, run or failed, or `retry ID`, `cancel ID`."""
    if (what is None) != (job_id is None):
        raise typer.BadParameter("Give the id of a job with retry or cancel.")

    async def look(desk: Desk) -> list[Found]:
        async with desk.sessions.begin() as session:
            if what is not None and job_id is not None:
                return [await steer_job(session, audit.COMMAND_LINE, job_id, what)]
            return (await read_jobs(session, TO_LOOK_AT, limit=MOST, offset=0))[0]

    found = run(look)
    if as_json:
        from api.accounts.operation_routes import queue_job  # noqa: PLC0415 - see above

        for one in found:
            _say(queue_job(one).model_dump_json())
        return
    table = Table("job", "status", "video", "who", "why", box=None)
    for job, video, email in found[:SHOWN]:
        why = (job.failure or {}).get("detail", "")
        table.add_row(str(job.id), job.status, video.title, email, why)
    Console(highlight=False).print(table)
    if len(found) > SHOWN:
        _say(f"and {len(found) - SHOWN} more; --json shows all")


def _tell(found: "Overview") -> None:
    health = found.health
    for name in ("database", "index", "worker", "model", "transcripts"):
        part = getattr(health, name)
        word, detail = ("ok", "") if part.ok else ("AWAY", part.detail)
        _say(f"{name:<12}{word:<6}{detail}".rstrip())
    queue = ", ".join(f"{count} {word}" for word, count in found.queue.jobs.items() if count)
    _say(f"{'queue':<12}{queue or 'empty'}; {found.queue.workers} workers")
    for word, age in found.queue.oldest_s.items():
        if age:
            _say(f"{'':<12}the oldest {word} since {age:.0f} s")
    for name, counts in (("videos", found.videos), ("users", found.users)):
        told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        _say(f"{name:<12}{told or 'none'}")
    megabytes = {name: size / 1e6 for name, size in found.storage.model_dump().items()}
    _say(
        f"{'storage':<12}database {megabytes['database']:,.0f} MB, "
        f"disk {megabytes['disk_free']:,.0f} MB free"
    )


def _date(day: datetime | None) -> date | None:
    return day.date() if day else None


def _say(line: str) -> None:
    Console(highlight=False).print(line, markup=False, soft_wrap=True)
