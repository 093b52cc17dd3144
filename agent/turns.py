"""Whose turn it is to answer: the models in order, and how long each is waited for."""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from talker.errors import ModelError, ModelTimedOut

log = logging.getLogger(__name__)

MAX_PAUSE_S = 3.0
"""A model that asks to be left alone for longer gives way to the next one at once."""
LAST_PAUSE_S = 0.5
"""Before the last model is asked once more, when it did not say how long it needs."""
TAIL_S = 5.0
"""For the token counts, which come after an answer's end."""


@dataclass(frozen=True)
class Patience:
    """How long a reply is waited for: its first word till `first_word_at`, on the event loop's
    clock, and each piece after it for `stall_s`; with null, the whole of it till then."""

    first_word_at: float
    stall_s: float | None = None

    def until(self, *, begun: bool, finished: bool) -> float:
        """The moment, on the loop's clock, at which the next piece is given up on."""
        if finished:
            return asyncio.get_running_loop().time() + TAIL_S
        if begun and self.stall_s is not None:
            return asyncio.get_running_loop().time() + self.stall_s
        return self.first_word_at


class Turns:
    """The models that may answer, the one whose turn it is in front.

    Together they have `wait_s` till the first word, each an equal share of what is left of it:
    so two models that hang do not cost a person twice the wait.
    """

    def __init__(self, names: Iterable[str], *, wait_s: float, stall_s: float) -> None:
        self._names = deque(names)
        self._wait_s = wait_s
        self._until = asyncio.get_running_loop().time() + wait_s
        self._stall_s = stall_s
        self._asked_twice = False

    @property
    def name(self) -> str:
        return self._names[0]

    def patience(self) -> Patience:
        now = asyncio.get_running_loop().time()
        share_s = max(0.0, self._until - now) / len(self._names)
        return Patience(now + share_s, self._stall_s)

    async def after(self, failure: ModelError, *, begun: bool = False) -> None:
        """Make ready for the next try: of the same model after a short pause, or of the next.

        A reply that had `begun` was not waited for in vain, and the wait starts anew. Raises
        `failure` when no model is left that could do better.
        """
        if begun:
            self._until = asyncio.get_running_loop().time() + self._wait_s
        pause_s = self._pause_s(failure)
        if pause_s is not None:
            self._asked_twice = True
            await asyncio.sleep(pause_s)
            return
        if not failure.gives_way or len(self._names) == 1:
            raise failure
        gave_way = self._names.popleft()
        self._asked_twice = False
        log.warning(
            "model gave way to the next", extra={"model": gave_way, "error": failure.name()}
        )

    def _pause_s(self, failure: ModelError) -> float | None:
        """How long to wait before the same model is asked again; null where it is not."""
        if self._asked_twice or not failure.retryable or isinstance(failure, ModelTimedOut):
            return None
        pause_s = failure.retry_after_s
        if pause_s is None and len(self._names) == 1:
            pause_s = LAST_PAUSE_S
        return pause_s if pause_s is not None and pause_s <= MAX_PAUSE_S else None
