"""Each run of a graph in LangSmith, its steps, prompts and model calls, where a setting asks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import langsmith
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.tracers import LangChainTracer

from talker.settings import Settings

FLUSH_S = 5.0
"""So long the end of the process waits for what is still to be sent."""


@asynccontextmanager
async def tracing(settings: Settings) -> AsyncIterator[list[BaseCallbackHandler]]:
    """The callbacks of the graphs: one that tells LangSmith, or none.

    It sends beside the runs, from a thread: a service that is slow or away delays nobody.
    """
    if not settings.langsmith_tracing:
        yield []
        return
    assert settings.langsmith_api_key is not None
    # Given what it needs: by itself it reads the environment, but no `.env`.
    client = langsmith.Client(
        api_url=settings.langsmith_endpoint,
        api_key=settings.langsmith_api_key.get_secret_value(),
    )
    try:
        yield [LangChainTracer(project_name=settings.langsmith_project, client=client)]
    finally:
        await asyncio.to_thread(client.close, FLUSH_S)
