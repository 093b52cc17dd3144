"""`langgraph dev`, as a developer starts it to see inside the agent."""

import asyncio
import os
import socket
import sys
from pathlib import Path
from typing import Any

import httpx
from langgraph_sdk import get_client

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
START_TIMEOUT_S = 120
QUESTION = "When was the first of the great lenses lit?"


async def test_the_development_server_draws_the_graph_and_answers(tmp_path: Path) -> None:
    env = {
        **os.environ,
        "DATA_DIR": str(tmp_path / "data"),
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "LANGGRAPH_NO_ANALYTICS": "1",
        "LANGSMITH_TRACING": "false",
        "NO_COLOR": "1",
    }
    sample = ROOT / "talker" / "sample" / "sample.json"
    loading = await asyncio.create_subprocess_exec(BIN / "ingest", "add", sample, env=env)
    assert await loading.wait() == 0
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--no-browser", "--no-reload", "--port", str(port)]
    log = tmp_path / "log"
    with log.open("wb") as out:
        server = await asyncio.create_subprocess_exec(
            BIN / "langgraph", "dev", *options, env=env, cwd=ROOT, stdout=out, stderr=out
        )
    try:
        url = f"http://127.0.0.1:{port}"
        await _until_ok(url, log)
        async with get_client(url=url) as client:
            (assistant,) = await client.assistants.search()
            drawn = await client.assistants.get_graph(assistant["assistant_id"])
            nodes = {node["id"] for node in drawn["nodes"]}
            assert {"route", "retrieve", "grade", "answer"} <= nodes
            thread = await client.threads.create()
            asked: dict[str, Any] = {"messages": [{"role": "user", "content": QUESTION}]}
            state = await client.runs.wait(thread["thread_id"], "talker", input=asked)
        assert isinstance(state, dict)
        assert "eighteen twenty-three" in state["citations"][0]["quote"]
    finally:
        server.terminate()
        await server.wait()


async def _until_ok(url: str, log: Path) -> None:
    async with httpx.AsyncClient() as http, asyncio.timeout(START_TIMEOUT_S):
        while True:
            try:
                if (await http.get(f"{url}/ok")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.2)
            assert "startup failed" not in log.read_text(), log.read_text()[-2000:]
