"""The door to /api: nobody gets past it unknown, and what may be done there is decided here."""

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from api.accounts.attempts import address_of
from api.accounts.errors import AdminsOnly, NotLoggedIn, ReadOnlyKey
from api.accounts.identity import Person, known_person, local_person, note_use
from api.accounts.watchers import Watchers
from api.errors import response_to
from api.guard import SAFE
from api.limits.limits import Limits
from api.patience import within
from talker.database import DATABASE_AWAY, autocommit, why_away
from talker.errors import DatabaseUnavailable, TalkerError
from talker.logs import about

PUBLIC = {
    "/api/health",
    "/api/health/ready",
    "/api/docs",
    "/api/openapi.json",
    "/api/auth/options",
    "/api/auth/register",
    "/api/auth/login",
    "/api/auth/logout",
    "/api/auth/forgot",
    "/api/auth/reset",
}
"""The API's paths that need no login; a new route needs one unless it is named here."""

METRICS = "/api/metrics"
METRICS_TIMEOUT_S = 3.0
"""Prometheus waits ten seconds for all of its answer."""


class Gate:
    """ASGI middleware. Who asks is known before anything of a request's body is read; a socket
    that may not be opened is refused with the HTTP status."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._watchers = Watchers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or not is_private(scope["path"]):
            return await self._app(scope, receive, send)
        connection = HTTPConnection(scope)
        limits: Limits = connection.app.state.limits
        try:
            limits.request_from(address_of(connection))
            person = await self._person(connection)
        except TalkerError as error:
            return await response_to(error)(scope, receive, send)
        except DATABASE_AWAY as error:
            return await response_to(why_away(error))(scope, receive, send)
        if person is not None:
            scope.setdefault("state", {})["person"] = person
            about(user_id=person.user.id)
        return await self._app(scope, receive, send)

    async def _person(self, connection: HTTPConnection) -> Person | None:
        """Who may go in; null for one who watches the figures while nobody can be looked up."""
        if connection.scope["path"] != METRICS:
            return await _let_in(connection)
        accounts = connection.app.state.accounts
        try:
            person = await within(METRICS_TIMEOUT_S, _let_in(connection))
        except (*DATABASE_AWAY, TimeoutError):
            if accounts is None or self._watchers.know(accounts.tokens, connection):
                return None
            raise DatabaseUnavailable from None
        if accounts is not None:
            self._watchers.note(accounts.tokens, connection)
        return person


def is_private(path: str) -> bool:
    return (path == "/api" or path.startswith("/api/")) and path not in PUBLIC


async def _let_in(connection: HTTPConnection) -> Person:
    """Raises NotLoggedIn, ReadOnlyKey, AdminsOnly or TooMuch."""
    person = await _who(connection)
    connection.app.state.limits.request_of(person.user.id)
    _check(person, connection.scope)
    return person


async def _who(connection: HTTPConnection) -> Person:
    """Raises NotLoggedIn."""
    state = connection.app.state
    async with autocommit(state.resources.sessions) as session:
        if state.accounts is None:
            return await local_person(session)
        person = await known_person(session, state.accounts.tokens, connection)
        if person is not None and person.news:
            await note_use(session, person)
    if person is None:
        raise NotLoggedIn
    return person


def _check(person: Person, scope: Scope) -> None:
    """Raises ReadOnlyKey or AdminsOnly."""
    unsafe = scope["type"] == "websocket" or scope["method"] not in SAFE
    if unsafe and person.scope == "read":
        raise ReadOnlyKey
    alone = scope["app"].state.accounts is None
    if is_for_admins(scope["path"]) and not (person.is_admin or alone):
        raise AdminsOnly


def is_for_admins(path: str) -> bool:
    return path == METRICS or path.startswith("/api/admin/")
