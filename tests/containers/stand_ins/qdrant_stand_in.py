"""Serves the embedded index where the official Qdrant image would serve Qdrant."""

import os
from pathlib import Path

import uvicorn

from talker.embedded.qdrant_routes import create_app
from talker.embedded.qdrant_store import Store


def main() -> None:
    store = Store(Path("/qdrant/storage/collections"))
    api_key = os.environ.get("QDRANT__SERVICE__API_KEY", "")
    try:
        uvicorn.run(
            create_app(store, api_key),
            host="0.0.0.0",
            port=6333,
            log_level="warning",
            lifespan="off",
            timeout_keep_alive=600,
            timeout_graceful_shutdown=5,
        )
    finally:
        store.close()


if __name__ == "__main__":
    main()
