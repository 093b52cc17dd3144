"""Accounts: getting in and out, and who may let whom in."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import func, select
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from talker.embedded import ServerUrls
from talker.models import (
    AccessToken,
    Conversation,
    IngestionJob,
    LibraryEntry,
    Message,
    User,
    Video,
)
from tests import make
from tests.conftest import App
from tests.mail_server import MailServer, mail_server
from tests.people import (
    PASSWORD,
    accounts_app,
    browser,
    cookie_header,
    error_of,
    log_in,
    member,
    register,
)

OTHER = "another horse battery"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def mails() -> AsyncIterator[MailServer]:
    async with mail_server() as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def app(
    embedded: ServerUrls, mails: MailServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[App]:
    """One app for all: each test has people of its own."""
    async with accounts_app(
        embedded,
        tmp_path_factory.getbasetemp(),
        max_failed_logins=4,
        max_reset_mails=2,
        public_url="https://talker.example",
        smtp_host="127.0.0.1",
        smtp_port=mails.port,
        smtp_security="none",
        mail_from="talker@talker.example",
    ) as opened:
        yield opened


async def test_who_registers_and_logs_in_is_known_until_they_log_out(app: App) -> None:
    made = await register(app, " Ada@Example.org ")
    assert (made.status_code, made.json()["email"]) == (201, "ada@example.org")
    assert made.json()["role"] == "user"
    async with browser(app) as http:
        cookie = (await log_in(http, "ADA@example.org")).headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert "secure" not in cookie
        me = (await http.get("/api/auth/me")).json()
        assert (me["email"], me["auth"], me["scope"]) == ("ada@example.org", "accounts", "full")
        kept = dict(http.cookies)
        assert (await http.post("/api/auth/logout")).status_code == 204
        http.cookies.update(kept)
        assert error_of(await http.get("/api/auth/me")) == (401, "not_logged_in")


@pytest.mark.parametrize("path", ["/api/videos", "/api/jobs/stream", "/api/no/such/route"])
async def test_nobody_gets_into_the_api(app: App, path: str) -> None:
    answer = await app.http.get(path)
    assert error_of(answer) == (401, "not_logged_in")
    assert set(answer.json()) == {"error", "detail"}
    forged = {"Cookie": "talker_session=forged", "Authorization": "Bearer forged"}
    assert (await app.http.get(path, headers=forged)).status_code == 401


@pytest.mark.parametrize("path", ["/api/health", "/api/openapi.json", "/api/auth/options", "/"])
async def test_health_the_pages_and_how_one_gets_in_are_for_everybody(app: App, path: str) -> None:
    assert (await app.http.get(path, follow_redirects=True)).status_code == 200


async def test_a_password_has_twelve_characters_and_no_other_rule(app: App) -> None:
    assert (await register(app, "short@example.org", password="a" * 11)).status_code == 422
    assert (await register(app, "plain@example.org", password="a" * 12)).status_code == 201
    long = "żółw " * 200
    assert (await register(app, "long@example.org", password=long)).status_code == 201
    async with browser(app) as http:
        assert (await log_in(http, "long@example.org", long)).status_code == 200


async def test_an_address_has_one_account(app: App) -> None:
    await register(app, "one@example.org")
    assert error_of(await register(app, "One@example.org")) == (409, "email_taken")
    assert error_of(await register(app, "local@localhost")) == (409, "email_taken")
    for nonsense in ("nobody", "a@b\nc", "a b@c", "a,b@c", "<a@b>", "x" * 250 + "@b.org"):
        assert error_of(await register(app, nonsense)) == (400, "bad_email")


async def test_an_unknown_email_and_a_wrong_password_are_answered_alike(app: App) -> None:
    await register(app, "known@example.org")
    wrong = await log_in(app.http, "known@example.org", OTHER)
    unknown = await log_in(app.http, "unknown@example.org", OTHER)
    odd = await log_in(app.http, "\x00", "")
    assert error_of(wrong) == (401, "wrong_credentials")
    assert wrong.json() == unknown.json() == odd.json()


async def test_passwords_and_tokens_are_kept_as_hashes_alone(app: App) -> None:
    async with member(app, "hashed@example.org") as http:
        token = http.cookies["talker_session"]
        async with app.resources.sessions() as session:
            user = await session.scalar(select(User).where(User.email == "hashed@example.org"))
            rows = (await session.scalars(select(AccessToken.token_hash))).all()
    assert user is not None
    assert user.password_hash is not None
    assert user.password_hash.startswith("$argon2id$")
    assert all(token not in row and len(row) == 64 for row in rows)


async def test_who_is_nobody_yet_cannot_make_us_read_much(app: App) -> None:
    long = await log_in(app.http, "a@example.org", "x" * 70_000)
    assert error_of(long) == (413, "body_too_large")

    async def in_pieces() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b" " * 10_000

    answer = await app.http.post("/api/auth/login", content=in_pieces())
    assert error_of(answer) == (413, "body_too_large")


async def test_a_page_elsewhere_can_do_nothing_with_the_cookie(app: App) -> None:
    async with member(app, "origin@example.org") as http:
        foreign = {"Origin": "https://evil.example"}
        answer = await http.post("/api/conversations", headers=foreign)
        assert error_of(answer) == (403, "not_allowed")
        own = {"Origin": "https://talker.example"}
        assert (await http.post("/api/conversations", headers=own)).status_code == 201
        talk = await make.conversation(http)
        assert await refused(app, talk, {**cookie_header(http), **foreign}) == 403
        assert await refused(app, talk, {}) == 401


async def refused(app: App, talk: str, headers: dict[str, str]) -> int:
    """The status with which a socket is refused."""
    url = f"{app.url.replace('http', 'ws')}/api/chat/{talk}"
    with pytest.raises(InvalidStatus) as refusal:
        async with connect(url, additional_headers=headers):
            pass
    return refusal.value.response.status_code


async def test_another_password_ends_every_other_login(app: App) -> None:
    async with member(app, "change@example.org") as here, browser(app) as there:
        await log_in(there, "change@example.org")
        change = {"password": "not it at all", "new_password": OTHER}
        answer = await here.post("/api/auth/password", json=change)
        assert error_of(answer) == (403, "wrong_password")
        change["password"] = PASSWORD
        assert (await here.post("/api/auth/password", json=change)).status_code == 204
        assert (await here.get("/api/auth/me")).status_code == 200
        assert (await there.get("/api/auth/me")).status_code == 401
        assert (await log_in(there, "change@example.org")).status_code == 401
        assert (await log_in(there, "change@example.org", OTHER)).status_code == 200


async def test_sessions_are_listed_and_end_when_revoked_on_open_sockets_too(app: App) -> None:
    async with (
        member(app, "sessions@example.org") as here,
        browser(app, headers={"User-Agent": "A phone"}) as there,
    ):
        await log_in(there, "sessions@example.org")
        listed = (await here.get("/api/auth/sessions")).json()
        assert listed["total"] == 2
        [phone] = [item for item in listed["items"] if not item["current"]]
        assert phone["device"] == "A phone"
        talk = await make.conversation(there)
        url = f"{app.url.replace('http', 'ws')}/api/chat/{talk}"
        async with connect(url, additional_headers=cookie_header(there)) as socket:
            await socket.send('{"type": "stop"}')
            gone = await here.delete(f"/api/auth/sessions/{phone['id']}")
            assert gone.status_code == 204
            await socket.send('{"type": "ask", "content": "Am I still in?"}')
            event = json.loads(await socket.recv())
            assert (event["type"], event["error"]) == ("error", "not_logged_in")
        assert (await there.get("/api/auth/me")).status_code == 401
        assert (await here.get("/api/auth/sessions")).json()["total"] == 1


async def test_an_invitation_lets_one_person_in_once(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with member(app, "host@example.org", admin=True) as admin:
        monkeypatch.setattr(app.resources.settings, "registration", "invite")
        assert error_of(await register(app, "guest@example.org")) == (403, "invitation_needed")
        made = await admin.post("/api/admin/invitations", json={})
        url = made.json()["url"]
        assert url.startswith("https://talker.example/register#invite=")
        token = url.partition("=")[2]
        assert (await register(app, "guest@example.org", invite=token)).status_code == 201
        assert error_of(await register(app, "more@example.org", invite=token)) == (
            400,
            "link_used_up",
        )
        for_one = {"email": "Friend@example.org", "role": "admin"}
        made = await admin.post("/api/admin/invitations", json=for_one)
        token = made.json()["url"].partition("=")[2]
        assert error_of(await register(app, "more@example.org", invite=token)) == (
            400,
            "not_your_invitation",
        )
        friend = await register(app, "friend@example.org", invite=token)
        assert friend.json()["role"] == "admin"
        monkeypatch.setattr(app.resources.settings, "registration", "closed")
        made = (await admin.post("/api/admin/invitations", json={})).json()
        listed = (await admin.get("/api/admin/invitations")).json()
        assert [item["id"] for item in listed["items"]] == [made["id"]]
        token = made["url"].partition("=")[2]
        assert error_of(await register(app, "more@example.org", invite=token))[0] == 400
        assert error_of(await register(app, "more@example.org")) == (403, "registration_closed")
        gone = await admin.delete(f"/api/admin/invitations/{made['id']}")
        assert gone.status_code == 204


async def test_a_forgotten_password_is_set_anew_by_mail(app: App, mails: MailServer) -> None:
    async with member(app, "forgot@example.org") as http:
        await drain(mails)
        unknown = await app.http.post("/api/auth/forgot", json={"email": "no@example.org"})
        asked = await app.http.post("/api/auth/forgot", json={"email": "forgot@example.org"})
        assert (asked.status_code, asked.json()) == (202, unknown.json())
        async with asyncio.timeout(30):
            mail = await mails.inbox.get()
        assert mail["To"] == "forgot@example.org"
        found = re.search(r"https://talker.example/login#reset=(\S+)", mail.get_content())
        assert found is not None
        body = {"token": found[1], "password": OTHER}
        assert (await app.http.post("/api/auth/reset", json=body)).status_code == 204
        assert error_of(await app.http.post("/api/auth/reset", json=body)) == (400, "link_used_up")
        assert (await http.get("/api/auth/me")).status_code == 401
        assert (await log_in(http, "forgot@example.org", OTHER)).status_code == 200
    assert mails.inbox.empty()


async def drain(mails: MailServer) -> None:
    while not mails.inbox.empty():
        mails.inbox.get_nowait()


async def test_failed_logins_are_limited_and_the_page_is_told_when_to_try_again(app: App) -> None:
    await register(app, "guessed@example.org")
    for _ in range(4):
        answer = await log_in(app.http, "guessed@example.org", OTHER)
        assert answer.status_code == 401
    answer = await log_in(app.http, "guessed@example.org")
    assert error_of(answer) == (429, "too_many_attempts")
    assert 0 < int(answer.headers["retry-after"]) <= 900
    for status in (202, 202, 429):
        answer = await app.http.post("/api/auth/forgot", json={"email": "guessed@example.org"})
        assert answer.status_code == status


async def test_strangers_do_not_lock_the_owner_out(embedded: ServerUrls, tmp_path: Path) -> None:
    async with accounts_app(
        embedded, tmp_path, max_failed_logins=3, max_failed_logins_per_account=5
    ) as app:
        await register(app, "owner@example.org")
        async with browser(app) as own, from_address(app, "127.0.0.3") as elsewhere:
            assert (await log_in(own, "owner@example.org")).status_code == 200
            async with from_address(app, "127.0.0.2") as stranger:
                for status in (401, 401, 401, 429):
                    answer = await log_in(stranger, "owner@example.org", OTHER)
                    assert answer.status_code == status
            assert (await log_in(elsewhere, "owner@example.org")).status_code == 200
            async with from_address(app, "127.0.0.4") as another:
                codes = [
                    (await log_in(another, "owner@example.org", OTHER)).status_code
                    for _ in range(3)
                ]
            assert codes == [401, 401, 429]
            async with browser(app) as fresh:
                answer = await log_in(fresh, "owner@example.org")
                assert error_of(answer) == (429, "too_many_attempts")
            assert (await log_in(own, "owner@example.org")).status_code == 200


def from_address(app: App, address: str) -> httpx.AsyncClient:
    return browser(app, transport=httpx.AsyncHTTPTransport(local_address=address))


async def test_logins_that_succeed_are_not_counted(app: App) -> None:
    await register(app, "often@example.org")
    async with browser(app) as http:
        for _ in range(6):
            assert (await log_in(http, "often@example.org")).status_code == 200


async def test_an_administrator_sees_counts_and_locks_people_out_at_once(app: App) -> None:
    async with (
        member(app, "boss@example.org", admin=True) as admin,
        member(app, "worker@example.org") as http,
    ):
        await make.conversation(http)
        listed = (await admin.get("/api/admin/users", params={"q": "worker@"})).json()
        [user] = listed["items"]
        assert (listed["total"], user["conversations"], user["videos"]) == (1, 1, 0)
        path = f"/api/admin/users/{user['id']}"
        changed = await admin.patch(path, json={"active": False})
        assert changed.json()["active"] is False
        assert (await http.get("/api/auth/me")).status_code == 401
        assert (await log_in(http, "worker@example.org")).status_code == 401
        await admin.patch(path, json={"active": True})
        link = (await admin.post(f"{path}/reset")).json()["url"]
        body = {"token": link.partition("#reset=")[2], "password": OTHER}
        assert (await app.http.post("/api/auth/reset", json=body)).status_code == 204
        assert (await log_in(http, "worker@example.org", OTHER)).status_code == 200
        done = (await admin.get("/api/admin/audit")).json()["items"]
        assert [(one["actor"], one["action"], one["subject"]) for one in done[:3]] == [
            ("boss@example.org", "reset_link", "worker@example.org"),
            ("boss@example.org", "change_user", "worker@example.org"),
            ("boss@example.org", "change_user", "worker@example.org"),
        ]


async def test_a_deleted_account_takes_all_of_its_own_and_nothing_of_others(app: App) -> None:
    async with member(app, "leaves@example.org") as http, member(app, "stays@example.org") as other:
        file = await make.upload(http, make.captions(make.OCEAN))
        talk = await make.conversation(http)
        await make.ask(http, talk, "How deep was the deepest dive?")
        export = (await http.get("/api/auth/me/export")).json()
        assert export["account"]["email"] == "leaves@example.org"
        assert export["videos"][0]["segments"][0]["text"] == make.OCEAN[0]
        [said] = export["conversations"]
        assert said["messages"][0]["content"] == "How deep was the deepest dive?"
        ids = [(await one.get("/api/auth/me")).json()["id"] for one in (http, other)]
        shared = await shared_video(app, *ids)
        assert (await http.delete("/api/auth/me")).status_code == 204
        assert (await http.get("/api/auth/me")).status_code == 401
        assert (await log_in(http, "leaves@example.org")).status_code == 401
        assert (await other.get(f"/api/videos/{shared}")).status_code == 200
        [job] = (await other.get("/api/jobs")).json()["items"]
        assert job["status"] == "paused"
    async with app.resources.sessions() as session:
        assert await session.get(Video, file) is None
        for table in (Conversation, LibraryEntry):
            mine = select(func.count()).select_from(table).where(table.user_id == ids[0])
            assert await session.scalar(mine) == 0
        left = select(func.count()).where(Message.conversation_id == talk)
        assert await session.scalar(left) == 0
    assert await app.resources.chunks.count(file) == 0


async def shared_video(app: App, *user_ids: str) -> str:
    """A video in the libraries of several, asked for by the first."""
    async with app.resources.sessions.begin() as session:
        video = Video(youtube_id="dQw4w9WgXcQ", title="For all", status="queued")
        session.add(video)
        await session.flush()
        session.add_all(LibraryEntry(user_id=one, video_id=video.id) for one in user_ids)
        job = IngestionJob(
            video_id=video.id, user_id=user_ids[0], source="dQw4w9WgXcQ", status="paused"
        )
        session.add(job)
    return str(video.id)
