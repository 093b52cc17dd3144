"""A run as the process that makes it has it: its events so far, and who waits for more."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from api.asked import Claim, Event
from api.run_events import Fresh
from api.run_store import SEQ_AHEAD, Told


@dataclass
class LiveRun:
    """One attempt at a run.

    `stop` is the person's button. `lost` is set where the run turns out to be another's by now,
    `released` where it is to become one: either way this attempt writes no more. One that is
    `closing` writes its last events itself.
    """

    claim: Claim
    events: list[Event] = field(default_factory=list)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    word: asyncio.Event = field(default_factory=asyncio.Event)
    accepted: bool | None = None
    lost: bool = False
    released: bool = False
    closing: bool = False
    settled: bool = False
    finished: bool = False
    text: str = ""
    written: int = 0
    began_at: float = field(default_factory=time.monotonic)
    first_token_at: float | None = None
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.written = self.claim.after
        self.settled = self.claim.settled
        self.hear(Told(self.claim.asked.run_id, self.claim.stop_requested, self.claim.accepted))

    def hear(self, told: Told) -> None:
        """Take in what was asked of the run."""
        if told.stop_requested:
            self.stop.set()
        if told.accepted is not None:
            self.accepted = told.accepted
            self.word.set()

    def emit(self, event: Event) -> None:
        if event["type"] == "token":
            self.text += event["text"]
            if self.first_token_at is None:
                self.first_token_at = time.monotonic()
        numbered = {**event, "run_id": str(self.claim.asked.run_id), "seq": self.next_seq}
        self.events.append(numbered)
        self.wake()

    @property
    def waits(self) -> bool:
        """Whether it is the person's turn to say something."""
        return bool(self.events) and self.events[-1]["type"] == "confirm"

    @property
    def next_seq(self) -> int:
        return self.claim.after + len(self.events) + 1

    def finish(self) -> None:
        """Nothing more is said here."""
        self.finished = True
        self.wake()

    def fresh(self) -> Fresh:
        """What is not stored yet."""
        return Fresh(self.claim, self.events[self.written - self.claim.after :])

    def wake(self) -> None:
        self._more.set()
        self._more = asyncio.Event()

    async def read(self, after: int) -> AsyncIterator[Event]:
        """Every event of this attempt past `after`, waiting for new ones, to the last."""
        at = max(0, after - self.claim.after)
        while True:
            more = self._more
            while at < self._to_be_seen():
                event = self.events[at]
                at += 1
                yield event
            if self.finished:
                return
            await more.wait()

    def _to_be_seen(self) -> int:
        """How many events readers may see: no further ahead of Postgres than an attempt after
        this one counts on."""
        if self.finished and not self.lost:
            return len(self.events)
        return min(len(self.events), self.written - self.claim.after + SEQ_AHEAD)


def ms_since(began_at: float, at: float | None = None) -> int:
    return round(((time.monotonic() if at is None else at) - began_at) * 1000)
