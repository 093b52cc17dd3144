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
