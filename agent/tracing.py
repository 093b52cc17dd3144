"""Each run of a graph, its steps and model calls, told to LangSmith (with prompts) or as
OpenTelemetry's spans (without words), where settings ask."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import langsmith
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.tracers import LangChainTracer

from talker.settings import Settings

if TYPE_CHECKING:
    from talker.otel import Sender

FLUSH_S = 5.0
"""So long the end of the process waits for what is still to be sent."""


@asynccontextmanager
async def tracing(
    settings: Settings, sender: "Sender | None"
) -> AsyncIterator[list[BaseCallbackHandler]]:
    """The callbacks of the graphs: one for each service that is told, as a rule none.

    It sends beside the runs, from a thread: a service that is slow or away delays nobody.
    """
    callbacks: list[BaseCallbackHandler] = []
    if sender is not None:
        from agent.step_spans import StepSpans  # noqa: PLC0415 - costs what most never need

        callbacks.append(StepSpans(sender, "openrouter" if settings.at_openrouter else "openai"))
    if not settings.langsmith_tracing:
        yield callbacks
        return
    assert settings.langsmith_api_key is not None
    # Given what it needs: by itself it reads the environment, but no `.env`.
    client = langsmith.Client(
        api_url=settings.langsmith_endpoint,
        api_key=settings.langsmith_api_key.get_secret_value(),
    )
    try:
        yield [
            *callbacks,
            LangChainTracer(project_name=settings.langsmith_project, client=client),
        ]
    finally:
        await asyncio.to_thread(client.close, FLUSH_S)
