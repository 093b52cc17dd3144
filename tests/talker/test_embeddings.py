import asyncio
import math
import os
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from talker.embeddings import (
    LOCAL_MODEL,
    LocalEmbeddings,
    OpenEmbeddings,
    embedding_model_name,
    open_embeddings,
)
from talker.errors import (
    ModelBusy,
    ModelError,
    ModelOutOfCredit,
    ModelTimedOut,
    ModelUnauthorised,
    ModelUnavailable,
)
from talker.settings import Settings
from tests.model_server import DIMENSIONS, Failure, ModelServer
from tests.servers import serving

PASSAGE = "Each attention block of this model has ninety-six heads that run in parallel. " * 4


@pytest.fixture(scope="module")
def local() -> LocalEmbeddings:
    return LocalEmbeddings()


@dataclass
class Remote:
    server: ModelServer
    embeddings: OpenEmbeddings


@pytest.fixture
async def remote() -> AsyncIterator[Remote]:
    server = ModelServer()
    async with serving(server.app()) as url:
        embeddings = open_embeddings(remote_settings(f"{url}/v1"))
        yield Remote(server, embeddings)
        await embeddings.aclose()


def remote_settings(url: str, **changes: object) -> Settings:
    values = {
        "openrouter_base_url": url,
        "openrouter_api_key": "key",
        "embedding_model": "openai/text-embedding-3-small",
        "model_timeout_s": 5,
    }
    return Settings(_env_file=None, **{**values, **changes})  # type: ignore[arg-type]


def cosine(left: list[float], right: list[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


async def test_a_question_is_nearest_to_the_passage_that_answers_it(local: LocalEmbeddings) -> None:
    question = await local.aembed_query("how many attention heads are in each block")
    answer, other = await local.aembed_documents([PASSAGE, "The bread rests for twelve hours."])
    assert cosine(question, answer) > cosine(question, other) + 0.03


def test_vectors_have_unit_length(local: LocalEmbeddings) -> None:
    vector = local.embed_query("a question")
    assert len(vector) == 384
    assert math.hypot(*vector) == pytest.approx(1, abs=1e-3)


def test_languages_share_one_space(local: LocalEmbeddings) -> None:
    question = local.embed_query("how long does the dough rest")
    answer, other = local.embed_documents(
        ["Ciasto odpoczywa w lodówce przez dwanaście godzin.", "Most drżał pod stopami tłumu."]
    )
    assert cosine(question, answer) > cosine(question, other)


async def test_a_question_does_not_wait_behind_a_batch(local: LocalEmbeddings) -> None:
    began = time.perf_counter()
    batch = asyncio.create_task(local.aembed_documents([f"{n} {PASSAGE}" for n in range(24)]))
    await asyncio.sleep(0)
    await local.aembed_query("a question")
    asked_s = time.perf_counter() - began
    await batch
    assert asked_s < (time.perf_counter() - began) / 3


def test_threads_get_the_vectors_of_their_own_texts(local: LocalEmbeddings) -> None:
    texts = [f"passage number {n}" for n in range(8)]
    alone = local.embed_documents(texts)
    found: dict[str, list[float]] = {}

    def embed(text: str) -> None:
        [found[text]] = local.embed_documents([text])

    threads = [threading.Thread(target=embed, args=[text]) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[text] for text in texts] == alone


def test_text_after_a_nul_counts_too(local: LocalEmbeddings) -> None:
    assert local.embed_query("light\0glass") == local.embed_query("light glass")


async def test_a_remote_model_gets_texts_and_its_name(remote: Remote) -> None:
    vectors = await remote.embeddings.aembed_documents(["one", "two"])
    assert [len(vector) for vector in vectors] == [DIMENSIONS, DIMENSIONS]
    [request] = remote.server.requests
    assert request["model"] == "openai/text-embedding-3-small"
    assert request["input"] == ["one", "two"]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, ModelUnauthorised),
        (402, ModelOutOfCredit),
        (408, ModelTimedOut),
        (429, ModelBusy),
        (503, ModelUnavailable),
        (529, ModelUnavailable),
    ],
)
async def test_a_remote_model_s_failures_are_told_apart(
    remote: Remote, status: int, expected: type[ModelError]
) -> None:
    remote.server.script.append(Failure(status, headers={"retry-after": "0"}))
    with pytest.raises(expected):
        await remote.embeddings.aembed_query("a question")


async def test_a_remote_model_that_is_away_is_unavailable() -> None:
    embeddings = open_embeddings(remote_settings("http://127.0.0.1:9/v1"))
    with pytest.raises(ModelUnavailable):
        await asyncio.to_thread(embeddings.embed_documents, ["one"])
    await embeddings.aclose()


async def test_a_closed_model_ends_its_thread_after_what_was_asked_for() -> None:
    before = threading.active_count()
    embeddings = LocalEmbeddings()
    batch = asyncio.create_task(embeddings.aembed_documents(["one", "two"]))
    await asyncio.sleep(0)
    await embeddings.aclose()
    assert len(await batch) == 2
    async with asyncio.timeout(30):
        while threading.active_count() > before:
            await asyncio.sleep(0.01)


def test_an_index_knows_which_model_filled_it() -> None:
    assert embedding_model_name(Settings(_env_file=None)) == LOCAL_MODEL
    remote = remote_settings("http://127.0.0.1:9/v1")
    assert embedding_model_name(remote) == "openai/text-embedding-3-small"


def test_a_text_that_cannot_be_embedded_fails_alone(local: LocalEmbeddings) -> None:
    for _ in range(os.cpu_count() or 1):  # as many as there are threads that it could end
        with pytest.raises(UnicodeEncodeError):
            local.embed_query("a\ud800b")
    assert len(local.embed_query("a lamp in the dark")) == 384
