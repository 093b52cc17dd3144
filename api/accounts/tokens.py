"""Secrets that programs and browsers hold: made here, and stored only as hashes."""

import hashlib
import hmac
import secrets

from talker.errors import BadSettings
from talker.settings import Settings

KEY_PREFIX = "ytk_"
"""What every API key starts with, so that a scanner of code can tell what leaked."""

SHOWN = 10
"""How much of a key is kept to tell it from others."""


class Tokens:
    """Hashes are HMACs under SECRET_KEY: a copy of the database alone opens nothing, and a new
    SECRET_KEY ends every login, key and link."""

    def __init__(self, settings: Settings) -> None:
        """Raises BadSettings without a SECRET_KEY."""
        if settings.secret_key is None:
            raise BadSettings(["SECRET_KEY must be set to a secret of your own for accounts."])
        self._key = settings.secret_key.get_secret_value().encode()

    def new(self, prefix: str = "") -> tuple[str, str]:
        """A token of 256 random bits, and its hash."""
        token = prefix + secrets.token_urlsafe(32)
        return token, self.hash(token)

    def hash(self, token: str) -> str:
        return hmac.new(self._key, token.encode(), hashlib.sha256).hexdigest()
