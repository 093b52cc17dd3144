from typing import Any
from uuid import uuid4

from api import finding
from tests import make
from tests.conftest import App


async def test_conversations_are_listed_the_last_used_first(app: App) -> None:
    first = await make.conversation(app.http, title="First")
    second = await make.conversation(app.http, title="Second")
    await make.ask(app.http, first, "hello")
    listed = (await app.http.get("/api/conversations")).json()
    assert listed["total"] == 2
    assert [item["id"] for item in listed["items"]] == [first, second]


async def test_a_conversation_is_named_after_its_first_question(app: App) -> None:
    talk = await make.conversation(app.http)
    question = "What does the speaker say about " + "very " * 20 + "long questions?"
    events = await make.ask(app.http, talk, question)
    title = make.only(events, "title")["title"]
    assert len(title) <= 70
    assert title.endswith("…")
    assert (await app.http.get(f"/api/conversations/{talk}")).json()["title"] == title


async def test_a_name_that_a_person_gave_is_kept(app: App) -> None:
    talk = await make.conversation(app.http)
    await app.http.patch(f"/api/conversations/{talk}", json={"title": "Mine"})
    events = await make.ask(app.http, talk, "hello")
    assert not [event for event in events if event["type"] == "title"]
    assert (await app.http.get(f"/api/conversations/{talk}")).json()["title"] == "Mine"


async def test_messages_come_in_order_with_their_citations(app: App) -> None:
    await make.upload(app.http, make.captions(make.OCEAN))
    talk = await make.conversation(app.http)
    events = await make.ask(app.http, talk, "How deep did the deepest dive go?")
    listed = (await app.http.get(f"/api/conversations/{talk}/messages")).json()
    assert [item["role"] for item in listed["items"]] == ["user", "assistant"]
    message = make.only(events, "message")
    stored = listed["items"][1]
    for key in ("id", "content", "citations", "intent", "model", "usage"):
        assert stored[key] == message[key], key


async def test_search_looks_in_titles_and_in_what_was_said(app: App) -> None:
    talk = await make.conversation(app.http, title="Monday")
    await make.conversation(app.http, title="Tuesday")
    await make.ask(app.http, talk, "thank you")
    for words in ("monday", "THANK"):
        found = (await app.http.get("/api/conversations", params={"q": words})).json()
        assert [item["id"] for item in found["items"]] == [talk], words
    assert (await app.http.get("/api/conversations", params={"q": "100%"})).json()["total"] == 0


async def test_search_says_where_the_words_were_found(app: App) -> None:
    http = app.http
    talk = await make.conversation(http, title="Thank you notes")
    question = "What did the keeper say about the LAMP " + "and the very long night " * 5 + "then?"
    await make.ask(http, talk, question)
    listed = (await http.get("/api/conversations", params={"q": "the lamp and"})).json()
    [message, *_] = (await http.get(f"/api/conversations/{talk}/messages")).json()["items"]
    found = listed["items"][0]["found"]
    assert found["message_id"] == message["id"]
    assert (found["before"], found["words"]) == ("What did the keeper say about ", "the LAMP and")
    assert found["after"].startswith(" the very long night and")
    assert found["after"].endswith(" and the very…")
    for words in ("thank you", ""):
        listed = (await http.get("/api/conversations", params={"q": words})).json()
        assert [item["found"] for item in listed["items"]] == [None], words


def test_where_words_were_found_is_told_without_the_signs_that_nobody_sees() -> None:
    found = finding.place(
        uuid4(), "# Light\n\n- **Mirrors** dim [1].\n- Lenses [2, 3] do not", "dim"
    )
    assert (found.before, found.words, found.after) == ("Light Mirrors ", "dim", ". Lenses do not")
    found = finding.place(uuid4(), "光" * 90 + "灯" + "塔" * 90, "灯")
    assert (found.before, found.after) == ("…" + "光" * 60, "塔" * 60 + "…")


async def test_a_deleted_conversation_leaves_no_message_and_no_memory(app: App) -> None:
    talk = await make.conversation(app.http)
    await make.ask(app.http, talk, "hello")
    assert (await app.http.delete(f"/api/conversations/{talk}")).status_code == 204
    assert (await app.http.get(f"/api/conversations/{talk}")).status_code == 404
    async with app.resources.pool.connection() as connection:
        for table in ("checkpoints", "checkpoint_blobs", "checkpoint_writes"):
            rows = await (await connection.execute(f"SELECT count(*) AS n FROM {table}")).fetchone()
            assert rows == {"n": 0}, table


async def test_an_exported_conversation_has_links_to_the_second(app: App) -> None:
    await make.upload(app.http, make.captions(make.OCEAN, youtube_id="dQw4w9WgXcQ"))
    talk = await make.conversation(app.http)
    await make.ask(app.http, talk, "How deep did the deepest dive go?")
    text = (await app.http.get(f"/api/conversations/{talk}/export")).text
    assert text.startswith("# How deep did the deepest dive go?")
    assert "<https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=" in text
    whole = (await app.http.get(f"/api/conversations/{talk}/export?format=json")).json()
    assert len(whole["messages"]) == 2


async def test_a_conversation_about_a_video_that_is_not_ones_own_is_refused(app: App) -> None:
    body = {"video_ids": ["00000000-0000-0000-0000-000000000000"]}
    answer = await app.http.post("/api/conversations", json=body)
    assert (answer.status_code, answer.json()["error"]) == (404, "video_not_found")


async def test_a_conversation_about_a_collection_is_about_what_is_in_it_now(app: App) -> None:
    ocean = await make.upload(app.http, make.captions(make.OCEAN))
    bread = await make.upload(app.http, make.captions(make.BREAD), "bread.json")
    kitchen = await make.collection(app.http, "Kitchen", bread)
    talk = await make.conversation(app.http, collection_id=kitchen)
    stored = (await app.http.get(f"/api/conversations/{talk}")).json()
    assert (stored["collection_id"], stored["video_ids"]) == (kitchen, None)
    events = await make.ask(app.http, talk, "How often do I feed the starter?")
    assert cited(events) == {str(bread)}
    question = "How deep did the deepest dive go?"
    assert str(ocean) not in cited(await make.ask(app.http, talk, question))
    body = {"video_ids": [str(ocean)]}
    await app.http.post(f"/api/collections/{kitchen}/videos", json=body)
    assert str(ocean) in cited(await make.ask(app.http, talk, question))


async def test_one_question_can_be_about_a_collection(app: App) -> None:
    ocean = await make.upload(app.http, make.captions(make.OCEAN))
    bread = await make.upload(app.http, make.captions(make.BREAD), "bread.json")
    kitchen, sea = [
        await make.collection(app.http, name, video)
        for name, video in (("Kitchen", bread), ("Sea", ocean))
    ]
    talk = await make.conversation(app.http, collection_id=kitchen)
    question = "How deep did the deepest dive go?"
    assert cited(await make.ask(app.http, talk, question, collection_id=sea)) == {str(ocean)}
    about = {"video_ids": [str(ocean)]}
    assert cited(await make.ask(app.http, talk, question, **about)) == {str(ocean)}
    assert str(ocean) not in cited(await make.ask(app.http, talk, question))


async def test_an_empty_collection_finds_nothing_and_says_so(app: App) -> None:
    await make.upload(app.http, make.captions(make.OCEAN))
    empty = await make.collection(app.http, "Empty")
    talk = await make.conversation(app.http, collection_id=empty)
    for question in ("How deep did the deepest dive go?", "list my videos"):
        message = make.only(await make.ask(app.http, talk, question), "message")
        assert message["citations"] == []
        assert "no video in what you ask about" in message["content"]
    await app.http.delete(f"/api/collections/{empty}")
    message = make.only(await make.ask(app.http, talk, "How deep was the dive?"), "message")
    assert "no video in what you ask about" in message["content"]


async def test_a_scope_is_either_videos_or_a_collection(app: App) -> None:
    video = await make.upload(app.http, make.captions(make.OCEAN))
    both = {
        "collection_id": await make.collection(app.http, "Talks"),
        "video_ids": [str(video)],
    }
    talk = await make.conversation(app.http)
    ask = f"/api/conversations/{talk}/ask"
    for path, body in (("/api/conversations", both), (ask, {"content": "What?", **both})):
        answer = await app.http.post(path, json=body)
        assert (answer.status_code, answer.json()["error"]) == (400, "two_scopes")


def cited(events: list[dict[str, Any]]) -> set[str]:
    """The videos that an answer cites."""
    return {citation["video_id"] for citation in make.only(events, "message")["citations"]}
