"""What administrators see of the server, on the page and on a terminal."""

import json
from pathlib import Path
from uuid import UUID, uuid4

import httpx
from sqlalchemy import select

from talker.embedded import ServerUrls
from talker.models import IngestionJob, ModelCall, User, now
from talker.resources import Resources
from tests import make
from tests.api.test_admin import program
from tests.conftest import App
from tests.people import accounts_app, error_of, member


async def spend(resources: Resources, email: str, usd: float, model: str = "test/first") -> None:
    async with resources.sessions.begin() as session:
        user_id = await session.scalar(select(User.id).where(User.email == email))
        session.add(
            ModelCall(
                id=uuid4(),
                user_id=user_id,
                purpose="answer",
                model=model,
                input_tokens=100,
                output_tokens=10,
                cost_usd=usd,
                duration_ms=900,
                created_at=now(),
            )
        )


async def fail_job(resources: Resources, email: str) -> UUID:
    """A video of somebody's whose loading failed."""
    async with resources.sessions() as session:
        user = (await session.scalars(select(User).where(User.email == email))).one()
    video_id = await make.video(resources, user, title="Hidden depths")
    async with resources.sessions.begin() as session:
        job = IngestionJob(
            id=uuid4(),
            user_id=user.id,
            video_id=video_id,
            source="dQw4w9WgXcQ",
            status="failed",
            attempt=5,
            failure={"reason": "blocked", "detail": "YouTube refuses.", "next_step": "Wait."},
        )
        session.add(job)
        return job.id


async def queued(http: httpx.AsyncClient, status: str) -> list[str]:
    answer = await http.get("/api/admin/queue", params={"status": status})
    return [one["id"] for one in answer.json()["items"]]


async def test_an_administrator_sees_each_part_everybodys_costs_and_everybodys_queue(
    embedded: ServerUrls, tmp_path: Path
) -> None:
    async with (
        accounts_app(embedded, tmp_path) as app,
        member(app, "user@example.org") as other,
        member(app, "boss@example.org", admin=True) as boss,
    ):
        await spend(app.resources, "user@example.org", 0.25)
        await spend(app.resources, "user@example.org", 0.5)
        await spend(app.resources, "boss@example.org", 0.125, "test/second")
        job_id = str(await fail_job(app.resources, "user@example.org"))

        overview = (await boss.get("/api/admin/overview")).json()
        assert overview["health"]["database"] == {"ok": True, "detail": "ok"}
        assert "OPENROUTER_API_KEY" in overview["health"]["model"]["detail"]
        assert overview["queue"]["failures"] == {"blocked": 1}
        assert overview["users"] == {"user": 1, "admin": 1}
        assert overview["storage"]["database"] > 1_000_000

        costs = (await boss.get("/api/admin/costs")).json()
        assert costs["total_usd"] == 0.875
        rows = [(row["email"], row["model"], row["calls"]) for row in costs["items"]]
        assert rows == [
            ("user@example.org", "test/first", 2),
            ("boss@example.org", "test/second", 1),
        ]
        before = {"start": "2020-01-01", "end": "2020-02-01"}
        assert (await boss.get("/api/admin/costs", params=before)).json()["total"] == 0
        backwards = {"start": "2020-02-01", "end": "2020-01-01"}
        assert error_of(await boss.get("/api/admin/costs", params=backwards)) == (400, "bad_days")

        [job] = (await boss.get("/api/admin/queue")).json()["items"]
        assert (job["id"], job["email"]) == (job_id, "user@example.org")
        assert job["failure"]["detail"] == "YouTube refuses."
        path = f"/api/admin/queue/{job_id}"
        assert error_of(await other.post(f"{path}/retry")) == (403, "admins_only")
        assert error_of(await boss.post(f"{path}/cancel")) == (409, "cannot_steer")
        assert (await boss.post(f"{path}/retry")).status_code == 202
        assert error_of(await boss.post(f"/api/admin/queue/{uuid4()}/retry")) == (
            404,
            "job_not_found",
        )
        written = (await boss.get("/api/admin/audit")).json()["items"]
        assert [(one["action"], one["subject"]) for one in written] == [
            ("retry_job", "user@example.org")
        ]


async def test_the_one_person_without_accounts_sees_it_too(app: App) -> None:
    for path in ("overview", "costs", "queue"):
        assert (await app.http.get(f"/api/admin/{path}")).status_code == 200
    assert error_of(await app.http.get("/api/admin/users")) == (409, "accounts_off")


async def test_the_command_tells_the_same_on_a_terminal(resources: Resources, user: User) -> None:
    await spend(resources, user.email, 0.25)
    job_id = str(await fail_job(resources, user.email))

    code, said = await program(resources, "admin", "status")
    assert code == 1
    assert "worker      AWAY  No worker is running" in said
    assert "1 failed; 0 workers" in said
    code, said = await program(resources, "admin", "status", "--json")
    assert json.loads(said)["health"]["database"]["ok"]

    code, said = await program(resources, "admin", "costs")
    assert (code, said.splitlines()[-1].partition(": ")[2]) == (0, "$0.2500")
    code, said = await program(resources, "admin", "costs", "--json")
    assert json.loads(said)["cost_usd"] == 0.25

    code, said = await program(resources, "admin", "queue", "--json")
    assert json.loads(said)["id"] == job_id
    assert (await program(resources, "admin", "queue", "retry"))[0] == 2
    code, said = await program(resources, "admin", "queue", "retry", job_id, "--json")
    assert json.loads(said)["status"] == "queued"
    code, said = await program(resources, "admin", "queue", "cancel", job_id)
    assert code == 0
    assert "cancelled" in said
    code, said = await program(resources, "admin", "queue", "cancel", job_id)
    assert (code, said) == (1, "This job is cancelled, so there is nothing to cancel.")
