"""Searching, narrowing and ordering the library's list."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from api.video_list import words_of
from tests import make
from tests.conftest import App, local_user
from tests.ingestion.conftest import somebody_else
from tests.make import BREAD, OCEAN


async def titles(http: httpx.AsyncClient, **params: Any) -> list[str]:
    answer = await http.get("/api/videos", params=params)
    assert answer.status_code == 200, answer.text
    listed = answer.json()
    assert listed["total"] == len(listed["items"])
    return [video["title"] for video in listed["items"]]


async def add(app: App, title: str, **values: Any) -> None:
    await make.video(app.resources, await local_user(app.resources), title=title, **values)


@pytest.fixture
async def library(app: App) -> httpx.AsyncClient:
    """Three videos, added in this order."""
    await add(app, "The deep sea", channel="Water", texts={"en": OCEAN}, duration_ms=48_000)
    await add(
        app,
        "bread",
        channel="kitchen",
        texts={"en": BREAD, "pt-BR": ["O pão assa no forno."]},
        duration_ms=36_000,
        published_at=datetime(2024, 5, 1, tzinfo=UTC),
    )
    await add(app, "About sourdough", channel=None, status="failed")
    return app.http


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("sea", ["The deep sea"]),
        ("SOURDOUGH", ["About sourdough", "bread"]),
        ("kitch", ["bread"]),
        ("titanium", ["The deep sea"]),
        ("titanium water", ["The deep sea"]),
        ("bacteria yeast", ["bread"]),
        ("bacteria", ["bread", "The deep sea"]),
        ("titanium yeast", []),
        ('"whale falls"', ["The deep sea"]),
        ('"falls whale"', []),
        ("falls whale?", ["The deep sea"]),
        ("pão", ["bread"]),
        ("PÃO", ["bread"]),
        ("%", []),
        ("dee%sea", []),
        ("d_ep", []),
        ("' OR 1=1 --", []),
        ("\x00sea\x00", ["The deep sea"]),
        ("  ", ["About sourdough", "bread", "The deep sea"]),
        ("& | ! sea", ["The deep sea"]),
    ],
)
async def test_a_search_looks_in_titles_channels_and_what_is_said(
    library: httpx.AsyncClient, q: str, found: list[str]
) -> None:
    assert await titles(library, q=q) == found


async def test_a_title_that_says_it_comes_before_a_video_that_does(app: App) -> None:
    await add(app, "Anglerfish")
    await add(app, "Fish", texts={"en": ["The anglerfish glows."]})
    assert await titles(app.http, q="anglerfish") == ["Anglerfish", "Fish"]
    assert await titles(app.http, q="anglerfish", sort="title", order="desc") == [
        "Anglerfish",
        "Fish",
    ]


async def test_scripts_without_spaces_are_searched_by_their_characters(app: App) -> None:
    await add(app, "深海", texts={"zh": ["安康鱼在黑暗中等待小鱼靠近灯光。", "GPT模型很大。"]})
    await add(app, "海", texts={"ja": ["光合成はすごい"]})
    assert await titles(app.http, q="黑暗") == ["深海"]
    assert await titles(app.http, q="gpt模型") == ["深海"]
    assert await titles(app.http, q="光合成") == ["海"]
    assert await titles(app.http, q="黑暗 光合成") == []


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({}, ["About sourdough", "bread", "The deep sea"]),
        ({"order": "asc"}, ["The deep sea", "bread", "About sourdough"]),
        ({"sort": "title"}, ["About sourdough", "bread", "The deep sea"]),
        ({"sort": "title", "order": "desc"}, ["The deep sea", "bread", "About sourdough"]),
        ({"sort": "duration"}, ["bread", "The deep sea", "About sourdough"]),
        ({"sort": "duration", "order": "desc"}, ["The deep sea", "bread", "About sourdough"]),
        ({"sort": "channel"}, ["bread", "The deep sea", "About sourdough"]),
        ({"sort": "published"}, ["bread", "About sourdough", "The deep sea"]),
        ({"status": "ready"}, ["bread", "The deep sea"]),
        ({"status": "failed"}, ["About sourdough"]),
        ({"channel": "Water"}, ["The deep sea"]),
        ({"language": "en"}, ["bread", "The deep sea"]),
        ({"language": "pt"}, ["bread"]),
        ({"language": "pt-br"}, ["bread"]),
        ({"language": "p"}, []),
        ({"language": "en", "q": "bacteria", "channel": "kitchen"}, ["bread"]),
    ],
)
async def test_the_list_is_narrowed_and_ordered(
    library: httpx.AsyncClient, params: dict[str, str], found: list[str]
) -> None:
    assert await titles(library, **params) == found


async def test_pages_know_how_many_there_are(library: httpx.AsyncClient) -> None:
    for offset, count in ((0, 2), (2, 1), (3, 0)):
        params = {"limit": 2, "offset": offset}
        page = (await library.get("/api/videos", params=params)).json()
        assert (len(page["items"]), page["total"]) == (count, 3)


@pytest.mark.parametrize(
    ("params", "status", "error"),
    [
        ({"sort": "size"}, 422, "validation_failed"),
        ({"order": "up"}, 422, "validation_failed"),
        ({"status": "new"}, 422, "validation_failed"),
        ({"q": "x" * 201}, 422, "validation_failed"),
        ({"sort": "position"}, 400, "ordered_by_nothing"),
    ],
)
async def test_a_list_that_makes_no_sense_is_refused(
    client: httpx.AsyncClient, params: dict[str, str], status: int, error: str
) -> None:
    answer = await client.get("/api/videos", params=params)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


async def test_nothing_of_somebody_else_is_found(library: httpx.AsyncClient, app: App) -> None:
    other = await somebody_else(app.resources)
    video_id = await make.video(
        app.resources, other, title="Secret sea", channel="Water", texts={"en": [*OCEAN, "Xyzzy."]}
    )
    assert await titles(library, q="sea") == ["The deep sea"]
    assert await titles(library, q="xyzzy") == []
    assert await titles(library, channel="Water") == ["The deep sea"]
    assert (await library.get(f"/api/videos/{video_id}")).status_code == 404


def test_words_are_those_between_spaces_and_between_quotation_marks() -> None:
    assert words_of('the "deep sea", (again) the C++ -- 深海') == [
        "the", "deep sea", "again", "C++", "深海",
    ]  # fmt: skip
    assert words_of("++") == ["++"]
    assert words_of('"') == []
    assert len(words_of(" ".join(map(str, range(50))))) == 12
