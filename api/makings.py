"""Summaries in the making: they belong to the server, and all who ask for one read the same."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from langgraph.graph.state import CompiledStateGraph

from agent.events import cited_moment
from agent.state import AgentState, Answer, Plan, Reader, SummaryQuestion
from agent.summaries import SummaryKey
from api.errors import InternalError, error_event
from talker.database import DATABASE_AWAY, why_away
from talker.errors import TalkerError

log = logging.getLogger(__name__)

Event = dict[str, Any]
SummaryGraph = CompiledStateGraph[AgentState, Reader, SummaryQuestion, Answer]

NO_USAGE = {"input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0}


@dataclass
class Making:
    """One summary's events so far, and who waits for more."""

    reader: Reader
    events: list[Event] = field(default_factory=list)
    finished: bool = False
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    def emit(self, event: Event) -> None:
        self.events.append(event)
        self.finished = event["type"] == "done"
        self._more.set()
        self._more = asyncio.Event()

    async def read(self) -> AsyncIterator[Event]:
        """Every event from the first, waiting for new ones, to the last."""
        after = 0
        while True:
            more = self._more
            while after < len(self.events):
                yield self.events[after]
                after += 1
            if self.finished:
                return
            await more.wait()


class Makings:
    """Makes summaries; one that is asked for again while it is made is made once.

    It goes on when its readers go away: it is kept, for them and everybody else.
    """

    def __init__(self, graph: SummaryGraph) -> None:
        self._graph = graph
        self._live: dict[SummaryKey, Making] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, key: SummaryKey, plan: Plan, reader: Reader) -> Making:
        """The making of a summary, begun now unless it was before."""
        making = self._live.get(key)
        if making is None:
            making = self._live[key] = Making(reader)
            task = asyncio.create_task(self._make(key, plan, making))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return making

    async def aclose(self) -> None:
        """Stop what is being made; the notes on what was read are kept."""
        for making in self._live.values():
            making.reader.stop.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=5)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _make(self, key: SummaryKey, plan: Plan, making: Making) -> None:
        try:
            making.emit(_summary_event(key, await self._run(plan, making)))
        except TalkerError as error:
            making.emit(error_event(error))
        except DATABASE_AWAY as error:
            making.emit(error_event(why_away(error)))
        except Exception:  # a bug: logged once, and its readers still get an end
            log.exception("summary failed", extra={"video_id": str(key.video_id)})
            making.emit(error_event(InternalError()))
        finally:
            del self._live[key]
            making.emit({"type": "done"})

    async def _run(self, plan: Plan, making: Making) -> dict[str, Any]:
        """Pass the steps' events on; returns what they left in the state."""
        result: dict[str, Any] = {}
        async for part in self._graph.astream(
            {"plan": plan},
            context=making.reader,
            stream_mode=["custom", "updates"],
            version="v2",
        ):
            if part["type"] == "updates":
                for changed in part["data"].values():
                    result.update(changed or {})
            elif part["type"] == "custom":
                making.emit(part["data"])
        return result


def _summary_event(key: SummaryKey, result: dict[str, Any]) -> Event:
    return {
        "type": "summary",
        "video_id": str(key.video_id),
        "style": key.style,
        "language": key.language,
        "content": result["messages"][-1].text,
        "citations": [dict(cited_moment(citation)) for citation in result["citations"]],
        "model": result["model"],
        "usage": result["usage"] or NO_USAGE,
    }
