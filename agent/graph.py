"""The state machine that answers one question; wiring only."""

from collections.abc import Hashable
from functools import partial
from typing import Any

from langchain_core.embeddings import Embeddings
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from agent.add_videos import Loader, add_videos, has_offer, offer_videos, question_left
from agent.answer import answer
from agent.compose import compose
from agent.converse import converse, decline, reply
from agent.find_videos import find_videos
from agent.grade import grade, has_passages
from agent.list_videos import list_videos
from agent.memory import remember
from agent.models import ChatModels
from agent.plain import read_ahead
from agent.retrieve import find_passages, retrieve
from agent.route import next_step, route
from agent.search import Search
from agent.state import (
    AgentState,
    Answer,
    PartToRead,
    Question,
    Reader,
    SummaryQuestion,
    VideoToSummarize,
)
from agent.suggest import suggest
from agent.summarize import (
    next_reading,
    plan_summary,
    read_part,
    summarize_video,
    write_overview,
    write_summary,
)
from agent.summarizer import Summarizer

FIRST_STEPS: dict[Hashable, str] = {
    "answer": "retrieve",
    "summarize": "plan_summary",
    "compose": "compose",
    "find_videos": "find_videos",
    "list_videos": "list_videos",
    "add_videos": "offer_videos",
    "converse": "converse",
}
"""Where each intent begins."""


def build_graph(
    *,
    sessions: async_sessionmaker[AsyncSession],
    search: Search,
    models: ChatModels,
    embeddings: Embeddings | None,
    loader: Loader | None,
    summarizer: Summarizer,
    checkpointer: BaseCheckpointSaver[str] | None,
) -> CompiledStateGraph[AgentState, Reader, Question, Answer]:
    """`embeddings` are the local ones, null where a service makes them; without a `loader` no
    videos can be added by talking."""
    read_ahead()
    graph = StateGraph(
        AgentState, context_schema=Reader, input_schema=Question, output_schema=Answer
    )
    find = partial(find_passages, search=search, sessions=sessions)
    graph.add_node(
        "route",
        partial(route, models=models, find=find, expect=search.expect, sessions=sessions),
    )
    graph.add_node("retrieve", partial(retrieve, find=find))
    graph.add_node("grade", partial(grade, models=models, find=find))
    graph.add_node("answer", partial(answer, models=models, embeddings=embeddings))
    graph.add_node("suggest", partial(suggest, models=models))
    write = partial(compose, models=models, embeddings=embeddings, search=search, sessions=sessions)
    graph.add_node("compose", write)
    graph.add_node("decline", partial(decline, sessions=sessions))
    graph.add_node(
        "find_videos", partial(find_videos, find=find, sessions=sessions, embeddings=embeddings)
    )
    graph.add_node("list_videos", partial(list_videos, sessions=sessions))
    graph.add_node("offer_videos", partial(offer_videos, loader=loader))
    graph.add_node("add_videos", partial(add_videos, loader=loader))
    graph.add_node("reply", reply)
    graph.add_node("remember", partial(remember, models=models))
    graph.add_node("converse", partial(converse, models=models, sessions=sessions))

    _add_edges(graph)
    _add_summaries(graph, sessions, summarizer, then="remember")
    return graph.compile(name="talker", checkpointer=checkpointer)


def _add_edges(graph: StateGraph[AgentState, Reader, Question, Answer]) -> None:
    graph.add_edge(START, "route")
    graph.add_conditional_edges("route", next_step, {**FIRST_STEPS, "reply": "reply"})
    graph.add_conditional_edges("offer_videos", has_offer)
    graph.add_conditional_edges(
        "add_videos", question_left, {**FIRST_STEPS, "add_videos": "remember"}
    )
    graph.add_edge("retrieve", "grade")
    graph.add_conditional_edges("grade", has_passages)
    graph.add_edge("answer", "suggest")
    for last in (
        "suggest",
        "compose",
        "decline",
        "find_videos",
        "list_videos",
        "reply",
        "converse",
    ):
        graph.add_edge(last, "remember")
    graph.add_edge("remember", END)


def build_summary_graph(
    sessions: async_sessionmaker[AsyncSession], summarizer: Summarizer
) -> CompiledStateGraph[AgentState, Reader, SummaryQuestion, Answer]:
    """The same steps for a summary that is asked for outside a conversation, by its plan."""
    graph = StateGraph(
        AgentState, context_schema=Reader, input_schema=SummaryQuestion, output_schema=Answer
    )
    graph.add_edge(START, "plan_summary")
    _add_summaries(graph, sessions, summarizer, then=END)
    return graph.compile(name="summary")


def _add_summaries(
    graph: StateGraph[AgentState, Reader, Any, Answer],
    sessions: async_sessionmaker[AsyncSession],
    summarizer: Summarizer,
    *,
    then: str,
) -> None:
    plan = partial(plan_summary, sessions=sessions, summarizer=summarizer)
    graph.add_node("plan_summary", plan)
    graph.add_node("read_part", partial(read_part, summarizer=summarizer), input_schema=PartToRead)
    graph.add_node("write_summary", partial(write_summary, summarizer=summarizer))
    graph.add_node(
        "summarize_video",
        partial(summarize_video, summarizer=summarizer),
        input_schema=VideoToSummarize,
    )
    graph.add_node("write_overview", partial(write_overview, summarizer=summarizer))
    readings = ("read_part", "write_summary", "summarize_video")
    graph.add_conditional_edges(
        "plan_summary", next_reading, {**{name: name for name in readings}, END: then}
    )
    graph.add_edge("read_part", "write_summary")
    graph.add_edge("summarize_video", "write_overview")
    graph.add_edge("write_summary", then)
    graph.add_edge("write_overview", then)
