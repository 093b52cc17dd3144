"""The `admin` command: accounts on a terminal. Exit codes: 0 done, 1 not done, 2 bad usage."""

import json
import sys
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from api.accounts import audit, links, operation_commands, overview, people, quotas
from api.accounts.desk import Desk, run
from api.accounts.errors import BadPassword
from api.accounts.mail import Mailer
from api.accounts.passwords import MIN_CHARS, Passwords
from api.accounts.tokens import Tokens
from talker.models import AuditEvent, User, UserRole
from talker.settings import Settings

app = typer.Typer(
    help="Accounts: who has one, who may make one, who administers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
EmailArgument = Annotated[str, typer.Argument(metavar="EMAIL")]

MOST = 100_000


@app.command("create-admin")
def create_admin(email: EmailArgument) -> None:
    """Make an administrator's account, or make somebody with an account one.

    The password is asked for, or is the first line of standard input; without one you get a link
    that sets it. The first administrator takes over what the one person of AUTH=local has.
    """
    password = _ask_password()

    async def create(desk: Desk) -> str | None:
        password_hash = await Passwords().hash(password) if password else None
        async with desk.sessions.begin() as session:
            address = people.normal_email(email)
            user = await session.scalar(select(User).where(User.email == address))
            if user is None:
                user = await people.create(session, address, password_hash, "admin")
            else:
                await people.change(session, user, role="admin", active=True)
                user.password_hash = password_hash or user.password_hash
            audit.record(session, audit.COMMAND_LINE, "create_admin", address)
            if user.password_hash is not None:
                return None
            made = await links.reset(session, Tokens(desk.settings), user)
            return made.url(_base(desk.settings))

    url = run(create)
    _say(f"{email} is an administrator." + (f" Set the password at {url}" if url else ""))


@app.command()
def users(as_json: JsonOption = False) -> None:
    """List the accounts: what each has, and what its models cost this month."""

    async def look(desk: Desk) -> list[overview.AccountRow]:
        async with desk.sessions() as session:
            return await overview.read_accounts(session, overview.accounts(), limit=MOST, offset=0)

    found = run(look)
    if as_json:
        for row in found:
            _say(json.dumps(_as_json(row)))
        return
    table = Table("email", "role", "videos", "talks", "$ this month", "last seen", box=None)
    for row in found:
        role = row.user.role if row.user.active else f"{row.user.role}, disabled"
        seen = f"{row.seen_at:%Y-%m-%d}" if row.seen_at else "never"
        counts = str(row.videos), str(row.conversations), f"{row.month_usd:.2f}"
        table.add_row(row.user.email, role, *counts, seen)
    Console(highlight=False).print(table)


@app.command()
def invite(
    email: Annotated[
        str | None, typer.Argument(metavar="[EMAIL]", help="Who may use it; anybody without.")
    ] = None,
    admin: Annotated[bool, typer.Option("--admin", help="Make them an administrator.")] = False,
    days: Annotated[
        int | None, typer.Option(min=1, help="How long it works.", show_default=False)
    ] = None,
) -> None:
    """Print a link with which one person makes an account; mailed too where mail is set up."""
    role: UserRole = "admin" if admin else "user"

    async def make(desk: Desk) -> str:
        settings = desk.settings
        within = timedelta(days=days or settings.invitation_days)
        async with desk.sessions.begin() as session:
            made = await links.invite(
                session, Tokens(settings), email=email, role=role, within=within
            )
            about = made.row.email or "anybody"
            audit.record(session, audit.COMMAND_LINE, "invite", about, role=role)
        url, mailer = made.url(_base(settings)), Mailer(settings)
        if made.row.email and mailer.configured:
            await mailer.invite(made.row.email, url, made.row.expires_at)
        return url

    _say(run(make))


@app.command()
def reset(email: EmailArgument) -> None:
    """Print a link with which somebody sets a new password."""

    async def make(desk: Desk) -> str:
        async with desk.sessions.begin() as session:
            user = await people.find_by_email(session, email)
            made = await links.reset(session, Tokens(desk.settings), user)
            audit.record(session, audit.COMMAND_LINE, "reset_link", user.email)
        return made.url(_base(desk.settings))

    _say(run(make))


@app.command()
def role(email: EmailArgument, role: Annotated[UserRole, typer.Argument()]) -> None:
    """Make somebody an administrator, or not."""
    _change(email, role=role)
    _say(f"{email}: {role}")


@app.command()
def disable(email: EmailArgument) -> None:
    """Lock somebody out, at once; everything of theirs stays."""
    _change(email, active=False)
    _say(f"{email} cannot log in any more.")


@app.command()
def enable(email: EmailArgument) -> None:
    """Let somebody in again."""
    _change(email, active=True)
    _say(f"{email} can log in again.")


@app.command()
def quota(
    email: EmailArgument,
    videos: Annotated[int | None, typer.Option(min=0, help="In the library.")] = None,
    hours: Annotated[float | None, typer.Option(min=0, help="Of videos.")] = None,
    storage_mb: Annotated[float | None, typer.Option(min=0, help="Of own files.")] = None,
    daily_usd: Annotated[float | None, typer.Option(min=0, help="For models, a day.")] = None,
    default: Annotated[
        bool, typer.Option("--default", help="Forget what was set before; the settings hold.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what somebody has and may have, and set it; 0 sets no bound."""
    given = {
        "videos": videos,
        "hours": hours,
        "storage_mb": storage_mb,
        "daily_usd": daily_usd,
    }
    changes = {name: value for name, value in given.items() if value is not None}

    async def change(desk: Desk) -> quotas.Standing:
        async with desk.sessions.begin() as session:
            user = await people.find_by_email(session, email)
            if default or changes:
                before = quotas.OwnQuotas() if default else quotas.own(user)
                wanted = before.model_copy(update=changes)
                quotas.put(session, audit.COMMAND_LINE, user, wanted)
            return await quotas.standing(session, user, desk.settings)

    found = run(change)
    if as_json:
        _say(json.dumps(found.as_json()))
        return
    for name, used, most in found.lines():
        _say(f"{name:<11}{used:,.2f} of {f'{most:,.2f}' if most else 'any number'}")


@app.command("audit")
def show_audit(
    limit: Annotated[int, typer.Option(min=1, help="How many, the last first.")] = 50,
) -> None:
    """Show what administrators did."""

    async def look(desk: Desk) -> list[AuditEvent]:
        newest = select(AuditEvent).order_by(AuditEvent.created_at.desc()).limit(limit)
        async with desk.sessions() as session:
            return list(await session.scalars(newest))

    for event in run(look):
        detail = " ".join(f"{key}={value}" for key, value in event.detail.items())
        at = f"{event.created_at:%Y-%m-%d %H:%M}"
        _say(f"{at}  {event.actor}  {event.action}  {event.subject}  {detail}".rstrip())


operation_commands.register(app)


def main() -> None:
    app()


def _change(email: str, *, role: UserRole | None = None, active: bool | None = None) -> None:
    async def change(desk: Desk) -> None:
        async with desk.sessions.begin() as session:
            user = await people.find_by_email(session, email)
            await people.change(session, user, role=role, active=active)
            what = {"role": role} if role is not None else {"active": active}
            audit.record(session, audit.COMMAND_LINE, "change_user", user.email, **what)

    run(change)


def _ask_password() -> str:
    """Asked for on a terminal, else the first line of standard input; empty for a link."""
    if sys.stdin.isatty():
        asked: str = typer.prompt(
            "Password (empty: a link that sets it)",
            default="",
            hide_input=True,
            show_default=False,
            confirmation_prompt=True,
        )
    else:
        asked = sys.stdin.readline().rstrip("\r\n")
    if asked and len(asked) < MIN_CHARS:
        sys.stderr.write(f"{BadPassword(MIN_CHARS)}\n")
        raise typer.Exit(2)
    return asked


def _base(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return settings.public_url or f"http://{host}:{settings.port}"


def _say(line: str) -> None:
    Console(highlight=False).print(line, markup=False, soft_wrap=True)


def _as_json(row: overview.AccountRow) -> dict[str, object]:
    user = row.user
    return {
        "id": str(user.id),
        "email": user.email,
        "role": user.role,
        "active": user.active,
        "videos": row.videos,
        "conversations": row.conversations,
        "month_usd": row.month_usd,
        "seen_at": row.seen_at.isoformat() if row.seen_at else None,
    }


if __name__ == "__main__":
    main()
