"""What somebody sends who means harm: it is answered with a sentence, and harms nobody."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from websockets.asyncio.client import connect

from talker.embedded import ServerUrls
from tests import make
from tests.conftest import App
from tests.people import accounts_app, cookie_header, error_of, member

NUL, HALF, TURNED = "a\x00b", "a\ud800b", "a\u202egpj.exe\u2066b"
NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def app(embedded: ServerUrls, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[App]:
    async with accounts_app(embedded, tmp_path_factory.getbasetemp()) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def http(app: App) -> AsyncIterator[httpx.AsyncClient]:
    async with member(app, "hostile@example.org", admin=True) as client:
        yield client


BODIES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/api/conversations", {"title": "{bad}"}),
    ("POST", "/api/collections", {"name": "{bad}"}),
    ("POST", "/api/templates", {"name": "{bad}", "body": "{bad}", "description": "{bad}"}),
    ("POST", "/api/videos", {"url": "{bad}"}),
    ("POST", "/api/videos/price", {"urls": ["{bad}"]}),
    ("POST", "/api/conversations/{talk}/ask", {"content": "{bad}", "model": "{bad}"}),
    ("POST", "/api/conversations/{talk}/ask", {"content": "{bad}", "template": "{bad}"}),
    ("POST", "/api/conversations/{talk}/ask", {"content": "{bad}"}),
    ("POST", "/api/conversations/{talk}/ask", {"content": "x", "variables": {"{bad}": "{bad}"}}),
    ("POST", "/api/auth/register", {"email": "{bad}@example.org", "password": "{bad} is long"}),
    ("POST", "/api/auth/login", {"email": "{bad}@example.org", "password": "{bad} is long"}),
    ("POST", "/api/auth/forgot", {"email": "{bad}@example.org"}),
    ("POST", "/api/auth/reset", {"token": "{bad}", "password": "{bad} is long"}),
    ("POST", "/api/keys", {"name": "{bad}"}),
    ("POST", "/api/admin/invitations", {"email": "{bad}@example.org"}),
    ("POST", "/api/agent/invoke", {"input": {"messages": [{"type": "human", "content": "{bad}"}]}}),
    (
        "POST",
        "/api/agent/invoke",
        {
            "input": {"messages": [{"type": "human", "content": "hello"}]},
            "config": {"configurable": {"thread_id": "{bad}"}},
        },
    ),
    ("PUT", f"/api/messages/{NOWHERE}/feedback", {"rating": "up", "comment": "{bad}"}),
    ("POST", "/api/jobs/retry", {"{bad}": "{bad}"}),
]


@pytest.mark.parametrize("bad", [NUL, HALF, TURNED, "\x1b[2J"], ids=ascii)
@pytest.mark.parametrize(("method", "path", "body"), BODIES)
async def test_text_that_cannot_be_stored_is_refused_with_a_sentence_or_cleaned(
    http: httpx.AsyncClient, method: str, path: str, body: dict[str, Any], bad: str
) -> None:
    talk = await make.conversation(http) if "{talk}" in path else ""
    sent = json.dumps(body).replace("{bad}", json.dumps(bad)[1:-1]).encode()
    headers = {"Content-Type": "application/json"}
    answer = await http.request(method, path.replace("{talk}", talk), content=sent, headers=headers)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert set(answer.json()) == {"error", "detail"}


@pytest.mark.parametrize(
    "query",
    [
        "/api/videos?q=%00",
        "/api/videos?offset=99999999999999999999",
        "/api/search?q=a%00b",
        "/api/search?q=%ff%fe%ed%a0%80",
        "/api/conversations?q=%00%25_",
        "/api/admin/users?q=%00&offset=2147483647",
        "/api/jobs?batch_id=%00",
        "/api/videos/%00",
        f"/api/videos/{NOWHERE}/transcript?language=%00",
        f"/api/videos/{NOWHERE}/summary?language=a%00",
        "/api/templates/a%00b",
    ],
)
async def test_a_query_that_no_table_can_be_asked_is_no_fault_of_ours(
    http: httpx.AsyncClient, query: str
) -> None:
    answer = await http.get(query)
    assert answer.status_code < 500, answer.text


async def test_names_are_shown_as_they_are_written(http: httpx.AsyncClient) -> None:
    talk = await http.post("/api/conversations", json={"title": f"\x07 {TURNED}\n\t name"})
    assert talk.json()["title"] == "agpj.exeb name"
    made = await http.post("/api/collections", json={"name": TURNED})
    assert made.json()["name"] == "agpj.exeb"
    lines = ["It was \u202edelrows\u202c deep.", "A plain line."]
    file = make.captions(lines, title=TURNED, channel=f"{TURNED}\x01")
    uploaded = await http.post(
        "/api/videos/upload", files={"file": (f"{TURNED}.json", file)}, data={"title": ""}
    )
    video_id = uploaded.json()["items"][0]["video_id"]
    await make.until_ready(http, video_id)
    video = (await http.get(f"/api/videos/{video_id}")).json()
    assert (video["title"], video["channel"]) == ("agpj.exeb", "agpj.exeb")
    named = await http.post(
        "/api/videos/upload",
        files={"file": ("x.json", make.captions(make.BREAD))},
        data={"title": NUL + TURNED},
    )
    assert named.json()["items"][0]["title"] == "a bagpj.exeb"
    said = (await http.get(f"/api/videos/{video_id}/transcript")).json()["segments"]
    assert said[0]["text"] == "It was delrows\u202c deep."


def nested(depth: int) -> bytes:
    return b'{"segments":' + b"[" * depth + b"]" * depth + b"}"


FILES = {
    "deep.json": nested(900_000),
    "objects.json": b'{"segments":[' + b"{}," * 6_000_000 + b"{}]}",
    "numbers.json": b'{"segments":[' + b"0," * 9_000_000 + b"0]}",
    "wrong.json": b'{"segments":[' + b"{}," * 900_000 + b"{}]}",
    "endless.json": b'{"segments":[{"start_s":1e999,"duration_s":1,"text":"x"}]}',
    "nan.json": b'{"segments":[{"start_s":NaN,"duration_s":1,"text":"x"}]}',
    "huge.json": b'{"segments":[{"start_s":1' + b"0" * 5_000 + b',"duration_s":1,"text":"x"}]}',
    "lines.srt": b"\n" * 10_000_000,
    "lines.vtt": b"WEBVTT\n" + b"\r\n" * 9_000_000,
    "lines.txt": b"\r" * 10_000_000,
    "late.srt": b"1\n9999:59:59,999 --> 9999:59:59,999\nx\n",
    "nul.srt": b"1\n00:00:01,000 --> 00:00:02,000\na\x00b\n",
    "times.vtt": b"WEBVTT\n\n" + b"00:" * 3_000_000 + b"00 --> 1",
    "arrow.txt": b"[" + b"0" * 9_000_000,
    "tags.srt": b"1\n00:00:01,000 --> 00:00:02,000\n" + b"<c." * 3_000_000,
    "entities.vtt": b"WEBVTT\n\n00:01.000 --> 00:02.000\n" + b"&amp;" * 2_000_000 + b"&#x110000;",
    "bomb.zip": b"PK\x03\x04" + b"\x00" * 1_000,
    "packed.json": b"\x1f\x8b\x08\x00" + b"\x00" * 1_000,
}


@pytest.mark.parametrize("name", FILES)
async def test_a_file_made_to_hurt_is_refused_soon(
    app: App, http: httpx.AsyncClient, name: str
) -> None:
    began = time.perf_counter()
    answer = await http.post("/api/videos/upload", files={"file": (name, FILES[name])})
    assert answer.status_code in (400, 413, 415), answer.text
    assert set(answer.json()) == {"error", "detail"}
    assert len(answer.text) < 1_000
    assert time.perf_counter() - began < 20
    assert (await app.http.get("/api/health")).status_code == 200


async def test_no_address_that_a_person_gives_is_ever_asked(
    http: httpx.AsyncClient,
) -> None:
    asked: list[bytes] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(1_000))
        writer.close()

    server = await asyncio.start_server(note, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    here = f"127.0.0.1:{port}"
    links = [
        f"http://{here}/watch?v=dQw4w9WgXcQ",
        f"http://{here}/",
        f"http://youtube.com@{here}/watch?v=dQw4w9WgXcQ",
        f"http://{here}/youtube.com/watch?v=dQw4w9WgXcQ",
        f"http://{here}#youtube.com/watch?v=dQw4w9WgXcQ",
        f"https://www.youtube.com:{port}/watch?v=dQw4w9WgXcQ",
        f"http://www.youtube.com.127.0.0.1.nip.io:{port}/playlist?list=PL12345678901",
        f"//{here}/@channel",
        "file:///etc/passwd",
        "http://169.254.169.254/latest/meta-data/",
        "gopher://127.0.0.1:6379/_",
    ]
    async with server:
        for link in links:
            for path in ("/api/videos/price", "/api/videos"):
                [item] = (await http.post(path, json={"url": link})).json()["items"]
                if item["failure"] is None:
                    continue
                assert item["failure"]["reason"] == "not_a_video"
            file = {"file": ("talk.json", make.captions(make.BREAD, title=link))}
            await http.post("/api/videos/upload", files=file, data={"url": link})
        talk = await make.conversation(http)
        await make.ask(http, talk, f"Add http://{here}/watch?v=dQw4w9WgXcQ to my library")
        await asyncio.sleep(1)
    assert asked == []


async def test_a_socket_lives_through_whatever_it_is_sent(
    app: App, http: httpx.AsyncClient
) -> None:
    talk = await make.conversation(http)
    url = f"{app.url.replace('http', 'ws')}/api/chat/{talk}"
    frames = [
        "",
        "\x00",
        "[" * 100_000,
        '{"type":"ask","content":"a\\u0000b","template":"\\u0000"}',
        '{"type":"ask","content":"\\ud800"}',
        '{"type":"resume","run_id":"' + NOWHERE + '","after":99999999999999999999}',
        '{"type":"resume","run_id":"' + NOWHERE + '","after":1e400}',
        '{"type":"confirm","accept":"yes please"}',
        '{"type":"edit","message_id":"' + NOWHERE + '","content":"x"}',
        '{"type":"ask","content":"' + "x" * 900_000 + '"}',
    ]
    async with connect(url, additional_headers=cookie_header(http)) as own:
        for frame in frames:
            await own.send(frame)
            async with asyncio.timeout(20):
                event = json.loads(await own.recv())
            assert event["type"] == "error", frame[:80]
            assert event["error"] != "internal_error"
        await own.send(json.dumps({"type": "ask", "content": "How deep was it?"}))
        assert json.loads(await own.recv())["type"] == "started"


async def test_what_is_wrong_is_not_repeated_at_length(http: httpx.AsyncClient) -> None:
    talk = await make.conversation(http)
    long = "x" * 1_000_000
    for body in ({"content": "hello", "model": long}, {"content": "hello", long: 1}):
        answer = await http.post(f"/api/conversations/{talk}/ask", json=body)
        assert error_of(answer)[0] in (400, 422)
        assert len(answer.text) < 1_000
