"""Passwords: Argon2id with the library's defaults (RFC 9106's, 64 MiB), beside the event loop."""

import asyncio
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_CHARS = 12
MAX_CHARS = 4_096
"""No rule for people: what is longer is somebody who wants to keep us busy."""

AT_ONCE = 2
"""Each takes 64 MiB and a core for as long as it lasts."""


class Passwords:
    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def hash(self, password: str) -> str:
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, _normal(password))

    async def fits(self, password_hash: str | None, password: str) -> bool:
        """Whether it is the password; without a hash it takes as long, and is not."""
        if password_hash is None:
            await self.hash(password)
            return False
        async with self._turns:
            return await asyncio.to_thread(self._verify, password_hash, _normal(password))

    def is_dated(self, password_hash: str) -> bool:
        """Whether it was made with other parameters than are used now."""
        return self._hasher.check_needs_rehash(password_hash)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False


def _normal(password: str) -> str:
    """The same characters, whichever way a keyboard composes them."""
    return unicodedata.normalize("NFC", password)
