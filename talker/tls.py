"""The certificates that services outside are known by, read once for every client of a process."""

import ssl
from functools import cache

import httpx


@cache
def tls() -> ssl.SSLContext:
    """What httpx makes for itself, a tenth of a second for each client that is not given one."""
    return httpx.create_ssl_context()
