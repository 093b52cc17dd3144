"""The first administrator and the first videos of a new server; safe to run again.

    python scripts/seed_production.py --admin you@example.org [SOURCE…] [--file links.txt]

Without sources it loads the sample talk. The administrator's password is asked for, or is the first
line of standard input; without one a link that sets it is printed. Who administers already keeps
their password, and a video that is there is not loaded again. Exit codes are those of `ingest add`.
"""

from typing import Annotated

import typer

from api.accounts import people
from api.accounts.command import create_admin
from api.accounts.desk import Desk, run
from api.adding import SAMPLE
from ingestion.__main__ import add
from talker.errors import UserNotFound


def seed(
    admin: Annotated[str, typer.Option(metavar="EMAIL", envvar="ADMIN_EMAIL")],
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="SOURCE…", help="As `ingest add` takes them.")
    ] = None,
    file: Annotated[
        typer.FileText | None, typer.Option(help="A list of sources, one a line.")
    ] = None,
) -> None:
    """Make the first administrator's account, and load the sample talk or what is given."""

    async def administers(desk: Desk) -> bool:
        async with desk.sessions() as session:
            try:
                return (await people.find_by_email(session, admin)).role == "admin"
            except UserNotFound:
                return False

    if run(administers):
        typer.echo(f"{admin} is an administrator already; `admin reset {admin}` makes a new link.")
    else:
        create_admin(admin)
    add(sources or ([] if file else [str(SAMPLE)]), file=file, user=admin)


if __name__ == "__main__":
    typer.run(seed)
