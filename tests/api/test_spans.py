"""Spans as a collector gets them: a local HTTP server that reads OTLP's protobuf."""

import asyncio
import subprocess
import sys
import time
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests import make
from tests.conftest import MakeSettings, running
from tests.model_server import ModelServer
from tests.servers import serving


class Collector:
    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.services: set[str] = set()
        self.keys: set[str | None] = set()
        self.raw = b""
        self.app = Starlette(routes=[Route("/v1/traces", self._take, methods=["POST"])])

    async def _take(self, request: Request) -> Response:
        self.keys.add(request.headers.get("x-key"))
        body = await request.body()
        self.raw += body
        sent = ExportTraceServiceRequest.FromString(body)
        for resource in sent.resource_spans:
            self.services |= {
                one.value.string_value
                for one in resource.resource.attributes
                if one.key == "service.name"
            }
            for scope in resource.scope_spans:
                self.spans += scope.spans
        reply = ExportTraceServiceResponse().SerializeToString()
        return Response(reply, media_type="application/x-protobuf")

    def one(self, name: str) -> Span:
        return next(span for span in self.spans if span.name == name)


def attributes(span: Span) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}


async def test_an_answer_is_one_trace_from_the_request_to_the_model_without_a_word(
    make_settings: MakeSettings, model_server: tuple[ModelServer, str]
) -> None:
    collector = Collector()
    async with serving(collector.app) as url:
        settings = make_settings(
            openrouter_base_url=model_server[1],
            chat_models=("test/first",),
            otel_exporter_otlp_endpoint=url,
            otel_exporter_otlp_headers="x-key=its%20key",
            otel_service_name="talker-test",
        )
        async with running(settings) as app:
            await make.upload(app.http, make.captions(make.OCEAN))
            talk = await make.conversation(app.http)
            await make.ask(app.http, talk, "How deep did the deepest dive go?")
    assert collector.services == {"talker-test"}
    assert collector.keys == {"its key"}
    answer, graph, step = (
        collector.one(name) for name in ("answer", "graph talker", "step answer")
    )
    model = next(span for span in collector.spans if span.parent_span_id == step.span_id)
    assert model.name == "chat test/first"
    told = attributes(model)
    assert told["gen_ai.operation.name"] == "chat"
    assert told["gen_ai.request.model"] == "test/first"
    assert told["gen_ai.usage.input_tokens"] > 0
    assert told["gen_ai.usage.output_tokens"] > 0
    assert told["gen_ai.conversation.id"] == talk
    assert step.parent_span_id == graph.span_id
    assert graph.parent_span_id == answer.span_id
    asked = next(span for span in collector.spans if span.span_id == answer.parent_span_id)
    assert attributes(asked)["http.route"] == "/api/conversations/{conversation_id}/ask"
    assert asked.kind == Span.SPAN_KIND_SERVER
    assert collector.one("retrieval").trace_id == asked.trace_id
    loaded = collector.one("ingest video")
    assert collector.one("ingest embed").parent_span_id == loaded.span_id
    for word in (b"deepest", b"dive"):
        assert word not in collector.raw


async def test_a_collector_that_is_away_costs_no_answer_and_no_delay(
    make_settings: MakeSettings, model_server: tuple[ModelServer, str]
) -> None:
    async def ended(endpoint: str) -> float:
        settings = make_settings(
            openrouter_base_url=model_server[1], otel_exporter_otlp_endpoint=endpoint
        )
        async with running(settings) as app:
            talk = await make.conversation(app.http)
            assert make.only(await make.ask(app.http, talk, "hello"), "message")["content"]
            at = time.monotonic()
        return time.monotonic() - at

    async with asyncio.timeout(120):
        without = await ended("")
        assert await ended("http://127.0.0.1:9") < without + 3


@pytest.mark.parametrize("module", ["api.app", "ingestion.worker"])
def test_without_a_collector_nothing_is_loaded_that_sends_spans(module: str) -> None:
    # langsmith itself loads OpenTelemetry where it is installed.
    code = (
        f"import sys, {module}; "
        "sending = ('opentelemetry.exporter', 'talker.otel'); "
        "print([name for name in sys.modules if name.startswith(sending)])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
