"""The agent as a runnable for other programs: a turn of a conversation, or an answer by itself.

With a thread id a call is a turn of that conversation, run, stored and listed like any other;
without one it is answered from the messages that came with it, and nothing of it is kept.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any
from uuid import UUID, uuid4, uuid5

from fastapi import FastAPI
from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, HumanMessage
from langchain_core.messages.utils import convert_to_messages
from langchain_core.runnables import ConfigurableFieldSpec, RunnableConfig, RunnableGenerator
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from agent.budget import check_budget
from agent.events import cited_moment
from agent.state import Question, Reader
from api.asked import Event
from api.asking import UNTITLED, Ask, check_scope, checked_content, own_conversation, prepare, scope
from api.errors import RunFailed
from api.limits.limits import Who
from talker.errors import BadRequest, ConversationNotFound
from talker.models import Conversation, User
from talker.quotas import daily_usd


class BadConfig(BadRequest):
    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"The config's `{field}` cannot be used: {problem}")


class NoQuestion(BadRequest):
    def __init__(self) -> None:
        super().__init__("The last of `messages` must be a person's question.")


class RemoteInput(BaseModel):
    """The conversation's messages, the question last, in any form that LangChain takes."""

    model_config = ConfigDict(extra="forbid")

    messages: Annotated[
        list[AnyMessage],
        BeforeValidator(convert_to_messages),
        WithJsonSchema({"type": "array", "items": {"type": "object"}, "minItems": 1}),
    ]


RemoteOutput = Annotated[
    AIMessage,
    WithJsonSchema({"anyOf": [{"properties": {"type": {"enum": ["ai"]}}, "type": "object"}]}),
]
"""LangServe's chat playground looks for just this in the schema."""


class RemoteConfig(BaseModel):
    """What a caller may configure, beside the person, whom the server fills in."""

    thread_id: str = Field(default="", max_length=500)
    model: str | None = None
    video_ids: list[UUID] | None = None
    collection_id: UUID | None = None


class RemoteAgent(RunnableGenerator[dict[str, Any], AIMessageChunk]):
    """Streams tokens, then an empty chunk with what is true: in `additional_kwargs` the proved
    `content` and `citations`, `conversation_id` and `message_id`. `ainvoke` gives that content.
    """

    def __init__(self, app: FastAPI) -> None:
        super().__init__(self._stream, name="agent")  # type: ignore[arg-type]  # it may take the config
        self._app = app

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        # LangServe drops what is not declared here, a thread's id too.
        return [
            ConfigurableFieldSpec(id="thread_id", annotation=str, default=""),
            ConfigurableFieldSpec(id="model", annotation=str | None, default=None),
            ConfigurableFieldSpec(id="video_ids", annotation=list[str] | None, default=None),
            ConfigurableFieldSpec(id="collection_id", annotation=str | None, default=None),
        ]

    async def ainvoke(  # type: ignore[override]  # the chunks it streams are of this message
        self,
        input: dict[str, Any],  # noqa: A002 - the parameter's name is LangChain's
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """The whole answer at once."""
        whole = await super().ainvoke(input, config, **kwargs)
        known = dict(whole.additional_kwargs)
        content = known.pop("content", whole.content)
        return AIMessage(
            content, additional_kwargs=known, response_metadata=whole.response_metadata
        )

    async def _stream(
        self, inputs: AsyncIterator[dict[str, Any]], config: RunnableConfig
    ) -> AsyncIterator[AIMessageChunk]:
        configured = config.get("configurable", {})
        user_id = configured["user_id"]
        wanted = _checked(configured)
        async for sent in inputs:
            await self._app.state.limits.asking(Who(user_id, configured["address"]))
            turn = self._turn if wanted.thread_id else self._alone
            async for event in turn(user_id, sent["messages"], wanted):
                chunk = as_chunk(event)
                if chunk is not None:
                    yield chunk
                if event["type"] == "confirm":
                    return  # the run waits; it is answered over HTTP, or by the next message

    async def _turn(
        self, user_id: UUID, messages: list[AnyMessage], wanted: RemoteConfig
    ) -> AsyncIterator[Event]:
        """A turn of the thread's conversation: the last message alone, it remembers the others."""
        state = self._app.state
        ask = Ask(
            content=question_of(messages),
            video_ids=wanted.video_ids,
            collection_id=wanted.collection_id,
            model=wanted.model,
        )
        async with state.resources.sessions.begin() as session:
            user = await session.get_one(User, user_id)
            conversation_id = await conversation_of(session, user, wanted.thread_id)
            claim = await prepare(
                session,
                user,
                conversation_id,
                ask,
                models=state.models,
                expect=state.search.expect,
                max_chars=state.resources.settings.max_question_chars,
            )
        state.runs.start(claim)
        async for event in state.runs.read(conversation_id, claim.asked.run_id, 0):
            yield {**event, "conversation_id": str(conversation_id)}

    async def _alone(
        self, user_id: UUID, messages: list[AnyMessage], wanted: RemoteConfig
    ) -> AsyncIterator[Event]:
        """An answer that nothing is kept of; it knows what was said from the messages alone."""
        state = self._app.state
        checked_content(question_of(messages), state.resources.settings.max_question_chars)
        state.models.check(wanted.model)
        async with state.resources.sessions() as session:
            user = await session.get_one(User, user_id)
            await check_scope(session, user, wanted.video_ids, wanted.collection_id)
            videos = await scope(session, user, wanted.video_ids, wanted.collection_id)
            await check_budget(session, user_id, daily_usd(user, state.models.daily_budget_usd))
        question = Question(
            messages=messages, video_ids=None if videos is None else [str(id_) for id_ in videos]
        )
        graph = state.graph.copy({"checkpointer": InMemorySaver()})
        parts = graph.astream(
            question,
            {"configurable": {"thread_id": str(uuid4())}, "callbacks": []},
            context=Reader(user_id=user_id, model=wanted.model),
            stream_mode=["custom", "updates"],
            version="v2",
        )
        assert isinstance(parts, AsyncGenerator)
        async with aclosing(parts):
            async for event in _told(parts):
                yield event


async def _told(parts: AsyncIterator[Any]) -> AsyncIterator[Event]:
    """What a graph's stream says up to its answer."""
    result: dict[str, Any] = {}
    async for part in parts:
        if part["type"] == "custom":
            yield part["data"]
        elif "__interrupt__" in part["data"]:
            (asked,) = part["data"]["__interrupt__"]
            yield {"type": "confirm", **asked.value}
        else:
            for changed in part["data"].values():
                result.update(changed or {})
            if result.get("messages"):
                yield _message(result)
                return  # what follows the answer is for a conversation that goes on


def _message(result: dict[str, Any]) -> Event:
    return {
        "type": "message",
        "content": result["messages"][-1].text,
        "citations": [dict(cited_moment(citation)) for citation in result["citations"]],
        "intent": result["plan"]["intent"],
        "model": result["model"],
        "usage": result["usage"],
    }


def as_chunk(event: Event) -> AIMessageChunk | None:
    """What a run says, as a chunk of its message; None for what is said beside it.

    Raises RunFailed.
    """
    match event["type"]:
        case "token":
            return AIMessageChunk(content=event["text"])
        case "confirm":
            asked = {key: value for key, value in event.items() if key in ("prompt", "videos")}
            known = {"confirm": asked, "conversation_id": event.get("conversation_id")}
            return AIMessageChunk(content=event["prompt"], additional_kwargs=known)
        case "message":
            known = {
                "content": event["content"],
                "citations": event["citations"],
                "intent": event["intent"],
                "conversation_id": event.get("conversation_id"),
                "message_id": event.get("id"),
            }
            about = {"model_name": event["model"], "usage": event["usage"]}
            return AIMessageChunk(content="", additional_kwargs=known, response_metadata=about)
        case "error":
            raise RunFailed(event["error"], event["detail"])
        case _:
            return None


def question_of(messages: list[AnyMessage]) -> str:
    if not messages or not isinstance(messages[-1], HumanMessage):
        raise NoQuestion
    return messages[-1].text


async def conversation_of(session: AsyncSession, user: User, thread_id: str) -> UUID:
    """The person's conversation of that id or, for any other thread id, one of their own.

    Its id follows from the person's and the thread's, so that nobody can name another's.
    """
    try:
        return (await own_conversation(session, user, UUID(thread_id))).id
    except (ValueError, ConversationNotFound):
        derived = uuid5(user.id, thread_id)
    new = insert(Conversation).values(id=derived, user_id=user.id, title=UNTITLED)
    await session.execute(new.on_conflict_do_nothing())
    return derived


def _checked(configured: dict[str, Any]) -> RemoteConfig:
    try:
        return RemoteConfig.model_validate(configured)
    except ValidationError as error:
        detail = error.errors()[0]
        raise BadConfig(".".join(map(str, detail["loc"])), detail["msg"]) from None
