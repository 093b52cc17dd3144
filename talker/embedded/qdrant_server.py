"""An index that speaks the part of Qdrant's REST API that we use, over Qdrant's own engine.

`python -m talker.embedded.qdrant_server FOLDER` serves the collections in FOLDER/collections on
127.0.0.1, and ends when nobody uses the server any more.
"""

import asyncio
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

import uvicorn

from talker.embedded.place import LOOK_S, Place, Tenancy, tenancy
from talker.embedded.qdrant_routes import create_app
from talker.embedded.qdrant_store import Store, Unreadable

API_KEY_FILE = "api-key"


def _listen(wanted: int) -> socket.socket:
    """On the wanted port of 127.0.0.1 if it is free, else on another one."""
    for port in (wanted, 0):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            listener.bind(("127.0.0.1", port))
            listener.listen(128)
            return listener
        listener.close()
    raise OSError("no port of 127.0.0.1 is free")


async def _attend(tenant: Tenancy, store: Store, server: uvicorn.Server) -> None:
    """End the server when nobody uses it any more."""
    while not tenant.is_over():
        store.flush()
        await asyncio.sleep(LOOK_S)
    server.should_exit = True


async def _serve(tenant: Tenancy, store: Store) -> None:
    listener = _listen(tenant.place.last_port())
    config = uvicorn.Config(
        create_app(store, tenant.place.secret(API_KEY_FILE)),
        log_level="warning",
        lifespan="off",
        # Longer than clients keep a connection that they do not use.
        timeout_keep_alive=600,
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    tenant.publish(listener.getsockname()[1])
    attending = asyncio.create_task(_attend(tenant, store, server))
    try:
        await server.serve(sockets=[listener])
    finally:
        attending.cancel()
        tenant.withdraw()


def main() -> int:
    place = Place(Path(sys.argv[1]))
    os.chdir(place.folder)
    # The server ends in good order at SIGTERM, then raises it again for whoever was before it.
    signal.signal(signal.SIGTERM, lambda *_: None)
    with tenancy(place) as tenant:
        if tenant is None:
            return 0
        try:
            store = Store(place.folder / "collections")
        except Unreadable as error:
            sys.stderr.write(f"{error}\n")
            return 1
        try:
            asyncio.run(_serve(tenant, store))
        finally:
            store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
