"""The HTTP program: what it opens, what it routes, what it answers when something breaks."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import cache
from typing import Any

from fastapi import APIRouter, FastAPI, Security
from fastapi.security import HTTPBearer
from starlette.routing import BaseRoute
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from agent.checkpoints import open_checkpointer
from agent.graph import build_graph, build_summary_graph
from agent.models import ChatModels
from agent.search import Search
from agent.summarizer import Summarizer
from agent.tracing import tracing
from api import (
    adding,
    agent_routes,
    chat,
    chat_programs,
    collections,
    conversations,
    errors,
    feedback,
    health,
    ingestion_jobs,
    models,
    monitoring,
    search,
    summaries,
    templates,
    usage,
    videos,
)
from api.accounts import (
    admin_routes,
    auth_routes,
    export,
    key_routes,
    my_routes,
    operation_routes,
    quota_routes,
)
from api.accounts.gate import Gate
from api.accounts.service import open_accounts
from api.accounts.setup import make_setup_link
from api.bodies import BodyLimit
from api.guard import Guard
from api.limits.limits import Limits
from api.loader import VideoLoader
from api.makings import Makings
from api.notices import Notices
from api.pages import add_pages
from api.problems import add_problems
from api.run_store import RunStore
from api.runs import Runs
from api.watch import Watch
from ingestion.services import open_services
from ingestion.worker import working
from talker.exposition import Exposition
from talker.resources import open_resources
from talker.settings import Settings
from talker.spans import spans_sent

API_KEY = Security(
    HTTPBearer(
        auto_error=False,
        scheme_name="API key",
        description="A key of /api/keys. Browsers send the session cookie instead.",
    )
)
"""Only says so in the OpenAPI document: who asks is settled by the gate."""
PUBLIC = (health, auth_routes)


class _App(FastAPI):
    def openapi(self) -> dict[str, Any]:
        made = self.openapi_schema is None
        document = super().openapi()
        if made:
            add_problems(document)
        return document


def create_app(settings: Settings) -> FastAPI:
    """The whole app. Raises BadSettings where accounts are wanted without a SECRET_KEY."""
    app = _App(
        title="YoutubeTalker",
        version="0.1.0",
        summary="Talk with your YouTube videos: every claim plays the second it was said.",
        lifespan=_lifespan,
        docs_url="/api/docs",
        redoc_url=None,
        openapi_url="/api/openapi.json",
        routes=list(_routes()),
    )
    app.state.settings = settings
    app.state.leaving = False
    app.state.accounts = open_accounts(settings) if settings.auth == "accounts" else None
    app.add_middleware(BodyLimit)
    app.add_middleware(Gate)
    app.add_middleware(Guard, settings=settings)
    app.add_middleware(Watch)
    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.trusted_proxies))
    errors.add_handlers(app)
    agent_routes.serve_agent(app)
    add_pages(app)
    return app


@cache
def _routes() -> Sequence[BaseRoute]:
    """What is under /api, the same for every app of a process: making it takes a while."""
    routes = APIRouter(prefix="/api")
    for part in (
        adding,
        videos,
        summaries,
        collections,
        ingestion_jobs,
        search,
        conversations,
        feedback,
        chat,
        agent_routes,
        chat_programs,
        models,
        templates,
        usage,
        health,
        auth_routes,
        my_routes,
        key_routes,
        export,
        admin_routes,
        quota_routes,
        operation_routes,
        monitoring,
    ):
        by_key = [] if part in PUBLIC or part is chat else [API_KEY]  # a socket has no scheme
        routes.include_router(part.router, dependencies=by_key)
    made = APIRouter()
    made.include_router(routes)
    return made.routes


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        sender = await stack.enter_async_context(spans_sent(app.state.settings))
        resources = await stack.enter_async_context(open_resources(app.state.settings))
        callbacks = await stack.enter_async_context(tracing(resources.settings, sender))
        metrics = resources.metrics
        chat_models = ChatModels(resources.settings, resources.sessions, metrics)
        stack.push_async_callback(chat_models.aclose)
        searching = Search(resources.chunks, resources.sessions)
        checkpointer = open_checkpointer(resources.pool)
        services = await stack.enter_async_context(open_services(resources))
        summarizer = Summarizer(resources.sessions, chat_models, resources.local_embeddings)
        graph = build_graph(
            sessions=resources.sessions,
            search=searching,
            models=chat_models,
            embeddings=resources.local_embeddings,
            loader=VideoLoader(resources, services),
            summarizer=summarizer,
            checkpointer=checkpointer,
        ).with_config(callbacks=callbacks)
        notices = Notices(resources.database_url)
        runs = Runs(graph, RunStore(resources.sessions, notices), metrics)
        summary_graph = build_summary_graph(resources.sessions, summarizer)
        makings = Makings(summary_graph.with_config(callbacks=callbacks))
        stack.push_async_callback(makings.aclose)
        limits = Limits(resources.settings, resources.sessions)
        stack.push_async_callback(limits.aclose)
        app.state.limits = limits
        app.state.resources = resources
        app.state.services = services
        app.state.models = chat_models
        app.state.search = searching
        app.state.checkpointer = checkpointer
        app.state.graph = graph
        app.state.runs = runs
        app.state.summarizer = summarizer
        app.state.makings = makings
        app.state.setup_link = await make_setup_link(resources, app.state.accounts)
        await stack.enter_async_context(in_background(limits.keep()))
        await stack.enter_async_context(in_background(notices.listen()))
        await stack.enter_async_context(in_background(runs.keep()))
        stack.push_async_callback(runs.aclose)
        if resources.settings.serve_worker:
            await stack.enter_async_context(working(resources, services))
        exposition = Exposition(resources.settings.data_dir, "serve", metrics)
        app.state.exposition = exposition
        await stack.enter_async_context(exposition.kept())
        yield


@asynccontextmanager
async def in_background(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run something beside the app, and end it with the app."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
