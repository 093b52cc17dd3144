"""OpenTelemetry: spans sent over HTTP to a collector. Imported only where one is set."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import unquote

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from talker.settings import Settings
from talker.spans import Kind, Value

EXPORT_TIMEOUT_S = 2.0
LAST_WAIT_S = 1.0
KINDS: dict[Kind, SpanKind] = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
}


class Sender:
    def __init__(self, settings: Settings) -> None:
        headers = settings.otel_exporter_otlp_headers
        self._exporter = OTLPSpanExporter(
            endpoint=f"{settings.otel_exporter_otlp_endpoint}/v1/traces",
            headers=parse_headers(headers.get_secret_value() if headers else ""),
            timeout=EXPORT_TIMEOUT_S,
        )
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": settings.otel_service_name}),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self.tracer = self._provider.get_tracer("talker")

    @contextmanager
    def begin(
        self, name: str, kind: Kind, attributes: Mapping[str, Value], parent: str | None
    ) -> Iterator[Span]:
        """A span that ends with what is done inside. Of an error its type is told, not its text,
        which may quote a person."""
        context = _remote(parent) if parent else None
        with self.tracer.start_as_current_span(
            name,
            context=context,
            kind=KINDS[kind],
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except BaseException as error:
                mark_failed(span, error)
                raise

    async def aclose(self) -> None:
        """Send what is left, for at most a second: the rest is lost with its collector."""
        # Not in the loop's own threads: the interpreter waits for those at its end.
        last = threading.Thread(target=self._provider.shutdown, daemon=True)
        last.start()
        await asyncio.to_thread(last.join, LAST_WAIT_S)
        if last.is_alive():
            self._exporter.shutdown()  # type: ignore[no-untyped-call]  # as they have it


def mark_failed(span: Span, error: BaseException) -> None:
    span.set_attribute("error.type", type(error).__qualname__)
    span.set_status(Status(StatusCode.ERROR))


def parse_headers(text: str) -> dict[str, str]:
    """`name=value,name=value`, values percent-encoded, as OTEL_EXPORTER_OTLP_HEADERS has them."""
    pairs = (part.partition("=") for part in text.split(",") if part.strip())
    return {name.strip().lower(): unquote(value.strip()) for name, _, value in pairs}


def _remote(traceparent: str) -> Context:
    return TraceContextTextMapPropagator().extract({"traceparent": traceparent}, Context())
