from typing import Any
from uuid import uuid4

import httpx
import pytest

from talker import templates
from tests import make
from tests.conftest import App
from tests.ingestion.conftest import somebody_else

BUILT_IN = ["linkedin", "blog", "x_thread", "newsletter"]
TIPS = {
    "name": "Tips",
    "description": "Three short tips",
    "body": "Three tips for {{audience}} about {{ topic }}, and a word to {{audience}}.",
    "place": "linkedin",
}


async def new_template(http: httpx.AsyncClient, **values: Any) -> dict[str, Any]:
    answer = await http.post("/api/templates", json={**TIPS, **values})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def ask(http: httpx.AsyncClient, **values: Any) -> httpx.Response:
    talk = await make.conversation(http)
    url = f"/api/conversations/{talk}/ask"
    return await http.post(url, json={"content": "About the deep sea", **values})


async def theirs(app: App) -> str:
    other = await somebody_else(app.resources)
    async with app.resources.sessions.begin() as session:
        made = await templates.create(
            session, other, name="Secret", description="", body="Whisper.", place=None
        )
    return str(made.id)


async def test_a_template_is_kept_with_the_variables_that_it_uses(
    client: httpx.AsyncClient,
) -> None:
    made = await new_template(client)
    assert made.pop("created_at") <= made.pop("updated_at")
    assert made == {
        **TIPS,
        "id": made["id"],
        "variables": ["audience", "topic"],
        "builtin": False,
    }
    for reference in (made["id"], "Tips"):
        stored = (await client.get(f"/api/templates/{reference}")).json()
        assert (stored["id"], stored["body"]) == (made["id"], TIPS["body"])


async def test_the_built_in_templates_come_first_and_then_ones_own_by_name(
    client: httpx.AsyncClient,
) -> None:
    for name in ("zebra", "Ant"):
        await new_template(client, name=name)
    listed = (await client.get("/api/templates")).json()
    assert [item["name"] for item in listed["items"]] == [*BUILT_IN, "Ant", "zebra"]
    assert [item["builtin"] for item in listed["items"]] == [True] * 4 + [False] * 2
    assert listed["total"] == 6
    page = (await client.get("/api/templates", params={"limit": 2, "offset": 3})).json()
    assert ([item["name"] for item in page["items"]], page["total"]) == (["newsletter", "Ant"], 6)
    linkedin = (await client.get("/api/templates/linkedin")).json()
    assert (linkedin["id"], linkedin["body"], linkedin["place"]) == ("linkedin", None, "linkedin")


async def test_a_template_is_changed_in_the_parts_that_are_sent(client: httpx.AsyncClient) -> None:
    made = await new_template(client)
    path = f"/api/templates/{made['id']}"
    changed = (await client.patch(path, json={"body": "For {{team}}."})).json()
    assert (changed["variables"], changed["name"], changed["place"]) == (
        ["team"],
        "Tips",
        "linkedin",
    )
    assert changed["updated_at"] > made["updated_at"]
    freed = (await client.patch(path, json={"place": None, "name": "Free"})).json()
    assert (freed["place"], freed["name"], freed["body"]) == (None, "Free", "For {{team}}.")
    assert (await client.delete(path)).status_code == 204
    assert (await client.get(path)).status_code == 404


async def test_a_template_s_name_is_given_once(client: httpx.AsyncClient) -> None:
    await new_template(client)
    other = await new_template(client, name="Other")
    path = f"/api/templates/{other['id']}"
    for answer in (
        await client.post("/api/templates", json=TIPS),
        await client.patch(path, json={"name": "Tips"}),
        await client.post("/api/templates", json={**TIPS, "name": "linkedin"}),
        await client.patch(path, json={"name": "blog"}),
    ):
        assert (answer.status_code, answer.json()["error"]) == (409, "template_name_taken")
    assert (await client.patch(path, json={"name": "Other"})).status_code == 200


async def test_what_comes_with_the_app_is_not_changed(client: httpx.AsyncClient) -> None:
    for answer in (
        await client.patch("/api/templates/blog", json={"body": "Mine"}),
        await client.delete("/api/templates/blog"),
    ):
        assert (answer.status_code, answer.json()["error"]) == (403, "built_in_template")


async def test_nobody_reaches_a_template_of_somebody_else(app: App) -> None:
    secret = await theirs(app)
    for reference in (secret, "Secret", str(uuid4()), "nothing"):
        path = f"/api/templates/{reference}"
        for answer in (
            await app.http.get(path),
            await app.http.patch(path, json={"name": "Mine"}),
            await app.http.delete(path),
            await ask(app.http, template=reference),
        ):
            assert (answer.status_code, answer.json()["error"]) == (404, "template_not_found")
    assert (await app.http.get("/api/templates")).json()["total"] == 4
    await new_template(app.http, name="Secret")


@pytest.mark.parametrize(
    "values",
    [
        {"name": ""},
        {"name": " "},
        {"name": "x" * 101},
        {"body": ""},
        {"body": "x" * 8_001},
        {"description": "x" * 501},
        {"place": "myspace"},
        {"variables": ["audience"]},
    ],
)
async def test_a_template_that_does_not_fit_is_422(
    client: httpx.AsyncClient, values: dict[str, Any]
) -> None:
    answer = await client.post("/api/templates", json={**TIPS, **values})
    assert (answer.status_code, answer.json()["error"]) == (422, "validation_failed")


@pytest.mark.parametrize("body", ["For {{}}.", "For {{The Team}}.", "For {{a.b}}.", "{{7}}"])
async def test_braces_that_hold_no_name_are_refused(client: httpx.AsyncClient, body: str) -> None:
    made = await new_template(client)
    for answer in (
        await client.post("/api/templates", json={**TIPS, "name": "New", "body": body}),
        await client.patch(f"/api/templates/{made['id']}", json={"body": body}),
    ):
        assert (answer.status_code, answer.json()["error"]) == (400, "bad_template")


async def test_a_template_has_a_limited_number_of_variables(client: httpx.AsyncClient) -> None:
    body = " ".join(f"{{{{v{number}}}}}" for number in range(21))
    answer = await client.post("/api/templates", json={**TIPS, "body": body})
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_template")
    assert "21 variables" in answer.json()["detail"]


async def test_values_that_do_not_fit_a_template_are_refused_by_name(
    client: httpx.AsyncClient,
) -> None:
    made = await new_template(client)
    fitting = {"audience": "divers", "topic": "lamps"}
    cases: list[tuple[dict[str, Any], str]] = [
        ({"template": "Tips"}, "“audience” and “topic”"),
        ({"template": made["id"], "variables": {"audience": "divers"}}, "“topic”"),
        ({"template": "Tips", "variables": {**fitting, "topic": " "}}, "“topic”"),
        ({"template": "Tips", "variables": {**fitting, "tone": "dry"}}, "“tone”"),
        ({"template": "Tips", "variables": {**fitting, "topic": "x" * 2_001}}, "2,000"),
        ({"template": "linkedin", "variables": {"tone": "dry"}}, "“tone”"),
        ({"variables": {"tone": "dry"}}, "`template`"),
    ]
    for values, named in cases:
        answer = await ask(client, **values)
        assert (answer.status_code, answer.json()["error"]) == (400, "bad_variables"), values
        assert named in answer.json()["detail"]


def test_a_value_is_put_in_as_it_is_and_never_filled_again() -> None:
    filled = templates.render(
        "For {{ audience }}: {{topic}}. $5, {one}, %s.",
        {"audience": "{{topic}} and \\1", "topic": " lamps "},
    )
    assert filled == "For {{topic}} and \\1: lamps. $5, {one}, %s."
