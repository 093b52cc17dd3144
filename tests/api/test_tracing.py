"""Runs in LangSmith, with a local server that speaks the part of its API that traces use."""

import asyncio
import json
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from talker.errors import BadSettings
from talker.settings import load_settings
from tests import make
from tests.conftest import MakeSettings, running
from tests.model_server import ModelServer
from tests.servers import serving

KEY = "lsv2_key"


class LangSmith:
    """`GET /info` and `POST /runs/batch`, which takes runs that began and runs that ended."""

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, Any]] = {}
        self.keys: set[str | None] = set()
        self.app = Starlette(
            routes=[Route("/info", _info), Route("/runs/batch", self._batch, methods=["POST"])]
        )

    async def _batch(self, request: Request) -> JSONResponse:
        self.keys.add(request.headers.get("x-api-key"))
        body = json.loads(await request.body())
        for run in [*body.get("post", []), *body.get("patch", [])]:
            known = self.runs.setdefault(run["id"], {})
            known.update({key: value for key, value in run.items() if value is not None})
        return JSONResponse({}, 202)


async def _info(_: Request) -> JSONResponse:
    batches = {
        "use_multipart_endpoint": False,
        "size_limit": 100,
        "size_limit_bytes": 20_000_000,
        "scale_up_nthreads_limit": 4,
        "scale_up_qsize_trigger": 1_000,
        "scale_down_nempty_trigger": 4,
    }
    return JSONResponse({"version": "0.10.0", "batch_ingest_config": batches})


async def test_a_run_is_traced_with_its_steps_and_its_conversation(
    make_settings: MakeSettings, model_server: tuple[ModelServer, str]
) -> None:
    langsmith = LangSmith()
    async with serving(langsmith.app) as url:
        settings = make_settings(
            openrouter_base_url=model_server[1],
            langsmith_tracing=True,
            langsmith_api_key=KEY,
            langsmith_endpoint=url,
        )
        async with running(settings) as app:
            await make.upload(app.http, make.captions(make.OCEAN))
            talk = await make.conversation(app.http)
            await make.ask(app.http, talk, "How deep did the deepest dive go?")
    names = {run["name"] for run in langsmith.runs.values()}
    assert {"route", "retrieve", "answer"} <= names
    assert any(run["run_type"] == "llm" for run in langsmith.runs.values())
    assert langsmith.keys == {KEY}
    [whole] = [run for run in langsmith.runs.values() if not run.get("parent_run_id")]
    assert whole["extra"]["metadata"]["thread_id"] == talk
    assert whole["session_name"] == "youtubetalker"
    assert whole["end_time"]


async def test_a_tracing_service_that_is_away_costs_no_answer(
    make_settings: MakeSettings, model_server: tuple[ModelServer, str]
) -> None:
    settings = make_settings(
        openrouter_base_url=model_server[1],
        langsmith_tracing=True,
        langsmith_api_key=KEY,
        langsmith_endpoint="http://127.0.0.1:9",
    )
    async with asyncio.timeout(60), running(settings) as app:
        talk = await make.conversation(app.http)
        assert make.only(await make.ask(app.http, talk, "hello"), "message")["content"]


def test_tracing_without_a_key_stops_the_start() -> None:
    with pytest.raises(BadSettings, match="LANGSMITH_TRACING needs LANGSMITH_API_KEY"):
        load_settings(_env_file=None, langsmith_tracing=True)
