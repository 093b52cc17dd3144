"""The routes of the embedded index: the part of Qdrant's REST API that we use.

The engine holds the interpreter's lock while it works, so requests are simply done one after
the other; a search takes about a millisecond, and nothing here builds graphs.
See https://api.qdrant.tech for the routes; one that is not here is refused.
"""

import hmac
import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from talker.embedded import qdrant_engine as engine
from talker.embedded import qdrant_schema as schema
from talker.embedded.qdrant_store import Collection, Refused, Store, collection_json

VERSION = "1.19.0"
"""The release of Qdrant whose API this follows; its client compares it with its own."""
MAX_BODY_BYTES = 32 * 2**20
_OPEN_PATHS = {"/", "/healthz", "/livez", "/readyz"}
_READ_PARAMS = {"consistency", "timeout"}
_WRITE_PARAMS = {"wait", "ordering", "timeout"}
"""Query parameters that one server with one writer meets whatever they say, `wait` apart."""

Body = TypeVar("Body", bound=schema.Request)


class JsonResponse(Response):
    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


class ApiKeyCheck:
    """Lets through who shows the key, as Qdrant takes it: `api-key` or a bearer token."""

    def __init__(self, app: ASGIApp, api_key: str) -> None:
        self._app = app
        self._api_key = api_key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in _OPEN_PATHS:
            headers = dict(scope["headers"])
            shown = headers.get(b"api-key")
            if shown is None:
                shown = headers.get(b"authorization", b"").removeprefix(b"Bearer ")
            if not hmac.compare_digest(shown, self._api_key):
                sentence = (
                    "Invalid API key or JWT"
                    if shown
                    else "Must provide an API key or an Authorization bearer token"
                )
                await PlainTextResponse(sentence, 401)(scope, receive, send)
                return
        await self._app(scope, receive, send)


class Routes:
    """One method a route; each answers the `result` of Qdrant's answer."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def table(self) -> list[Route]:
        collection = "/collections/{name}"
        points = f"{collection}/points"
        return [
            Route("/", _version),
            *(Route(path, _alive) for path in ("/healthz", "/livez", "/readyz")),
            _route("GET", "/collections", self.list_collections),
            _route("GET", collection, self.get_collection),
            _route("GET", f"{collection}/exists", self.collection_exists),
            _route("PUT", collection, self.create_collection, params={"timeout"}),
            _route("DELETE", collection, self.delete_collection, params={"timeout"}),
            _route("PUT", f"{collection}/index", self.index_field, params=_WRITE_PARAMS),
            _route("PUT", points, self.upsert, params=_WRITE_PARAMS),
            _route("POST", f"{points}/delete", self.delete, params=_WRITE_PARAMS),
            _route("POST", points, self.retrieve, params=_READ_PARAMS),
            _route("POST", f"{points}/count", self.count, params=_READ_PARAMS),
            _route("POST", f"{points}/scroll", self.scroll, params=_READ_PARAMS),
            _route("POST", f"{points}/query", self.query, params=_READ_PARAMS),
            _route("POST", f"{points}/query/batch", self.query_batch, params=_READ_PARAMS),
        ]

    def list_collections(self, _request: Request, _body: bytes) -> Any:
        return {"collections": [{"name": name} for name in self._store.names()]}

    def get_collection(self, request: Request, _body: bytes) -> Any:
        return collection_json(self._collection(request))

    def collection_exists(self, request: Request, _body: bytes) -> Any:
        return {"exists": request.path_params["name"] in self._store.names()}

    def create_collection(self, request: Request, body: bytes) -> Any:
        self._store.create(request.path_params["name"], _parse(schema.CreateCollection, body))
        return True

    def delete_collection(self, request: Request, _body: bytes) -> Any:
        return self._store.delete(request.path_params["name"])

    def index_field(self, request: Request, body: bytes) -> Any:
        wanted, wait = _parse(schema.CreateFieldIndex, body), _wait(request)
        return _updated(self._collection(request).index_field(wanted, wait=wait), wait=wait)

    def upsert(self, request: Request, body: bytes) -> Any:
        wanted, wait = _parse(schema.PointsList, body), _wait(request)
        return _updated(self._collection(request).upsert(wanted.points, wait=wait), wait=wait)

    def delete(self, request: Request, body: bytes) -> Any:
        wanted, wait = _parse(schema.PointsSelector, body), _wait(request)
        return _updated(self._collection(request).delete(wanted, wait=wait), wait=wait)

    def retrieve(self, request: Request, body: bytes) -> Any:
        found = self._collection(request).retrieve(_parse(schema.PointRequest, body))
        return [engine.record_json(record) for record in found]

    def count(self, request: Request, body: bytes) -> Any:
        return {"count": self._collection(request).count(_parse(schema.CountRequest, body))}

    def scroll(self, request: Request, body: bytes) -> Any:
        found, after = self._collection(request).scroll(_parse(schema.ScrollRequest, body))
        return {
            "points": [engine.record_json(record) for record in found],
            "next_page_offset": None if after is None else engine.point_id_json(after),
        }

    def query(self, request: Request, body: bytes) -> Any:
        found = self._collection(request).query(_parse(schema.QueryRequest, body))
        return {"points": [engine.record_json(point) for point in found]}

    def query_batch(self, request: Request, body: bytes) -> Any:
        collection = self._collection(request)
        wanted = _parse(schema.QueryRequestBatch, body).searches
        return [
            {"points": [engine.record_json(point) for point in collection.query(one)]}
            for one in wanted
        ]

    def _collection(self, request: Request) -> Collection:
        return self._store.get(request.path_params["name"])


def _route(
    method: str,
    path: str,
    answer: Callable[[Request, bytes], Any],
    params: set[str] | None = None,
) -> Route:
    async def endpoint(request: Request) -> Response:
        started = time.perf_counter()
        for name in request.query_params:
            if name not in (params or set()):
                raise Refused(400, f"Wrong input: unknown query parameter `{name}`")
        body = await request.body()
        if len(body) > MAX_BODY_BYTES:
            raise Refused(413, f"Payload error: the body is larger than {MAX_BODY_BYTES} bytes")
        result = answer(request, body)
        spent = time.perf_counter() - started
        return JsonResponse({"result": result, "status": "ok", "time": spent})

    return Route(path, endpoint, methods=[method])


async def _version(_request: Request) -> Response:
    title = "qdrant - vector search engine (embedded by YoutubeTalker)"
    return JsonResponse({"title": title, "version": VERSION})


async def _alive(request: Request) -> Response:
    return PlainTextResponse(f"{request.url.path.removeprefix('/')} check passed")


def _wait(request: Request) -> bool:
    said = request.query_params.get("wait", "false")
    if said not in {"true", "false"}:
        raise Refused(400, "Wrong input: wait must be true or false")
    return said == "true"


def _updated(operation: int, *, wait: bool) -> dict[str, Any]:
    return {"operation_id": operation, "status": "completed" if wait else "acknowledged"}


def _parse(kind: type[Body], body: bytes) -> Body:
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        # Where several shapes would do, an unknown field says more than the others' absence.
        problems.sort(key=lambda problem: problem["type"] != "extra_forbidden")
        sentences = (
            f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
            for problem in problems[:3]
        )
        raise Refused(400, f"Format error in JSON body: {'; '.join(sentences)}") from error


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return _error(error.status, str(error))


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentence = f"{request.method} {request.url.path} is not served by the embedded index"
    return _error(error.status_code, sentence)


async def _broken(_request: Request, error: Exception) -> Response:
    return _error(500, f"Service internal error: {error}")


def _error(status: int, sentence: str) -> Response:
    return JsonResponse({"status": {"error": sentence}, "time": 0.0}, status)


def create_app(store: Store, api_key: str) -> Starlette:
    return Starlette(
        routes=Routes(store).table(),
        middleware=[Middleware(ApiKeyCheck, api_key=api_key)],
        exception_handlers={Refused: _refused, HTTPException: _no_route, Exception: _broken},
    )
