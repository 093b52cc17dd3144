"""The graph as `langgraph.json` names it, for `langgraph dev` and Studio."""

import asyncio
from contextlib import AsyncExitStack
from weakref import WeakKeyDictionary

from langgraph.graph.state import CompiledStateGraph

from agent.graph import build_graph
from agent.models import ChatModels
from agent.search import Search
from agent.state import AgentState, Answer, Question, Reader
from agent.summarizer import Summarizer
from talker.resources import open_resources
from talker.settings import load_settings

Graph = CompiledStateGraph[AgentState, Reader, Question, Answer]

_graphs: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[Graph]] = WeakKeyDictionary()
_stack = AsyncExitStack()


async def make_graph() -> Graph:
    """The app's graph on the app's own data; the development server brings its checkpointer.

    That server asks for the graph again for every run, and from more than one event loop: each
    loop opens what the graph needs once, and keeps it until the process ends.
    """
    loop = asyncio.get_running_loop()
    if loop not in _graphs:
        _graphs[loop] = loop.create_task(_open())
    return await asyncio.shield(_graphs[loop])


async def _open() -> Graph:
    # In a thread, as all of ours that touches files: that server forbids it on its loops.
    settings = await asyncio.to_thread(load_settings)
    resources = await _stack.enter_async_context(open_resources(settings))
    models = ChatModels(settings, resources.sessions)
    return build_graph(
        sessions=resources.sessions,
        search=Search(resources.chunks, resources.sessions),
        models=models,
        embeddings=resources.local_embeddings,
        loader=None,
        summarizer=Summarizer(resources.sessions, models, resources.local_embeddings),
        checkpointer=None,
    )
