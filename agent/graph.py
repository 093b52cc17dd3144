"""The state machine that answers one question; wiring only."""

from functools import partial

from langchain_core.embeddings import Embeddings
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from agent.answer import answer
from agent.converse import converse, decline
from agent.grade import grade, has_passages
from agent.list_videos import list_videos
from agent.models import ChatModels
from agent.retrieve import find_passages, retrieve
from agent.route import next_step, route
from agent.search import Search
from agent.state import AgentState, Answer, Question, Reader


def build_graph(
    *,
    sessions: async_sessionmaker[AsyncSession],
    search: Search,
    models: ChatModels,
    embeddings: Embeddings | None,
    checkpointer: BaseCheckpointSaver[str] | None,
) -> CompiledStateGraph[AgentState, Reader, Question, Answer]:
    """`embeddings` are the local ones, null where a service makes them."""
    graph = StateGraph(
        AgentState, context_schema=Reader, input_schema=Question, output_schema=Answer
    )
    find = partial(find_passages, search=search, sessions=sessions)
    graph.add_node("route", partial(route, models=models, find=find))
    graph.add_node("retrieve", partial(retrieve, find=find))
    graph.add_node("grade", partial(grade, models=models))
    graph.add_node("answer", partial(answer, models=models, embeddings=embeddings))
    graph.add_node("decline", partial(decline, sessions=sessions))
    graph.add_node("list_videos", partial(list_videos, sessions=sessions))
    graph.add_node("converse", partial(converse, models=models, sessions=sessions))

    graph.add_edge(START, "route")
    graph.add_conditional_edges(
        "route",
        next_step,
        {"answer": "retrieve", "list_videos": "list_videos", "converse": "converse"},
    )
    graph.add_edge("retrieve", "grade")
    graph.add_conditional_edges("grade", has_passages)
    for last in ("answer", "decline", "list_videos", "converse"):
        graph.add_edge(last, END)
    return graph.compile(name="talker", checkpointer=checkpointer)
