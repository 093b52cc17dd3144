"""The graph as `langgraph.json` names it, for `langgraph dev` and Studio."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from langgraph.graph.state import CompiledStateGraph

from agent.graph import build_graph
from agent.models import ChatModels
from agent.search import Search
from agent.state import AgentState, Answer, Question, Reader
from talker.resources import open_resources
from talker.settings import load_settings


@asynccontextmanager
async def make_graph() -> AsyncIterator[CompiledStateGraph[AgentState, Reader, Question, Answer]]:
    """The app's graph on the app's own data; the development server brings its checkpointer."""
    async with open_resources(load_settings()) as resources:
        models = ChatModels(resources.settings)
        yield build_graph(
            sessions=resources.sessions,
            search=Search(resources.chunks, resources.sessions),
            models=models,
            checkpointer=None,
        )
        await models.aclose()
