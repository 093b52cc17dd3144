"""`serve`: the whole app in one process, with a worker and, where no URLs are set, its servers."""

import logging
import socket
import sys

import uvicorn

from api.app import create_app
from talker.errors import BadSettings
from talker.logs import start_logging
from talker.settings import load_settings


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
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        ws="websockets-sansio",
        timeout_graceful_shutdown=10,
        server_header=False,
    )
    server = AnnouncingServer(config)
    server.run()
    if not server.started:
        sys.exit(1)


class AnnouncingServer(uvicorn.Server):
    """Says where the app is, once it answers there."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            sys.stdout.write(f"YoutubeTalker is at http://{shown}:{port}\n")
            sys.stdout.flush()
