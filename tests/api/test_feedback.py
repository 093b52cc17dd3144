from uuid import uuid4

from sqlalchemy import update

from talker.models import Conversation
from tests import make
from tests.conftest import App
from tests.ingestion.conftest import somebody_else


async def test_an_answer_keeps_the_last_rating_and_its_word(app: App) -> None:
    talk = await make.conversation(app.http)
    answer = make.only(await make.ask(app.http, talk, "hello"), "message")["id"]
    url = f"/api/messages/{answer}/feedback"

    first = await app.http.put(url, json={"rating": "up"})
    assert (first.status_code, first.json()["comment"]) == (200, None)
    second = await app.http.post(url, json={"rating": "down", "comment": " too short "})
    assert second.json()["rating"] == "down"
    assert second.json()["comment"] == "too short"
    assert second.json()["created_at"] == first.json()["created_at"]

    messages = f"/api/conversations/{talk}/messages"
    question, rated = (await app.http.get(messages)).json()["items"]
    assert (question["feedback"], rated["feedback"]) == (None, second.json())
    assert (await app.http.delete(url)).status_code == 204
    assert (await app.http.get(messages)).json()["items"][1]["feedback"] is None


async def test_only_ones_own_finished_answers_can_be_rated(app: App) -> None:
    talk = await make.conversation(app.http)
    await make.ask(app.http, talk, "hello")
    messages = (await app.http.get(f"/api/conversations/{talk}/messages")).json()["items"]
    question, answer = (f"/api/messages/{message['id']}/feedback" for message in messages)

    refused = await app.http.put(question, json={"rating": "up"})
    assert (refused.status_code, refused.json()["error"]) == (400, "nothing_to_rate")
    for bad in ({"rating": "meh"}, {}, {"rating": "up", "comment": "x" * 2001}):
        assert (await app.http.put(answer, json=bad)).status_code == 422, bad

    other = await somebody_else(app.resources)
    async with app.resources.sessions.begin() as session:
        await session.execute(update(Conversation).values(user_id=other.id))
    for url in (answer, f"/api/messages/{uuid4()}/feedback"):
        for answered in (
            await app.http.put(url, json={"rating": "up"}),
            await app.http.delete(url),
        ):
            assert (answered.status_code, answered.json()["error"]) == (404, "message_not_found")
