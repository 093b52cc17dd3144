"""The least that an answer can cost: FastAPI and httpx between a reader and the model, no more.

Run as `python -m bench.pass_through --port P --model URL`.
"""

import argparse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse


def app(model: str) -> FastAPI:
    """POST /chat/completions is passed on to the same path of `model`, and its bytes back."""

    @asynccontextmanager
    async def lifespan(served: FastAPI) -> AsyncIterator[None]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(timeout=120, limits=limits) as http:
            served.state.http = http
            yield

    served = FastAPI(lifespan=lifespan)

    @served.post("/chat/completions")
    async def passed(body: dict[str, Any]) -> StreamingResponse:
        async def received() -> AsyncIterator[bytes]:
            http: httpx.AsyncClient = served.state.http
            async with http.stream("POST", f"{model}/chat/completions", json=body) as answer:
                async for piece in answer.aiter_bytes():
                    yield piece

        return StreamingResponse(received(), media_type="text/event-stream")

    return served


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--model", required=True)
    options = parser.parse_args()
    uvicorn.run(app(options.model), host="127.0.0.1", port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
