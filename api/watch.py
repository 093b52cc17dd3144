"""What is noted of every request: an id, a line in the log, a count, a span."""

import logging
import re
import time
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.guard import SAFE
from talker.logs import about
from talker.metrics import Metrics
from talker.spans import span

log = logging.getLogger(__name__)

SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
METHODS = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}
NO_ROUTE = "none"
FAILED = 500


class Watch:
    """ASGI middleware. Nothing that a person can word is noted: of an address its route alone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if SANE_ID.fullmatch(given) else uuid4().hex
        about(request_id=request_id)
        method = _method(scope)
        began_at = time.monotonic()
        status = FAILED

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            elif message["type"] == "websocket.accept":
                status = 101
            await send(message)

        with span(method, kind="server", parent=headers.get("traceparent")) as request:
            try:
                await self._app(scope, receive, noting)
            finally:
                route = _route(scope)
                request.set_attribute("http.request.method", method)
                request.set_attribute("http.route", route)
                request.set_attribute("http.response.status_code", status)
                _note(scope, method, route, status, time.monotonic() - began_at)


def _note(scope: Scope, method: str, route: str, status: int, seconds: float) -> None:
    # A page reads many times a minute. What changes something is told, and what fails.
    quiet = method in SAFE and status < FAILED
    fields = {"method": method, "route": route, "status": status, "ms": round(seconds * 1000)}
    log.log(logging.DEBUG if quiet else logging.INFO, "request", extra=fields)
    resources = getattr(scope["app"].state, "resources", None)
    if resources is not None:
        metrics: Metrics = resources.metrics
        metrics.requested(method, route, status, seconds)


def _method(scope: Scope) -> str:
    if scope["type"] == "websocket":
        return "SOCKET"
    return scope["method"] if scope["method"] in METHODS else "OTHER"


def _route(scope: Scope) -> str:
    """The route's template. Of a router's route FastAPI has the whole path in its own part of the
    scope; `route` itself knows only what stands behind the router's prefix."""
    whole = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    path: str = getattr(whole, "path", "") or NO_ROUTE
    return path
