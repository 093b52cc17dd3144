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
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

DIMENSIONS = 64
COST_PER_TOKEN_USD = 0.000_001


@dataclass
class Failure:
    """An answer with an error status, as OpenRouter words it."""

    status: int
    message: str = "Provider returned error"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Breaks:
    """A stream that says `text` and then reports an error in its midst."""

    text: str
    code: int = 502


@dataclass
class Cut:
    """A stream that says `text` and then loses its connection."""

    text: str


@dataclass
class Hangs:
    """A request that is not answered for `seconds`."""

    seconds: float = 60


Scripted = str | Failure | Breaks | Cut | Hangs


@dataclass
class ModelServer:
    """`requests` has every body received; `script` is used up first, one entry a chat request."""

    first_token_s: float = 0.0
    token_s: float = 0.0
    embedding_s: float = 0.0
    script: deque[Scripted] = field(default_factory=deque)
    requests: list[dict[str, Any]] = field(default_factory=list)
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
        found = [body for body in self.requests if "messages" in body]
        if structured is None:
            return found
        return [body for body in found if ("response_format" in body) is structured]

    async def _chat(self, request: Request) -> Response:
        body = await request.json()
        self.requests.append(body)
        say: Scripted
        if "response_format" in body:
            say = self._decide(body)
        else:
            say = self.script.popleft() if self.script else answer_from(body["messages"])
        if isinstance(say, Hangs):
            await asyncio.sleep(say.seconds)
            say = ""
        if isinstance(say, Failure):
            error = {"error": {"code": say.status, "message": say.message}}
            return JSONResponse(error, say.status, say.headers)
        if body.get("stream"):
            return StreamingResponse(self._stream(body, say), media_type="text/event-stream")
        await asyncio.sleep(self.first_token_s)
        text = say if isinstance(say, str) else say.text
        choice = {"index": 0, "finish_reason": "stop", "message": _message(text)}
        return JSONResponse({**_envelope(body), "choices": [choice], "usage": _usage(body, text)})

    def _decide(self, body: dict[str, Any]) -> str:
        """The router's reply: the newest message taken for a question, in the form asked for."""
        newest = body["messages"][-1]["content"].rsplit("Newest message: ", 1)[-1]
        return json.dumps({"intent": "answer", "question": newest})

    async def _stream(self, body: dict[str, Any], say: str | Breaks | Cut) -> AsyncIterator[str]:
        text = say if isinstance(say, str) else say.text
        self.open_streams += 1
        try:
            yield ": OPENROUTER PROCESSING\n\n"
            await asyncio.sleep(self.first_token_s)
            for number, token in enumerate(tokens(text)):
                if number:
                    await asyncio.sleep(self.token_s)
                yield _data({**_chunk(body, {"role": "assistant", "content": token}, None)})
            if isinstance(say, Cut):
                raise ConnectionResetError
            if isinstance(say, Breaks):
                failed = _chunk(body, {"content": ""}, "error")
                yield _data({**failed, "error": {"code": say.code, "message": "Provider gone"}})
                return
            yield _data(_chunk(body, {"content": ""}, "stop"))
            yield _data({**_envelope(body), "choices": [], "usage": _usage(body, text)})
            yield "data: [DONE]\n\n"
        finally:
            self.open_streams -= 1

    async def _embeddings(self, request: Request) -> Response:
        body = await request.json()
        self.requests.append(body)
        if self.script and isinstance(self.script[0], Failure):
            failure = self.script[0]
            error = {"error": {"code": failure.status, "message": failure.message}}
            return JSONResponse(error, failure.status, failure.headers)
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


def answer_from(messages: list[dict[str, Any]]) -> str:
    """The first sentence of each of the first two passages, cited."""
    prompt = str(messages[-1]["content"])
    passages = re.findall(r"^\[(\d+)\] from the video [^\n]+\n([^\n]+)", prompt, re.MULTILINE)
    if not passages:
        return "Hello! Ask me about your videos."
    return " ".join(
        f"The speaker says: {re.split(r'[.!?]', text)[0]} [{number}]."
        for number, text in passages[:2]
    )


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


def _usage(body: dict[str, Any], text: str) -> dict[str, Any]:
    read = sum(len(str(message["content"]).split()) for message in body["messages"])
    written = len(text.split())
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
        "cost": (read + written) * COST_PER_TOKEN_USD,
    }


def _data(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value)}\n\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--first-token-ms", type=float, default=400)
    parser.add_argument("--token-ms", type=float, default=15)
    parser.add_argument("--embedding-ms", type=float, default=80)
    options = parser.parse_args()
    times_ms = (options.first_token_ms, options.token_ms, options.embedding_ms)
    server = ModelServer(*(time_ms / 1000 for time_ms in times_ms))
    uvicorn.run(server.app(), host="127.0.0.1", port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
