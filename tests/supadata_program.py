"""Supadata's stand-in as a program, with lists for the browser tests.

`POST /mend/{id}` takes a video's fault away, as time does; the slow list takes a while. `PUT
/stock` puts other videos and lists in the place of these, `GET /seen` tells what was asked for,
and `POST /limit` lets everything be refused for a while: so `tests/programs.py` steers it.
"""

import argparse
import asyncio
import time
from typing import Any

import uvicorn
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.make import BREAD, OCEAN
from tests.supadata_server import Answer, Line, SupadataList, SupadataServer, SupadataVideo, refused

LINE_MS = 6_000
TALKS = 1_000
SLOW, SLOW_S = "@slow", 4.0

CHAPTERS = "0:00 The starter\n0:18 The dough\n0:30 The oven"
BROT = [
    "Willkommen in der Küche, wo wir ein Brot aus Sauerteig backen.",
    "Ein Ansatz ist Mehl und Wasser, worin wilde Hefe und Bakterien wachsen.",
    "Der Teig ruht zwölf Stunden im Kühlschrank, damit er sauer schmeckt.",
]
FAULTS = {
    "bakingpriv1": refused(403, "This is a private video"),
    "bakinglive1": refused(403, "This live stream has not ended"),
}


def baking() -> dict[str, SupadataVideo]:
    """A playlist's videos: five to load, one private, one still live, one without captions."""
    captions = {"en": _lines(BREAD), "de": _lines(BROT)}
    talks = {
        f"bakingtalk{number}": SupadataVideo(
            captions, f"Baking, part {number}", "The Kitchen", 40, description=CHAPTERS
        )
        for number in range(1, 6)
    }
    faulty = {name: _faulty(fault, name) for name, fault in FAULTS.items()}
    silent = SupadataVideo({}, "Kneading, without a word", "The Kitchen", 40)
    return talks | faulty | {"bakingmute1": silent}


def talks() -> dict[str, SupadataVideo]:
    """A channel's thousand videos; each twentieth is private."""
    return {
        name: SupadataVideo({"en": _lines(OCEAN)}, f"Ocean talk {number}", "The Deep", 48)
        if number % 20
        else _faulty(refused(403, "This is a private video"), name)
        for number in range(1, TALKS + 1)
        for name in [f"ocean{number:06d}"]
    }


def _faulty(fault: Answer, name: str) -> SupadataVideo:
    return SupadataVideo({"en": _lines(BREAD)}, f"Mended {name}", "The Kitchen", 40, fault=fault)


def _lines(texts: list[str]) -> list[Line]:
    return [(number * LINE_MS, LINE_MS, text) for number, text in enumerate(texts)]


def stocked() -> SupadataServer:
    server = SupadataServer()
    bread, ocean = baking(), talks()
    server.videos = bread | ocean
    server.lists = {
        "PLbakingbakingbaking": SupadataList("Baking at home", list(bread)),
        "@thedeep": SupadataList("The Deep", list(ocean)),
        SLOW: SupadataList("A slow list", list(bread)),
        "PLprivateprivatepriv": SupadataList("", fault=refused(403, "This playlist is private")),
    }
    return server


async def slowly(request: Request, answer: RequestResponseEndpoint) -> Response:
    if request.query_params.get("id") == SLOW:
        await asyncio.sleep(SLOW_S)
    return await answer(request)


def video_of(stored: dict[str, Any]) -> SupadataVideo:
    """A video as `PUT /stock` has it: the fields of SupadataVideo."""
    fault = stored.get("fault")
    return SupadataVideo(**{**stored, "fault": fault and Answer(**fault)})


def controls(server: SupadataServer) -> list[Route]:
    async def stock(request: Request) -> Response:
        body = await request.json()
        server.videos = {name: video_of(one) for name, one in body["videos"].items()}
        server.lists = {name: SupadataList(**one) for name, one in body["lists"].items()}
        server.plan_has_batches = body["plan_has_batches"]
        return Response(status_code=204)

    async def seen(_: Request) -> Response:
        names = ("counts", "asked", "billed", "arrived_at", "limited_at")
        return JSONResponse({name: getattr(server, name) for name in names})

    async def limit(request: Request) -> Response:
        body = await request.json()
        server.longest_wait_s = body["retry_after_s"]
        server.limit_until = time.monotonic() + body["for_s"]
        return Response(status_code=204)

    async def mend(request: Request) -> Response:
        server.videos[request.path_params["id"]].fault = None
        return Response(status_code=204)

    return [
        Route("/stock", stock, methods=["PUT"]),
        Route("/seen", seen),
        Route("/limit", limit, methods=["POST"]),
        Route("/mend/{id}", mend, methods=["POST"]),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--delay-ms", type=float, default=0)
    options = parser.parse_args()
    server = stocked()
    server.delay_s = options.delay_ms / 1000
    app = server.app()
    app.router.routes.extend(controls(server))
    app.add_middleware(BaseHTTPMiddleware, dispatch=slowly)
    uvicorn.run(app, host="127.0.0.1", port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
