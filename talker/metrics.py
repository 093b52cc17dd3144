"""What a process counts of its work, for Prometheus. No label holds a user's text or an id."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

from talker.models import ModelCall

SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120)
REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
STEP_SECONDS = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 900)
NONE = "none"
"""A label's value where there is nothing to say."""


class Metrics:
    """One process's counters, in a registry of their own: two apps in one process do not mix."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self._first_token = Histogram(
            "talker_answer_first_token_seconds",
            "From the question to the answer's first word.",
            ["intent"],
            buckets=SECONDS,
            registry=registry,
        )
        self._answer_seconds = Histogram(
            "talker_answer_seconds",
            "From the question to the stored answer.",
            ["intent"],
            buckets=SECONDS,
            registry=registry,
        )
        self._answers = Counter(
            "talker_answers",
            "Answers by what was asked for and how they ended; the error's name where one failed.",
            ["intent", "status", "error"],
            registry=registry,
        )
        self._add_models(registry)
        self._add_loading(registry)
        self._add_http(registry)

    def _add_models(self, registry: CollectorRegistry) -> None:
        self._calls = Counter(
            "talker_model_calls",
            "Calls of chat models; the error's name where one failed.",
            ["model", "purpose", "error"],
            registry=registry,
        )
        self._call_seconds = Histogram(
            "talker_model_call_seconds",
            "How long calls of chat models took.",
            ["model"],
            buckets=SECONDS,
            registry=registry,
        )
        self._tokens = Counter(
            "talker_model_tokens",
            "Tokens by kind: input (cached ones too), cached, output.",
            ["model", "kind"],
            registry=registry,
        )
        self._cost = Counter(
            "talker_model_cost_usd", "What models cost.", ["model"], registry=registry
        )

    def _add_loading(self, registry: CollectorRegistry) -> None:
        self._step_seconds = Histogram(
            "talker_ingestion_step_seconds",
            "How long a step of loading a video took, whether it went well or not.",
            ["step"],
            buckets=STEP_SECONDS,
            registry=registry,
        )
        self._loaded = Counter("talker_videos_loaded", "Jobs that are done.", registry=registry)
        self._failures = Counter(
            "talker_ingestion_failures",
            "Tries of jobs that failed; `final` says whether nobody tries again by itself.",
            ["reason", "final"],
            registry=registry,
        )

    def _add_http(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "talker_http_requests",
            "Requests by route and status.",
            ["method", "route", "status"],
            registry=registry,
        )
        self._request_seconds = Histogram(
            "talker_http_request_seconds",
            "How long requests took, streams to their end.",
            ["method", "route"],
            buckets=REQUEST_SECONDS,
            registry=registry,
        )
        self.sockets = Gauge(
            "talker_open_sockets", "Chat sockets that are open.", registry=registry
        )

    def answered(
        self,
        *,
        intent: str | None,
        status: str,
        first_token_s: float | None,
        seconds: float,
        error: str | None = None,
    ) -> None:
        """Count an answer, however it ended."""
        kind = intent or NONE
        self._answers.labels(kind, status, error or NONE).inc()
        self._answer_seconds.labels(kind).observe(seconds)
        if first_token_s is not None:
            self._first_token.labels(kind).observe(first_token_s)

    def called(self, call: ModelCall) -> None:
        """Count a call of a chat model."""
        self._calls.labels(call.model, call.purpose, call.error or NONE).inc()
        self._call_seconds.labels(call.model).observe(call.duration_ms / 1000)
        kinds = {
            "input": call.input_tokens,
            "cached": call.cached_tokens,
            "output": call.output_tokens,
        }
        for kind, count in kinds.items():
            self._tokens.labels(call.model, kind).inc(count or 0)
        self._cost.labels(call.model).inc(call.cost_usd or 0)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        with self._step_seconds.labels(name).time():
            yield

    def loaded(self) -> None:
        self._loaded.inc()

    def loading_failed(self, reason: str, *, final: bool) -> None:
        self._failures.labels(reason, "yes" if final else "no").inc()

    def requested(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method, route, str(status)).inc()
        self._request_seconds.labels(method, route).observe(seconds)
