"""Spans of the work, where OTEL_EXPORTER_OTLP_ENDPOINT asks for them.

Without it nothing of OpenTelemetry is imported, and a span costs a look at a variable. No
attribute holds a person's words.
"""

import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Literal, Protocol

from talker.settings import Settings

if TYPE_CHECKING:
    from talker.otel import Sender

Kind = Literal["internal", "server", "client"]
Value = str | int | float | bool


class Span(Protocol):
    def set_attribute(self, key: str, value: Value) -> None: ...


class Begin(Protocol):
    def __call__(
        self, name: str, kind: Kind, attributes: Mapping[str, Value], parent: str | None
    ) -> AbstractContextManager[Span]: ...


class _NoSpan:
    def set_attribute(self, key: str, value: Value) -> None:
        pass


_NO_SPAN = _NoSpan()
_begin: Begin | None = None


@contextmanager
def span(
    name: str,
    attributes: Mapping[str, Value] | None = None,
    *,
    kind: Kind = "internal",
    parent: str | None = None,
) -> Iterator[Span]:
    """What is done inside, as a part of what is being done around it.

    `parent` is a `traceparent` header, of a trace that began elsewhere.
    """
    if _begin is None:
        yield _NO_SPAN
        return
    with _begin(name, kind, attributes or {}, parent) as begun:
        yield begun


@asynccontextmanager
async def spans_sent(settings: Settings) -> AsyncIterator["Sender | None"]:
    """Send the spans of what is done inside, beside it: a collector that is slow or away delays
    nobody, the end of the program by at most a second. Yields who sends them, null for nobody."""
    global _begin  # noqa: PLW0603 - as with logging, there is one of it in a process
    if not settings.otel_exporter_otlp_endpoint:
        yield None
        return
    from talker import otel  # noqa: PLC0415 - costs time and memory that most never need

    logging.getLogger("opentelemetry").setLevel(logging.ERROR)
    sender = otel.Sender(settings)
    before, _begin = _begin, sender.begin
    try:
        yield sender
    finally:
        _begin = before
        await sender.aclose()
