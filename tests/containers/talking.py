"""The main job as somebody with an account does it, over HTTP, events and a socket."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import websockets
from websockets.typing import Origin

from tests import make
from tests.people import PASSWORD, bearer, log_in

QUESTION = "How long does the dough rest in the fridge?"
FOUND = "twelve hours"
WAIT_S = 180


@asynccontextmanager
async def somebody(
    url: str, email: str, *, register: bool = True
) -> AsyncIterator[httpx.AsyncClient]:
    """Registered, logged in, and from then on a program with a key."""
    # The page's own Origin, as a browser would send it.
    async with httpx.AsyncClient(base_url=url, timeout=120, headers={"Origin": url}) as http:
        if register:
            body = {"email": email, "password": PASSWORD}
            answer = await http.post("/api/auth/register", json=body)
            assert answer.status_code == 201, answer.text
        answer = await log_in(http, email)
        assert answer.status_code == 200, answer.text
        # In production the cookie is for HTTPS alone, which a test's address has not.
        cookie = {"Cookie": answer.headers["set-cookie"].partition(";")[0]}
        made = await http.post("/api/keys", json={"name": "a program"}, headers=cookie)
        assert made.status_code == 201, made.text
        http.headers.update(bearer(made.json()["key"]))
        yield http


async def load(http: httpx.AsyncClient) -> UUID:
    return await make.upload(http, make.captions(make.BREAD, title="Sourdough"))


async def ask(http: httpx.AsyncClient) -> None:
    """Over server-sent events; the answer has the words that were said."""
    talk = await make.conversation(http)
    _check(make.only(await make.ask(http, talk, QUESTION), "message"))


async def ask_over_socket(http: httpx.AsyncClient) -> None:
    talk = await make.conversation(http)
    url = f"{str(http.base_url).replace('http', 'ws', 1).rstrip('/')}/api/chat/{talk}"
    headers = {name: http.headers[name] for name in ("Authorization",)}
    async with (
        asyncio.timeout(WAIT_S),
        websockets.connect(
            url, additional_headers=headers, origin=Origin(http.headers["Origin"]), proxy=None
        ) as socket,
    ):
        await socket.send(json.dumps({"type": "ask", "content": QUESTION}))
        events: list[dict[str, Any]] = []
        while not events or events[-1]["type"] != "done":
            events.append(json.loads(await socket.recv()))
    _check(make.only(events, "message"))


async def until_ready(http: httpx.AsyncClient) -> dict[str, Any]:
    """What readiness says, once it is good."""
    async with asyncio.timeout(WAIT_S):
        while True:
            try:
                answer = await http.get("/api/health/ready")
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code == 200:
                ready: dict[str, Any] = answer.json()
                return ready
            await asyncio.sleep(0.5)


def _check(message: dict[str, Any]) -> None:
    quotes = [citation["quote"] for citation in message["citations"]]
    assert any(FOUND in quote for quote in quotes), message
