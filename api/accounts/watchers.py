"""Who watches this server's figures, for while Postgres is away."""

import time

from starlette.requests import HTTPConnection

from api.accounts.identity import COOKIE
from api.accounts.tokens import Tokens

KNOWN_FOR_S = 3_600


class Watchers:
    """Postgres knows whose a key is, and how it is doing is what the figures are to tell: so who
    got them within the last hour gets them while it is away, too. What is kept is hashes."""

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}

    def note(self, tokens: Tokens, connection: HTTPConnection) -> None:
        oldest = time.monotonic() - KNOWN_FOR_S
        self._seen = {shown: at for shown, at in self._seen.items() if at > oldest}
        self._seen[_shown(tokens, connection)] = time.monotonic()

    def know(self, tokens: Tokens, connection: HTTPConnection) -> bool:
        seen_at = self._seen.get(_shown(tokens, connection))
        return seen_at is not None and seen_at > time.monotonic() - KNOWN_FOR_S


def _shown(tokens: Tokens, connection: HTTPConnection) -> str:
    """Both ways to be known, as one of them decided."""
    key, login = connection.headers.get("authorization", ""), connection.cookies.get(COOKIE, "")
    return tokens.hash(f"{key}\n{login}")
