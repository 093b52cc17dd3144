"""What `serve` and `worker` write to their logs."""

import asyncio
import json
from typing import Any

import httpx

from talker.resources import Resources
from tests import make
from tests.api.test_admin import environment
from tests.forks import start
from tests.programs import Programs

WORDS = "anglerfish"


async def served(
    resources: Resources, *, log_format: str, environment_: str = "development"
) -> tuple[list[str], str, str]:
    """The log of a `serve` that answered a question, and the ids of request and conversation."""
    env = environment(
        resources, AUTH="local", PORT="0", LOG_FORMAT=log_format, ENVIRONMENT=environment_
    )
    pipe = asyncio.subprocess.PIPE
    process = await start("serve", env=env, stdout=pipe, stderr=pipe)
    assert process.stdout is not None
    assert process.stderr is not None
    async with asyncio.timeout(180):
        url = (await process.stdout.readline()).decode().split()[-1]
        async with httpx.AsyncClient(base_url=url, timeout=60) as http:
            await make.upload(http, make.captions([f"The {WORDS} lives deep down."]))
            talk = await make.conversation(http)
            http.headers["X-Request-ID"] = "request-7"
            await make.ask(http, talk, f"Where does the {WORDS} live?")
            answer = await http.get("/api/search", params={"q": WORDS})
            assert answer.headers["x-request-id"] == "request-7"
            odd = await http.get("/api/models", headers={"X-Request-ID": f"{WORDS} and more"})
            assert WORDS not in odd.headers["x-request-id"]
        process.terminate()
        log = (await process.stderr.read()).decode()
        await process.wait()
    return log.splitlines(), "request-7", talk


async def test_json_lines_carry_the_ids_of_request_person_and_run_and_no_ones_words(
    resources: Resources,
) -> None:
    lines, request_id, talk = await served(resources, log_format="", environment_="production")
    events: list[dict[str, Any]] = [json.loads(line) for line in lines]
    requests = [one for one in events if one["event"] == "request"]
    [asked] = [one for one in requests if one["route"].endswith("/ask")]
    assert asked["request_id"] == request_id
    assert (asked["method"], asked["status"]) == ("POST", 200)
    assert asked["user_id"]
    assert {"time", "level", "logger", "ms"} <= asked.keys()
    [answered] = [one for one in events if one["event"] == "answered"]
    assert answered["run_id"]
    assert (answered["conversation_id"], answered["request_id"]) == (talk, request_id)
    assert answered["user_id"] == asked["user_id"]
    [loaded] = [one for one in events if one["event"] == "video loaded"]
    assert loaded["job_id"]
    assert WORDS not in "\n".join(lines)


async def test_a_log_of_text_has_the_same_fields(resources: Resources) -> None:
    lines, request_id, _ = await served(resources, log_format="text")
    [line] = [line for line in lines if "/ask" in line]
    assert f" request_id={request_id}" in line
    assert " INFO api.watch request method=POST" in line


async def test_a_worker_logs_in_json_too(resources: Resources) -> None:
    env = environment(resources, AUTH="local", LOG_FORMAT="json")
    async with Programs(env):
        process = await start("worker", env=env, stderr=asyncio.subprocess.PIPE)
        assert process.stderr is not None
        async with asyncio.timeout(120):
            line = json.loads(await process.stderr.readline())
            process.terminate()
            await process.wait()
    assert (line["event"], line["logger"], line["level"]) == (
        "worker started",
        "ingestion.worker",
        "INFO",
    )
