"""Answers and the processes that write them: killed, restarted, cut off from their database."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import websockets

from tests import make
from tests.api.test_runs import joined, messages_of, receive_until, send
from tests.conftest import MakeSettings, running
from tests.journeys.test_outages import port_of
from tests.model_server import ModelServer
from tests.programs import Programs, kill
from tests.relay import relay_to
from tests.servers import serving

QUESTION = "When was the first of the great lenses lit?"
SLOW = " ".join(f"word{n}" for n in range(1_000))


@asynccontextmanager
async def two_programs(tmp_path: Path, server: ModelServer) -> AsyncIterator[Any]:
    """Two apps as processes of their own on one DATA_DIR, with a video and a conversation."""
    async with serving(server.app()) as models:
        settings = {
            "DATA_DIR": str(tmp_path / "data"),
            "PORT": "0",
            "OPENROUTER_BASE_URL": f"{models}/v1",
            "CHAT_MODELS": "test/first",
            "YOUTUBE_PROXY": "http://127.0.0.1:9",
        }
        async with Programs({**os.environ, **settings}) as programs:
            (one, first), (_, second) = [await programs.app() for _ in range(2)]
            async with httpx.AsyncClient(base_url=second, timeout=30) as http:
                loaded = (await http.post("/api/videos/sample")).json()["items"][0]
                await make.until_ready(http, loaded["video_id"])
                yield one, first, http, await make.conversation(http)


def chat_at(url: str, talk: str) -> Any:
    return websockets.connect(f"{url.replace('http', 'ws', 1)}/api/chat/{talk}")


async def test_an_answer_whose_process_is_killed_is_written_by_another(tmp_path: Path) -> None:
    server = ModelServer(token_s=0.02)
    async with two_programs(tmp_path, server) as (one, first, http, talk):
        server.script.append(SLOW)
        async with chat_at(first, talk) as socket:
            await send(socket, "ask", content=QUESTION)
            seen = await receive_until(socket, "token")
            async with asyncio.timeout(20):
                while len(seen) < 60:
                    seen.append(json.loads(await socket.recv()))
            await kill(one)
        async with chat_at(str(http.base_url), talk) as socket:
            await send(socket, "resume", run_id=seen[0]["run_id"], after=seen[-1]["seq"])
            rest = await receive_until(socket, "done")
        events = [*seen, *rest]
        seqs = [event["seq"] for event in events]
        assert seqs == sorted(set(seqs))
        [_, answer] = await messages_of(http, talk)
        assert answer["status"] == "complete"
        assert joined(events) == answer["content"] == make.only(events, "message")["content"]
        assert "word0" not in answer["content"]
        again = await make.ask(http, talk, "And who saw it from far away?")
        assert make.only(again, "message")["content"]


async def test_an_answer_waits_for_a_database_that_is_away_for_a_moment(
    make_settings: MakeSettings, model_server: tuple[ModelServer, str]
) -> None:
    server, models = model_server
    settings = make_settings(openrouter_base_url=models, chat_models=("test/first",))
    async with relay_to(port_of(settings.database_url)) as relay:
        url = settings.database_url.replace(f":{relay.target_port}", f":{relay.port}")
        async with running(settings.model_copy(update={"database_url": url})) as app:
            await make.upload(app.http, make.captions(make.OCEAN))
            talk = await make.conversation(app.http)
            server.token_s = 0.05
            server.script.append(" ".join(f"word{n}" for n in range(40)))
            async with chat_at(app.url, talk) as socket:
                await send(socket, "ask", content="How deep was the deepest dive?")
                seen = await receive_until(socket, "token")
                relay.sever()
                await asyncio.sleep(2)
                relay.mend()
                seen += await receive_until(socket, "done")
            assert [event["type"] for event in seen if event["type"] != "token"][-1] == "done"
            message = make.only(seen, "message")
            [_, answer] = await messages_of(app.http, talk)
            assert answer["content"] == message["content"] == joined(seen)


async def test_a_process_that_was_cut_off_does_not_write_into_what_another_took_up(
    make_settings: MakeSettings, model_server: tuple[ModelServer, str]
) -> None:
    server, models = model_server
    settings = make_settings(openrouter_base_url=models, chat_models=("test/first",))
    async with relay_to(port_of(settings.database_url)) as relay:
        url = settings.database_url.replace(f":{relay.target_port}", f":{relay.port}")
        cut_off = settings.model_copy(update={"database_url": url})
        async with running(cut_off) as one, running(settings) as two:
            await make.upload(two.http, make.captions(make.OCEAN))
            talk = await make.conversation(two.http)
            server.token_s = 0.1
            server.script.extend([SLOW, "It went down."])
            async with chat_at(one.url, talk) as socket:
                await send(socket, "ask", content="How deep was the deepest dive?")
                seen = await receive_until(socket, "token")
                relay.sever()
                async with chat_at(two.url, talk) as other:
                    await send(other, "resume", run_id=seen[0]["run_id"])
                    taken = await receive_until(other, "done")
                relay.mend()
                seen += await receive_until(socket, "done")
            assert joined(taken) == "It went down."
            assert joined(seen) == "It went down."
            [_, answer] = await messages_of(two.http, talk)
            assert answer["content"] == "It went down."
            async with chat_at(two.url, talk) as other:
                await send(other, "resume", run_id=seen[0]["run_id"])
                assert await receive_until(other, "done") == taken
