"""A model service for tests and benches: speaks OpenAI's protocol as OpenRouter documents it.

By itself it answers from the passages it is sent, at a set speed; `script` makes it misbehave.
Run as a program it serves on a port until it is stopped.
"""

import argparse
import asyncio
import hashlib
import json
import math
import re
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

DIMENSIONS = 64
COST_PER_TOKEN_USD = 0.000_001
COMMENT_S = 0.05
"""Between the comments by which OpenRouter keeps a connection open."""
COMMENT = ": OPENROUTER PROCESSING\n\n"
DONE = "data: [DONE]\n\n"
SUMMARY_LINES = 10
"""About how many lines a summary has, and the notes on a part of one."""


@dataclass
class Failure:
    """An answer with an error status, as OpenRouter words it; `said` joins the error's object."""

    status: int
    message: str = "Provider returned error"
    headers: dict[str, str] = field(default_factory=dict)
    said: dict[str, Any] = field(default_factory=dict)

    def response(self) -> Response:
        error = {"code": self.status, "message": self.message, **self.said}
        return JSONResponse({"error": error}, self.status, self.headers)


@dataclass
class Page:
    """A web page where an answer should be, as from a proxy or another kind of server."""

    status: int = 200

    def response(self) -> Response:
        return HTMLResponse("<html><body>It works!</body></html>", self.status)


@dataclass
class Breaks:
    """A stream that says `text` and then reports an error in its midst: as OpenRouter documents
    it, beside a choice that ends in `error`, or with `bare` choices."""

    text: str
    code: int | str = 502
    message: str = "Provider gone"
    said: dict[str, Any] = field(default_factory=dict)
    bare: bool = False


@dataclass
class Ends:
    """A stream that says `text` and ends for another reason than that all is said; null: for
    none at all, and without a count. `garbled`: with an event that is not JSON."""

    text: str
    finish: str | None = None
    garbled: bool = False


@dataclass
class Cut:
    """A stream that says `text` and then loses its connection, `finished` only after its end."""

    text: str
    finished: bool = False


@dataclass
class Hangs:
    """A request that is not answered for `seconds`, or that says `text` and then nothing but
    that it is being worked on."""

    seconds: float = 60
    text: str = ""


Scripted = str | Failure | Page | Breaks | Ends | Cut | Hangs


@dataclass
class ModelServer:
    """`requests` has every body received, `headers` those of the last chat request.

    `script` is used up first, one entry a chat request; `decisions` are those requests that ask
    for a form; `suggestions` answers each request for questions. `cached_tokens` of each prompt
    are said to come from a cache.
    """

    first_token_s: float = 0.0
    token_s: float = 0.0
    embedding_s: float = 0.0
    token_s_of: dict[str, float] = field(default_factory=dict)
    """Of models that speak at a speed of their own."""
    script: deque[Scripted] = field(default_factory=deque)
    decisions: deque[Scripted] = field(default_factory=deque)
    suggestions: Scripted = '{"questions": ["What else is said?", "Who says so in the video?"]}'
    cached_tokens: int = 0
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    open_streams: int = 0
    embedding_prices: dict[str, str] = field(default_factory=dict)
    """Dollars a token by model, as OpenRouter lists them."""

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/chat/completions", self._chat, methods=["POST"]),
                Route("/v1/embeddings", self._embeddings, methods=["POST"]),
                Route("/v1/embeddings/models", self._embedding_models),
            ]
        )

    async def _embedding_models(self, _: Request) -> Response:
        priced = [
            {"id": model, "pricing": {"prompt": price}}
            for model, price in self.embedding_prices.items()
        ]
        return JSONResponse({"data": priced})

    def chat_requests(self, *, structured: bool | None = None) -> list[dict[str, Any]]:
        """Those before an answer and for it, not those for questions that may follow it."""
        chats = [body for body in self.requests if "messages" in body]
        found = [body for body in chats if not asks_suggestions(body)]
        if structured is None:
            return found
        return [body for body in found if ("response_format" in body) is structured]

    async def _chat(self, request: Request) -> Response:
        body = await request.json()
        self.requests.append(body)
        self.headers = dict(request.headers)
        say = self._next(body)
        if isinstance(say, Hangs) and not say.text:
            await _hang(request, say.seconds)
            say = ""
        if isinstance(say, Failure | Page):
            return say.response()
        if body.get("stream"):
            return StreamingResponse(self._stream(body, say), media_type="text/event-stream")
        await asyncio.sleep(self.first_token_s)
        text = say if isinstance(say, str) else say.text
        choice = {"index": 0, "finish_reason": "stop", "message": _message(text)}
        usage = self._usage(body, text)
        return JSONResponse({**_envelope(body), "choices": [choice], "usage": usage})

    def _next(self, body: dict[str, Any]) -> Scripted:
        if asks_suggestions(body):
            return self.suggestions
        if "response_format" in body:
            return self.decisions.popleft() if self.decisions else self._decide(body)
        return self.script.popleft() if self.script else answer_from(body["messages"])

    def _decide(self, body: dict[str, Any]) -> str:
        """The router's reply: the newest message taken for a question, in the form asked for."""
        newest = body["messages"][-1]["content"].rsplit("Newest message: ", 1)[-1]
        return json.dumps({"intent": "answer", "question": newest})

    async def _stream(
        self, body: dict[str, Any], say: str | Breaks | Ends | Cut | Hangs
    ) -> AsyncIterator[str]:
        text = say if isinstance(say, str) else say.text
        pieces = [text] if "response_format" in body else tokens(text)
        token_s = self.token_s_of.get(body["model"], self.token_s)
        self.open_streams += 1
        try:
            yield COMMENT
            await asyncio.sleep(self.first_token_s)
            for number, token in enumerate(pieces):
                if number:
                    await asyncio.sleep(token_s)
                yield _data({**_chunk(body, {"role": "assistant", "content": token}, None)})
            if not isinstance(say, str):
                async for event in _misbehave(body, say):
                    yield event
                if not isinstance(say, Ends) or say.finish is None:
                    return
            else:
                yield _data(_chunk(body, {"content": ""}, "stop"))
            yield _data({**_envelope(body), "choices": [], "usage": self._usage(body, text)})
            yield DONE
        finally:
            self.open_streams -= 1

    def _usage(self, body: dict[str, Any], text: str) -> dict[str, Any]:
        """In words, whatever a model's own tokens are."""
        read = sum(len(str(message["content"]).split()) for message in body["messages"])
        written = len(text.split())
        return {
            "prompt_tokens": read,
            "completion_tokens": written,
            "total_tokens": read + written,
            "prompt_tokens_details": {"cached_tokens": self.cached_tokens},
            "cost": (read + written) * COST_PER_TOKEN_USD,
        }

    async def _embeddings(self, request: Request) -> Response:
        body = await request.json()
        self.requests.append(body)
        if self.script and isinstance(self.script[0], Failure):
            return self.script[0].response()
        await asyncio.sleep(self.embedding_s)
        texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
        rows = [
            {"object": "embedding", "index": index, "embedding": bag_of_words(text)}
            for index, text in enumerate(texts)
        ]
        usage = {"prompt_tokens": sum(len(t.split()) for t in texts), "total_tokens": 0}
        return JSONResponse(
            {"object": "list", "model": body["model"], "data": rows, "usage": usage}
        )


def asks_suggestions(body: dict[str, Any]) -> bool:
    form = body.get("response_format", {}).get("json_schema", {})
    return bool(form.get("name") == "Suggestions")


def answer_from(messages: list[dict[str, Any]]) -> str:
    """The first sentence of each of the first two passages, cited; a summary or a post where that
    is asked for."""
    prompt = str(messages[-1]["content"])
    if "<part>" in prompt or "<notes>" in prompt or "<videos>" in prompt:
        return summary_of(prompt)
    prompt = "\n".join(str(message["content"]) for message in messages)
    passages = re.findall(r"^\[(\d+)\] from the video [^\n]+\n([^\n]+)", prompt, re.MULTILINE)
    if prompt.startswith("You write texts for people to publish"):
        return post_from(passages)
    if not passages:
        return "Hello! Ask me about your videos."
    return " ".join(
        f"The speaker says: {re.split(r'[.!?]', text)[0]} [{number}]."
        for number, text in passages[:2]
    )


def summary_of(prompt: str) -> str:
    """Lines said as they are numbered: of a part its passages, of notes and summaries theirs; a
    line a chapter, by its number, where there are chapters."""
    chapters = re.findall(r"^(\d+)\. .* \(passages (\d+) to \d+\)$", prompt, re.MULTILINE)
    said = dict(re.findall(r"^\[(\d+)\] ([^\n.?!]+)", prompt, re.MULTILINE))
    noted = re.findall(r"([^\n.]+?)\.? \[(\d+)\]", re.sub(r"^- ", "", prompt, flags=re.MULTILINE))
    said |= {number: text.strip() for text, number in noted}
    if chapters:
        lines = [f"{n}. {said[first]} [{first}]" for n, first in chapters if first in said]
        return "\n".join(lines)
    every = max(1, len(said) // SUMMARY_LINES)
    return "\n".join(f"- {text} [{number}]" for number, text in list(said.items())[::every])


HOOK = "Few people know what is going on down there."
CALL = "What would you have guessed?"


def post_from(passages: Sequence[tuple[str, str]], *more: str) -> str:
    """A post: a hook, a sentence of each passage with its number, what is given more, a call."""
    said = [f"{re.split(r'(?<=[.!?]) ', text)[0]} [{number}]" for number, text in passages]
    return "\n\n".join([HOOK, *said, *more, CALL, "#Ocean #Science #Learning"])


def tokens(text: str) -> Iterator[str]:
    """A text in pieces of about a word, as a model streams it."""
    return (piece[0] for piece in re.finditer(r"\s*\S+|\s+$", text))


def bag_of_words(text: str) -> list[float]:
    """A unit vector that texts with the same words share."""
    vector = [0.0] * DIMENSIONS
    for word in re.findall(r"\w+", text.lower()):
        digest = hashlib.sha256(word.encode()).digest()
        vector[digest[0] % DIMENSIONS] += 1.0
    length = math.sqrt(sum(value * value for value in vector)) or 1.0
    return [value / length for value in vector]


def _message(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def _envelope(body: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "gen-1",
        "object": "chat.completion.chunk" if body.get("stream") else "chat.completion",
        "created": 0,
        "model": body["model"],
    }


def _chunk(body: dict[str, Any], delta: dict[str, Any], finish: str | None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {**_envelope(body), "choices": [choice]}


async def _hang(request: Request, seconds: float) -> None:
    """Say nothing, until the time is up or the one who asked is gone."""
    for _ in range(round(seconds / COMMENT_S)):
        if await request.is_disconnected():
            return
        await asyncio.sleep(COMMENT_S)


async def _misbehave(body: dict[str, Any], say: Breaks | Ends | Cut | Hangs) -> AsyncIterator[str]:
    """What comes after the words of a stream that goes wrong."""
    match say:
        case Breaks():
            failed = {**_envelope(body), "choices": []}
            if not say.bare:
                failed = _chunk(body, {"content": ""}, "error")
            error = {"code": say.code, "message": say.message, **say.said}
            yield _data({**failed, "error": error})
        case Ends():
            if say.garbled:
                yield "data: {no json\n\n"
            if say.finish is None:
                yield DONE
            else:
                yield _data(_chunk(body, {"content": ""}, say.finish))
        case Cut():
            if say.finished:
                yield _data(_chunk(body, {"content": ""}, "stop"))
            raise ConnectionResetError
        case Hangs():
            for _ in range(round(say.seconds / COMMENT_S)):
                yield COMMENT
                await asyncio.sleep(COMMENT_S)


def _data(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value)}\n\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--first-token-ms", type=float, default=400)
    parser.add_argument("--token-ms", type=float, default=15)
    parser.add_argument("--embedding-ms", type=float, default=80)
    parser.add_argument("--slow-model", help="one that takes a second for each word")
    options = parser.parse_args()
    times_ms = (options.first_token_ms, options.token_ms, options.embedding_ms)
    server = ModelServer(*(time_ms / 1000 for time_ms in times_ms))
    if options.slow_model:
        server.token_s_of[options.slow_model] = 1.0
    uvicorn.run(server.app(), host="127.0.0.1", port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
