"""The library over HTTP."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from tests import make
from tests.conftest import App, local_user
from tests.make import BREAD, OCEAN, captions, until_ready, upload

ID = "dQw4w9WgXcQ"
UNKNOWN = "00000000-0000-0000-0000-000000000000"
SRT = b"1\n00:00:01,500 --> 00:00:04,000\nPlants look green.\n"


async def post_file(
    client: httpx.AsyncClient, content: bytes, name: str, **fields: str
) -> httpx.Response:
    return await client.post("/api/videos/upload", files={"file": (name, content)}, data=fields)


async def test_an_empty_library_is_an_empty_list(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/videos")
    assert answer.json() == {"items": [], "total": 0}


async def test_an_uploaded_file_becomes_a_video_with_its_transcript(
    client: httpx.AsyncClient,
) -> None:
    answer = await post_file(
        client, SRT, "leaves.srt", title="Leaves", url=f"https://youtu.be/{ID}?t=3", language="en"
    )
    assert answer.status_code == 202
    [item] = answer.json()["items"]
    assert (item["status"], item["failure"]) == ("queued", None)
    await until_ready(client, item["video_id"])
    video = (await client.get(f"/api/videos/{item['video_id']}")).json()
    assert video.pop("added_at").endswith("Z")
    assert video == {
        "id": item["video_id"],
        "youtube_id": ID,
        "url": f"https://www.youtube.com/watch?v={ID}",
        "title": "Leaves",
        "channel": None,
        "language": "en",
        "duration_s": 4.0,
        "published_at": None,
        "status": "ready",
        "failure": None,
        "chapters": [],
        "languages": [{"language": "en", "kind": "uploaded"}],
        "available": [],
        "collection_ids": [],
    }
    transcript = await client.get(f"/api/videos/{item['video_id']}/transcript")
    assert transcript.json() == {
        "language": "en",
        "kind": "uploaded",
        "languages": [{"language": "en", "kind": "uploaded"}],
        "segments": [{"start_s": 1.5, "duration_s": 2.5, "text": "Plants look green."}],
    }


async def test_a_file_that_names_no_video_has_no_url(client: httpx.AsyncClient) -> None:
    [item] = (await post_file(client, SRT, "leaves.srt")).json()["items"]
    video = (await client.get(f"/api/videos/{item['video_id']}")).json()
    assert (video["youtube_id"], video["url"], video["title"]) == (None, None, "leaves")


async def test_the_sample_is_ready_after_one_click(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/videos/sample")
    assert answer.status_code == 202
    [item] = answer.json()["items"]
    await until_ready(client, item["video_id"])
    again = (await client.post("/api/videos/sample")).json()["items"][0]
    assert again == {**item, "job_id": None, "status": "ready"}


async def test_the_library_lists_what_was_added_last_first(client: httpx.AsyncClient) -> None:
    for number, lines in enumerate((OCEAN, BREAD, OCEAN[:3])):
        await client.post(
            "/api/videos/upload",
            files={"file": ("x.json", captions(lines, title=f"Talk {number}"))},
        )
    everything = (await client.get("/api/videos")).json()
    assert [video["title"] for video in everything["items"]] == ["Talk 2", "Talk 1", "Talk 0"]
    page = (await client.get("/api/videos", params={"limit": 1, "offset": 1})).json()
    assert ([video["title"] for video in page["items"]], page["total"]) == (["Talk 1"], 3)
    assert (await client.get("/api/videos", params={"limit": 501})).status_code == 422


async def test_links_are_answered_one_by_one(client: httpx.AsyncClient) -> None:
    mix = "https://www.youtube.com/playlist?list=RDdQw4w9WgXcQ"
    sources = [f"https://youtu.be/{ID}", mix, "nonsense"]
    answer = await client.post("/api/videos", json={"urls": sources, "language": "pl,en"})
    assert answer.status_code == 202
    items = answer.json()["items"]
    assert [item["source"] for item in items] == sources
    assert [item["status"] for item in items] == ["queued", "failed", "failed"]
    assert items[0]["video_id"]
    assert items[0]["job_id"]
    assert items[1]["video_id"] is None
    assert items[1]["failure"]["reason"] == "not_a_video"
    assert "mix" in items[1]["failure"]["detail"]
    assert items[1]["failure"]["next_step"]
    assert (await client.get("/api/videos")).json()["total"] == 1


async def test_one_known_link_is_ready_at_once(client: httpx.AsyncClient) -> None:
    video_id = await upload(client, captions(OCEAN, youtube_id=ID))
    answer = await client.post("/api/videos", json={"url": ID})
    [item] = answer.json()["items"]
    assert (item["source"], item["video_id"], item["title"]) == (ID, str(video_id), "A talk")
    assert (item["status"], item["job_id"], item["failure"]) == ("ready", None, None)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": ID, "urls": [ID]},
        {"urls": []},
        {"url": ""},
        {"url": ID, "language": "English please"},
        {"url": ID, "colection_id": 1},
        {"urls": [ID] * 1001},
    ],
)
async def test_a_request_that_makes_no_sense_is_422(
    client: httpx.AsyncClient, body: dict[str, object]
) -> None:
    answer = await client.post("/api/videos", json=body)
    assert answer.status_code == 422
    assert set(answer.json()) == {"error", "detail"}


@pytest.mark.parametrize(
    ("name", "content", "status", "error"),
    [
        ("talk.mp4", b"\x00" * 100, 415, "wrong_kind_of_file"),
        ("talk.srt", b"", 400, "bad_file"),
        ("talk.srt", b"\x00\xff\x00\xff", 400, "bad_file"),
        ("talk.vtt", SRT, 400, "bad_file"),
        ("talk.json", b'{"segments": [1]}', 400, "bad_file"),
        ("talk.json", json.dumps({"video_id": "x", "segments": []}).encode(), 400, "bad_file"),
    ],
)
async def test_a_file_that_cannot_be_read_is_refused_and_leaves_nothing(
    client: httpx.AsyncClient, name: str, content: bytes, status: int, error: str
) -> None:
    answer = await post_file(client, content, name)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert len(answer.json()["detail"]) > 20
    assert (await client.get("/api/videos")).json()["total"] == 0
    assert (await client.get("/api/jobs")).json()["total"] == 0


async def test_a_link_beside_a_file_must_be_a_videos(client: httpx.AsyncClient) -> None:
    answer = await post_file(client, SRT, "talk.srt", url="https://vimeo.com/1")
    assert (answer.status_code, answer.json()["error"]) == (400, "not_a_video")


async def test_an_upload_that_is_too_large_is_refused_before_it_is_read(app: App) -> None:
    fifty_mb = b"a" * 50_000_000
    answer = await app.http.post("/api/videos/upload", files={"file": ("talk.srt", fifty_mb)})
    assert (answer.status_code, answer.json()["error"]) == (413, "upload_too_large")
    assert "20 MB" in answer.json()["detail"]
    assert await chunked(app) == 413
    good = await post_file(app.http, SRT, "talk.srt")
    assert good.status_code == 202


async def chunked(app: App) -> int:
    """The status for a body that does not say beforehand how large it is."""
    boundary = "x"

    async def body() -> AsyncIterator[bytes]:
        yield (
            f"--{boundary}\r\nContent-Disposition: form-data; name=file; filename=talk.srt\r\n\r\n"
        ).encode()
        for _ in range(30):
            yield b"a" * 1_000_000
        yield f"\r\n--{boundary}--\r\n".encode()

    headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
    answer = await app.http.post("/api/videos/upload", content=body(), headers=headers)
    return answer.status_code


async def test_a_removed_video_is_gone(client: httpx.AsyncClient) -> None:
    video_id = await upload(client, captions(OCEAN))
    assert (await client.delete(f"/api/videos/{video_id}")).status_code == 204
    for path in ("", "/transcript"):
        answer = await client.get(f"/api/videos/{video_id}{path}")
        assert (answer.status_code, answer.json()["error"]) == (404, "video_not_found")
    assert (await client.delete(f"/api/videos/{video_id}")).status_code == 404
    found = await client.get("/api/search", params={"q": "anglerfish"})
    assert found.json()["passages"] == []


async def test_a_video_without_a_transcript_yet_says_so(client: httpx.AsyncClient) -> None:
    added = (await client.post("/api/videos", json={"url": ID})).json()["items"][0]
    answer = await client.get(f"/api/videos/{added['video_id']}/transcript")
    assert answer.status_code == 404
    assert "no transcript yet" in answer.json()["detail"]


async def test_videos_that_are_not_there_are_404(client: httpx.AsyncClient) -> None:
    assert (await client.get(f"/api/videos/{UNKNOWN}")).status_code == 404
    assert (await client.delete(f"/api/videos/{UNKNOWN}")).status_code == 404
    assert (await client.get("/api/videos/nonsense")).status_code == 422


async def test_a_video_says_its_chapters_and_its_languages(app: App) -> None:
    user = await local_user(app.resources)
    video_id = await make.video(
        app.resources,
        user,
        texts={"en-US": OCEAN, "de": BREAD},
        chapters=[{"start_ms": 0, "title": "Hello"}, {"start_ms": 61_500, "title": "Light"}],
        available=[
            {"language": "de", "kind": "automatic"},
            {"language": "pl", "kind": "automatic"},
            {"language": "fr", "kind": None},
        ],
    )
    video = (await app.http.get(f"/api/videos/{video_id}")).json()
    assert video["chapters"] == [
        {"start_s": 0.0, "title": "Hello"},
        {"start_s": 61.5, "title": "Light"},
    ]
    languages = [{"language": "en-US", "kind": "manual"}, {"language": "de", "kind": "manual"}]
    assert video["languages"] == languages
    assert video["available"] == [
        {"language": "pl", "kind": "automatic"},
        {"language": "fr", "kind": None},
    ]
    assert (await app.http.get("/api/videos")).json()["items"] == [video]
    path = f"/api/videos/{video_id}/transcript"
    first = (await app.http.get(path)).json()
    assert (first["language"], first["languages"]) == ("en-US", languages)
    german = (await app.http.get(path, params={"language": "de"})).json()
    assert [segment["text"] for segment in german["segments"]] == BREAD
    missing = await app.http.get(path, params={"language": "pl"})
    assert missing.status_code == 404
    assert "there is: en-US, de" in missing.json()["detail"]
