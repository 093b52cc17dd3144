"""`serve`: the whole app in one process, with a worker and, where no URLs are set, its servers."""

import logging
import os
import socket
import sys

import uvicorn
from fastapi import FastAPI

from api.app import create_app
from talker.errors import BadSettings
from talker.logs import start_logging
from talker.settings import load_settings

KEEP_ALIVE_S = 75
"""Longer than clients and proxies keep an idle connection, so that none is closed as it is used."""

MAX_MESSAGE_BYTES = 1_000_000
"""Of one message to a socket; the longest question that names all of a library has less."""


def main() -> None:
    """Serve until SIGTERM or Ctrl-C. Exit code 2 for wrong settings, 1 for a failed start."""
    try:
        settings = load_settings()
        app = create_app(settings)
    except BadSettings as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    start_logging(settings.log_level)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        ws="websockets-sansio",
        ws_max_size=MAX_MESSAGE_BYTES,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=10,
        server_header=False,
    )
    try:
        listening = _listen(settings.host, settings.port)
    except OSError as error:
        why = os.strerror(error.errno or 0)
        sys.stderr.write(
            f"PORT: {settings.host}:{settings.port} cannot be used ({why}). "
            "Stop what listens there, or set PORT to another.\n"
        )
        sys.exit(1)
    server = AnnouncingServer(config, app)
    server.run([listening])
    if not server.started:
        sys.exit(1)


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket, taken before anything is started for a port that is in use."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048)


class AnnouncingServer(uvicorn.Server):
    """Says where the app is, once it answers there, and how its first administrator gets in."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            assert sockets is not None
            host, port = sockets[0].getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            address = f"http://{shown}:{port}"
            sys.stdout.write(f"YoutubeTalker is at {address}\n")
            self._invite_first_admin(address)
            sys.stdout.flush()

    def _invite_first_admin(self, address: str) -> None:
        state = self._app.state
        if state.setup_link is not None:
            url = state.setup_link.url(state.settings.public_url or address)
            sys.stdout.write(f"Make the administrator's account (the link works once): {url}\n")
