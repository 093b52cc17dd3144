"""Server-sent events as providers send them, however the network cuts them."""

import json
from collections.abc import AsyncIterator, Sequence

import httpx2
import pytest
from langchain_core.messages import AIMessageChunk

from agent.completions import completion, events
from tests.model_server import Ends, ModelServer

STREAM = (
    ": OPENROUTER PROCESSING\n\n"
    'data: {"text": "Głębia"}\r\n\r\n'
    ": OPENROUTER PROCESSING\n"
    "event: chunk\n"
    'data:{"text": "two\u2028lines\u0085of it"}\n\n'
    "data: [1,\ndata: 2]\n\n"
    "data: [DONE]\n\n"
    "data: late\n\n"
).encode()
EVENTS = [{"text": "Głębia"}, {"text": "two\u2028lines\u0085of it"}, [1, 2]]


async def body(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def found(pieces: Sequence[bytes]) -> list[object]:
    return [json.loads(event) async for together in events(body(*pieces)) for event in together]


async def test_events_are_the_same_wherever_the_stream_is_cut() -> None:
    for at in range(len(STREAM) + 1):
        assert await found([STREAM[:at], STREAM[at:]]) == EVENTS
    assert await found([bytes([byte]) for byte in STREAM]) == EVENTS


async def test_a_last_event_without_an_end_counts() -> None:
    assert await found([b'data: {"text": "a"}\n\ndata: {"te', b'xt": "b"}']) == [
        {"text": "a"},
        {"text": "b"},
    ]
    assert await found([b"data: 1\n\ndata: [DONE]"]) == [1]


async def test_a_connection_is_used_again_after_a_whole_answer(
    model_server: tuple[ModelServer, str],
) -> None:
    async with httpx2.AsyncClient() as http:
        opened: set[object] = set()

        async def note(response: httpx2.Response) -> None:
            opened.add(response.extensions["network_stream"].get_extra_info("client_addr"))

        http.event_hooks = {"response": [note]}
        for _ in range(3):
            said = [piece.text async for piece in asked(http, model_server[1])]
        assert "".join(said) == "Hello! Ask me about your videos."
        assert len(opened) == 1


def asked(http: httpx2.AsyncClient, url: str) -> AsyncIterator[AIMessageChunk]:
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
    return completion(http, f"{url}/chat/completions", headers={}, body=body)


@pytest.mark.parametrize("finish", ["stop", "length"])
async def test_how_an_answer_ends_and_what_it_cost_are_pieces_without_text(
    model_server: tuple[ModelServer, str], finish: str
) -> None:
    model_server[0].cached_tokens = 1
    model_server[0].script.append(Ends("Ten.", finish))
    async with httpx2.AsyncClient() as http:
        word, end, count = [piece async for piece in asked(http, model_server[1])]
    assert (word.text, word.usage_metadata) == ("Ten.", None)
    assert end.response_metadata == {"finish_reason": finish, "model_name": "m"}
    assert count.usage_metadata == {
        "input_tokens": 1,
        "output_tokens": 1,
        "total_tokens": 2,
        "input_token_details": {"cache_read": 1},
    }
    assert count.response_metadata["cost_usd"] == pytest.approx(2e-6)
