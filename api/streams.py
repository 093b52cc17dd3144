"""Server-sent events, each reader at its own pace."""

import logging
from typing import Any

from sse_starlette import EventSourceResponse
from sse_starlette.sse import SendTimeoutError
from starlette.types import Receive, Scope, Send

log = logging.getLogger(__name__)

TAKES_NOTHING_S = 60.0
"""A reader that has taken nothing for so long is let go; sockets are by their pings."""


class EventStream(EventSourceResponse):
    """Waits for its reader, and holds nothing back for one that does not read: what is sent is
    taken from the run's own events, one by one."""

    def __init__(self, content: Any, **options: Any) -> None:
        super().__init__(content, **{"send_timeout": TAKES_NOTHING_S, **options})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except SendTimeoutError:
            log.info("a stream's reader takes nothing and was let go")
