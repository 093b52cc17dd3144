"""Requests that no page of ours sent: foreign hosts and origins are refused."""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from talker.settings import Settings

SAFE = {"GET", "HEAD", "OPTIONS"}
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Guard:
    """ASGI middleware. An unsafe request or a socket whose Origin is not ours gets 403, and in
    AUTH=local so does a foreign Host, which is how a page elsewhere could reach a local server
    through a name of its own (DNS rebinding). Programs send no Origin."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._local = settings.auth == "local"
        self._origins = {
            origin.lower() for origin in (*settings.allowed_origins, settings.public_url) if origin
        }
        self._hosts = LOOPBACK | {urlsplit(origin).hostname or "" for origin in self._origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is None:
            return await self._app(scope, receive, send)
        response = JSONResponse({"error": "not_allowed", "detail": refusal}, 403)
        return await response(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> str | None:
        host = headers.get("host", "").lower()
        if self._local and not _is_among(host, self._hosts):
            return f"This server answers on this machine alone, not as {host or 'no host'}."
        origin = headers.get("origin", "").lower()
        unsafe = scope["type"] == "websocket" or scope["method"] not in SAFE
        if not unsafe or not origin or origin in self._origins or urlsplit(origin).netloc == host:
            return None
        return f"A page of {origin} may not do this. Add it to ALLOWED_ORIGINS if it is yours."


def _is_among(host: str, hosts: Collection[str]) -> bool:
    return urlsplit(f"//{host}").hostname in hosts
