"""LangServe's routes: the agent for `RemoteRunnable` and for the chat playground.

LangServe itself is under a licence that forbids offering it as a hosted service; see the README.
"""

import json
import logging
from collections.abc import AsyncIterable, AsyncIterator
from typing import Any, Literal

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from langchain_core.runnables import RunnableConfig
from langserve import APIHandler
from sse_starlette import EventSourceResponse

from api.accounts.identity import Person
from api.dependencies import AppResources, Asker, CurrentPerson
from api.errors import InternalError, RunFailed, status_named
from api.limits.limits import Who
from api.problems import OF_MODELS, problems
from api.remote_agent import RemoteAgent, RemoteInput, RemoteOutput
from talker.errors import NotAllowed, TalkerError
from talker.resources import Resources

log = logging.getLogger(__name__)

Which = Literal["input", "output", "config"]

router = APIRouter(prefix="/agent", tags=["agent"])

PLAYGROUND_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; frame-ancestors 'none'; base-uri 'self'; form-action 'self'; "
    "object-src 'none'"
)
"""LangServe's page keeps its schemas in an inline script; our own pages' policy has hashes."""


AMISS = problems(400, 404, 409, 413, 422) | OF_MODELS
"""LangServe reads the body itself, so the document does not know of one."""


class PlaygroundClosed(NotAllowed):
    def __init__(self) -> None:
        super().__init__("The playground is open in development, and to administrators.")


def serve_agent(app: FastAPI) -> None:
    """Make the runnable that the routes serve."""
    app.state.agent = APIHandler(
        RemoteAgent(app),
        path="/agent",
        prefix="/api",
        input_type=RemoteInput,
        output_type=RemoteOutput,
        playground_type="chat",
    )


@router.post("/invoke", responses=AMISS)
async def invoke(request: Request, who: Asker) -> Response:
    """One answer: `{"input": {"messages": […]}, "config": {"configurable": {"thread_id": …}}}`.

    The output is a message: `content`, and `citations` in its `additional_kwargs`.
    """
    try:
        return await _handler(request).invoke(request, server_config=_caller(who))
    except RunFailed as failed:
        return _refusal(failed)


@router.post("/batch", responses=AMISS)
async def batch(request: Request, who: Asker) -> Response:
    """Several answers side by side: `inputs` and, for each or for all, `config`."""
    try:
        return await _handler(request).batch(request, server_config=_caller(who))
    except RunFailed as failed:
        return _refusal(failed)


@router.post(
    "/stream",
    response_class=EventSourceResponse,
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "LangServe's events"},
        **AMISS,
    },
)
async def stream(request: Request, who: Asker) -> EventSourceResponse:
    """The answer as LangServe streams it: a `data` event for each chunk, `end` the last."""
    response = await _handler(request).stream(request, server_config=_caller(who))
    response.body_iterator = _with_reasons(response.body_iterator)
    return response


@router.post("/stream_log", include_in_schema=False)
async def stream_log(
    request: Request, resources: AppResources, person: CurrentPerson, who: Asker
) -> EventSourceResponse:
    """What the playground reads: the same chunks as patches of a log, with no step's inside."""
    _check_playground(resources, person)
    caller = _caller(who)
    response = await _handler(request).stream_log(request, server_config=caller)
    response.body_iterator = _with_reasons(response.body_iterator)
    return response


@router.get("/{which}_schema")
async def schema(
    which: Which, request: Request, resources: AppResources, person: CurrentPerson
) -> Any:
    """The JSON schema of what goes in, comes out or may be configured; for the playground."""
    _check_playground(resources, person)
    return await _schema(which, request)


@router.get("/c/{config_hash}/{which}_schema", include_in_schema=False)
async def configured_schema(
    config_hash: str,
    which: Which,
    request: Request,
    resources: AppResources,
    person: CurrentPerson,
) -> Any:
    """The same for the configuration that the playground keeps in its addresses."""
    _check_playground(resources, person)
    return await _schema(which, request, config_hash)


async def _schema(which: Which, request: Request, config_hash: str = "") -> Any:
    handler = _handler(request)
    of = {
        "input": handler.input_schema,
        "output": handler.output_schema,
        "config": handler.config_schema,
    }
    return await of[which](request, config_hash=config_hash)


@router.get("/playground", include_in_schema=False)
async def playground_address() -> Response:
    return RedirectResponse("playground/")


@router.get("/playground/{path:path}", include_in_schema=False)
async def playground(
    path: str, request: Request, resources: AppResources, person: CurrentPerson
) -> Response:
    _check_playground(resources, person)
    response: Response = await _handler(request).playground(path, request)
    response.headers["Content-Security-Policy"] = PLAYGROUND_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _handler(request: Request) -> APIHandler:
    handler: APIHandler = request.app.state.agent
    return handler


def _caller(who: Who) -> RunnableConfig:
    """Who asks, written over whatever the caller configured."""
    return {"configurable": {"user_id": who.user_id, "address": who.address}}


def _check_playground(resources: Resources, person: Person) -> None:
    if resources.settings.environment != "development" and not person.is_admin:
        raise PlaygroundClosed


def _refusal(failed: RunFailed) -> JSONResponse:
    body = {"error": failed.error, "detail": str(failed)}
    return JSONResponse(body, status_named(failed.error))


async def _with_reasons(events: AsyncIterable[Any]) -> AsyncIterator[Any]:
    """LangServe's events, but what failed is said: it hides every error as an internal one."""
    try:
        async for event in events:
            if not (isinstance(event, dict) and event.get("event") == "error"):
                yield event
    except TalkerError as error:
        yield _error_event(error.error if isinstance(error, RunFailed) else error.name(), error)
    except Exception:  # a bug: logged once, and the stream still says that it failed
        log.exception("an agent's stream failed")
        yield _error_event(InternalError.name(), InternalError())


def _error_event(name: str, error: TalkerError) -> dict[str, str]:
    told = {"status_code": status_named(name), "message": str(error), "error": name}
    return {"event": "error", "data": json.dumps(told)}
