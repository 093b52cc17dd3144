"""Chat models, through OpenRouter or any server that speaks OpenAI's protocol."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from uuid import uuid4

import httpx2
from langchain_core.messages import AIMessageChunk, BaseMessage
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from agent.model_calls import Caller, CallLog
from agent.openrouter import OpenRouterChat, extras, marked, open_chat
from agent.prompts import fill
from agent.replies import Reply, Schema, fitted, words
from agent.turns import Patience, Turns
from talker.errors import MisfitReply, ModelError, ModelNotOffered, ModelRefused, UnknownModel
from talker.metrics import Metrics
from talker.models import ModelCall, now
from talker.settings import Settings
from talker.tls import tls

__all__ = ["ChatModels", "Reply"]

CONNECT_TIMEOUT_S = 5.0
ROUTER_TIMEOUT_S = 4.0
"""A router slower than this is done without: it stands between the person and the answer."""
BYTES_PER_TOKEN = 4
"""About what a token takes, where the service does not count."""


class ChatModels:
    """The models of CHAT_MODELS, in order, and the router's; connections are kept open.

    Every call is added to its caller's list and written to `model_calls`, however it ended.
    """

    def __init__(
        self,
        settings: Settings,
        sessions: async_sessionmaker[AsyncSession],
        metrics: Metrics | None = None,
    ) -> None:
        self.configured = settings.chat_configured
        self.names = settings.chat_models
        self.router_name = settings.router_model
        self.daily_budget_usd = settings.daily_budget_usd
        self.log = CallLog(sessions)
        self._metrics = metrics or Metrics()
        self._settings = settings
        # openai's own client. In httpx each request looks at every connection for every other one,
        # a tenth of what fifty chats at once cost.
        self._http = httpx2.AsyncClient(
            verify=tls(),
            timeout=httpx2.Timeout(settings.model_timeout_s, connect=CONNECT_TIMEOUT_S),
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=100),
        )
        known = {*self.names, self.router_name} if self.configured else ()
        self._chats = {name: self._open(name) for name in known}
        self._formless: set[str] = set()
        self._usd_per_token: dict[str, float] = {}

    async def aclose(self) -> None:
        await self._http.aclose()
        await self.log.aclose()

    def check(self, name: str | None) -> None:
        """Raise UnknownModel for a name that is not offered; null means the default."""
        if name is not None and name not in self.names:
            raise UnknownModel(name, self.names)

    async def stream(
        self, prompt: Sequence[BaseMessage], caller: Caller, reply: Reply
    ) -> AsyncGenerator[str]:
        """Yield the reply's text as it comes, filling `reply`.

        A model that fails before its first word gives way to the next of CHAT_MODELS; one that
        fails later raises, so that a broken answer never looks whole. Raises ModelError.
        """
        turns = self._turns(caller)
        while True:
            call = self._call(turns.name, prompt, caller, reply, turns.patience())
            try:
                async with aclosing(call) as texts:
                    async for text in texts:
                        yield text
                return
            except ModelError as failure:
                if reply.text:
                    raise
                await turns.after(failure)

    async def complete(
        self,
        prompt: Sequence[BaseMessage],
        caller: Caller,
        schema: type[BaseModel] | None = None,
    ) -> Reply:
        """A whole reply; with `schema`, its `fitted` is one. Raises ModelError.

        Nobody has seen any of it yet, so a model that fails, or misses the form, gives way to
        the next of CHAT_MODELS wherever it fails.
        """
        turns = self._turns(caller)
        while True:
            reply = Reply()
            call = self._call(turns.name, prompt, caller, reply, turns.patience(), schema)
            try:
                await _drain(call)
                return reply
            except ModelError as failure:
                await turns.after(failure, begun=bool(reply.text))

    async def decide(
        self, prompt: Sequence[BaseMessage], schema: type[Schema], caller: Caller
    ) -> Schema:
        """One short structured call to ROUTER_MODEL. Raises ModelError; MisfitReply also where
        the server cannot keep to a form."""
        reply = Reply()
        patience = Patience(asyncio.get_running_loop().time() + ROUTER_TIMEOUT_S)
        await _drain(self._call(self.router_name, prompt, caller, reply, patience, schema))
        assert isinstance(reply.fitted, schema)
        return reply.fitted

    def _open(self, name: str) -> OpenRouterChat:
        return open_chat(name, self._settings, self._http)

    def _turns(self, caller: Caller) -> Turns:
        first = caller.model or self.names[0]
        return Turns(
            [first, *(name for name in self.names if name != first)],
            wait_s=self._settings.model_timeout_s,
            stall_s=self._settings.model_stall_s,
        )

    async def _call(
        self,
        name: str,
        prompt: Sequence[BaseMessage],
        caller: Caller,
        reply: Reply,
        patience: Patience,
        schema: type[BaseModel] | None = None,
    ) -> AsyncGenerator[str]:
        """One call of one model: its words, then what is wrong with its end."""
        reply.begin()
        with self._accounted(name, prompt, caller, reply):
            try:
                pieces = self._ask(name, prompt, caller, schema)
                async with aclosing(words(pieces, reply, patience)) as texts:
                    async for text in texts:
                        yield text
            except (ModelRefused, ModelNotOffered) as error:
                if schema is None or name in self._formless:
                    raise
                self._formless.add(name)
                raise MisfitReply from error
            reply.check()
            reply.model = reply.model or name
            if schema is not None:
                reply.fitted = fitted(reply.text, schema)

    def _ask(
        self,
        name: str,
        prompt: Sequence[BaseMessage],
        caller: Caller,
        schema: type[BaseModel] | None,
    ) -> AsyncGenerator[AIMessageChunk]:
        """Put the question. A server that once refused a form is told of it in words."""
        chat = self._chats.get(name) or self._open(name)
        messages = marked(prompt, name, self._settings)
        if schema is not None and name in self._formless:
            form = fill("as_json", schema=json.dumps(schema.model_json_schema()))
            asked = messages[-1]
            messages[-1] = asked.model_copy(update={"content": f"{asked.text}\n\n{form}"})
            schema = None
        pieces = chat.astream(messages, extra_body=extras(self._settings, caller, schema))
        assert isinstance(pieces, AsyncGenerator)
        return pieces

    @contextmanager
    def _accounted(
        self, name: str, prompt: Sequence[BaseMessage], caller: Caller, reply: Reply
    ) -> Iterator[None]:
        """Keep what a call used and cost, also when it fails or nobody wants it any more."""
        started = time.monotonic()
        error: str | None = "stopped"
        try:
            yield
            error = None
        except ModelError as failure:
            error = failure.name()
            raise
        finally:
            call = ModelCall(
                id=uuid4(),
                user_id=caller.user_id,
                run_id=caller.run_id,
                purpose=caller.purpose,
                model=name,
                first_token_ms=_ms(started, reply.first_word_at),
                duration_ms=_ms(started, time.monotonic()),
                error=error,
                created_at=now(),
            )
            self._price(call, prompt, reply)
            caller.calls.append(call)
            self.log.keep(call)
            self._metrics.called(call)

    def _price(self, call: ModelCall, prompt: Sequence[BaseMessage], reply: Reply) -> None:
        """Fill in tokens and cost: the service's count, else ours by what the model last cost.

        Without a count, and without a word, nothing is known, and nothing is guessed.
        """
        call.estimated = reply.usage is None and bool(reply.text)
        if reply.usage is not None:
            call.input_tokens = reply.usage["input_tokens"]
            call.cached_tokens = reply.cached_tokens
            call.output_tokens = reply.usage["output_tokens"]
            call.cost_usd = reply.usage["cost_usd"]
            tokens = call.input_tokens + call.output_tokens
            if call.cost_usd is not None and tokens:
                self._usd_per_token[call.model] = call.cost_usd / tokens
        elif call.estimated:
            call.input_tokens = sum(_estimated_tokens(message.text) for message in prompt)
            call.output_tokens = _estimated_tokens(reply.text)
            if rate := self._usd_per_token.get(call.model):
                call.cost_usd = rate * (call.input_tokens + call.output_tokens)


async def _drain(texts: AsyncGenerator[str]) -> None:
    async with aclosing(texts):
        async for _ in texts:
            pass


def _estimated_tokens(text: str) -> int:
    return max(1, len(text.encode()) // BYTES_PER_TOKEN)


def _ms(start_s: float, end_s: float | None) -> int | None:
    return None if end_s is None else round((end_s - start_s) * 1000)
