"""`serve` with several processes on one address."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from talker.embedded import ServerUrls
from tests import make
from tests.conftest import new_database
from tests.people import PASSWORD

BIN = Path(sys.executable).parent
START_TIMEOUT_S = 180


@pytest.fixture
def env(embedded: ServerUrls, data_dir: Path) -> dict[str, str]:
    return {
        **os.environ,
        "DATA_DIR": str(data_dir),
        "PORT": "0",
        "LOG_LEVEL": "ERROR",
        "WEB_PROCESSES": "2",
        "QDRANT_URL": embedded.qdrant_url,
        "QDRANT_API_KEY": embedded.qdrant_api_key or "",
    }
