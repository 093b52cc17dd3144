"""How large a request's body may be, counted as it arrives: nothing larger is ever kept."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.accounts.gate import is_private
from api.errors import BodyTooLarge, response_to

MAX_BYTES = 8_000_000
"""Of a thousand long links, or of a conversation that a LangServe client brings along."""

MAX_OF_NOBODY = 65_536
"""Where no login is needed, to log in."""

UPLOAD = "/api/videos/upload"
"""Has a limit of its own: MAX_UPLOAD_MB."""


class BodyLimit:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == UPLOAD:
            return await self._app(scope, receive, send)
        most = MAX_BYTES if is_private(scope["path"]) else MAX_OF_NOBODY
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced) > most:
            return await response_to(BodyTooLarge(most))(scope, receive, send)
        return await self._app(scope, _counted(receive, most), send)


def _counted(receive: Receive, most: int) -> Receive:
    left = most

    async def counted() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            # FastAPI lets nothing else through from where it reads a body.
            raise HTTPException(413, str(BodyTooLarge(most)))
        return message

    return counted
