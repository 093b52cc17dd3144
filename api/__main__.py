"""`serve`: the whole app, with a worker and, where no URLs are set, its servers."""

import logging
import os
import resource
import socket
import sys
from contextlib import suppress

import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.processes import serve
from talker.errors import BadSettings
from talker.logs import start_logging
from talker.settings import Settings, load_settings

KEEP_ALIVE_S = 75
"""Longer than clients and proxies keep an idle connection, so that none is closed as it is used."""

MAX_MESSAGE_BYTES = 1_000_000
"""Of one message to a socket; the longest question that names all of a library has less."""


def main() -> None:
    """Serve until SIGTERM or Ctrl-C, which end it with exit code 0. 2 is for wrong settings, 1 for
    a failed start."""
    try:
        settings = load_settings()
        app = create_app(settings)  # here too where others serve it: wrong settings end it now
    except BadSettings as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    _start_logging(settings)
    several = settings.web_processes > 1
    config = uvicorn.Config(
        "api.__main__:app_of_environment" if several else app,
        factory=several,
        workers=settings.web_processes,
        log_config=None,
        access_log=False,
        ws="websockets-sansio",
        ws_max_size=MAX_MESSAGE_BYTES,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=10,
        server_header=False,
        proxy_headers=False,  # the app's own, which follow TRUSTED_PROXIES
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
    _allow_sockets()
    if not serve(config, listening):
        sys.exit(1)


def app_of_environment() -> FastAPI:
    """The app for a process that somebody else started: one of several, or one that reloads."""
    settings = load_settings()
    _start_logging(settings)
    return create_app(settings)


def _start_logging(settings: Settings) -> None:
    start_logging(settings.log_level, settings.log_shape)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket, taken before anything is started for a port that is in use."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048)


def _allow_sockets() -> None:
    """As many open files as the machine lets us have: each socket is one, and the usual limit of
    1,024 is only what a program gets that does not ask."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
