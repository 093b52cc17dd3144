"""Both compose files and every Dockerfile, as the real Compose and the real linter read them."""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.programs import BIN

ROOT = Path(__file__).parents[2]
DEVELOPMENT, PRODUCTION = ROOT / "docker-compose.yml", ROOT / "docker-compose.prod.yml"
DOCKERFILES = [*(ROOT / "api").glob("Dockerfile.*"), *(ROOT / "frontend").glob("Dockerfile.*")]
SECRETS = {
    "POSTGRES_PASSWORD": "of-postgres",
    "SECRET_KEY": "of-cookies",
    "QDRANT_API_KEY": "of-qdrant",
}
BASES = {"python", "node", "postgres", "qdrant/qdrant"}


def compose(file: Path, env_file: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [BIN / "docker-compose", "--env-file", env_file, "--file", file]
    return subprocess.run(
        [*command, "config", "--format", "json"],
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def config(
    file: Path, env_file: Path = Path("/dev/null"), variables: Mapping[str, str] | None = None
) -> dict[str, Any]:
    done = compose(file, env_file, **(variables or {}))
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = json.loads(done.stdout)
    return read


@pytest.fixture(scope="module")
def development() -> dict[str, Any]:
    return config(DEVELOPMENT)


@pytest.fixture(scope="module")
def production() -> dict[str, Any]:
    return config(PRODUCTION, variables=SECRETS)


def published(services: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {
        (name, port.get("host_ip", "everywhere"), port["published"])
        for name, service in services.items()
        for port in service.get("ports", ())
    }


def names(services: dict[str, Any]) -> dict[str, str | None]:
    return {name: service.get("container_name") for name, service in services.items()}


def mounts(service: dict[str, Any]) -> dict[str, str]:
    return {volume["target"]: volume["source"] for volume in service["volumes"]}


def test_development_is_reached_from_this_machine_alone(development: dict[str, Any]) -> None:
    assert published(development["services"]) == {
        ("postgres", "127.0.0.1", "5432"),
        ("qdrant", "127.0.0.1", "6333"),
        ("qdrant", "127.0.0.1", "6334"),
        ("backend", "127.0.0.1", "8000"),
        ("frontend", "127.0.0.1", "4321"),
    }


def test_production_publishes_the_backend_alone_and_to_this_machine(
    production: dict[str, Any],
) -> None:
    assert published(production["services"]) == {("backend", "127.0.0.1", "8000")}
    assert production["networks"]["app-network"]["internal"]
    on = {name: set(one["networks"]) for name, one in production["services"].items()}
    assert on == {
        "postgres": {"app-network"},
        "qdrant": {"app-network"},
        "migrate": {"app-network"},
        "backend": {"app-network", "outside"},
        "worker": {"app-network", "outside"},
    }


def test_containers_have_their_names_and_workers_none_so_that_they_scale(
    development: dict[str, Any], production: dict[str, Any]
) -> None:
    assert names(development["services"]) == {
        "postgres": "youtubetalker-postgres",
        "qdrant": "youtubetalker-qdrant",
        "backend": "youtubetalker-backend",
        "worker": None,
        "frontend": "youtubetalker-frontend",
    }
    assert names(production["services"]) == {
        "postgres": "youtubetalker-postgres-prod",
        "qdrant": "youtubetalker-qdrant-prod",
        "migrate": "youtubetalker-migrate-prod",
        "backend": "youtubetalker-backend-prod",
        "worker": None,
    }


@pytest.mark.parametrize("name", ["backend", "worker"])
def test_development_has_accounts_without_a_setting(development: dict[str, Any], name: str) -> None:
    service = development["services"][name]
    environment = service["environment"]
    assert (environment["AUTH"], environment["REGISTRATION"]) == ("accounts", "open")
    assert environment["SECRET_KEY"]
    assert mounts(service)["/app"] == str(ROOT)
    assert {one["condition"] for one in service["depends_on"].values()} == {"service_healthy"}


def test_development_takes_the_example_env_as_it_is() -> None:
    services = config(DEVELOPMENT, ROOT / ".env.example")["services"]
    assert services["backend"]["environment"]["SECRET_KEY"]
    assert services["backend"]["environment"]["DATABASE_URL"].startswith("postgresql://")


@pytest.mark.parametrize("missing", SECRETS)
@pytest.mark.parametrize("how", ["unset", "empty"])
def test_production_names_the_secret_that_is_missing(missing: str, how: str) -> None:
    values = {name: value for name, value in SECRETS.items() if name != missing}
    if how == "empty":
        values[missing] = ""
    done = compose(PRODUCTION, Path("/dev/null"), **values)
    assert done.returncode != 0
    assert f"required variable {missing} is missing a value: set it in .env" in done.stderr
    assert not any(f"variable {name} is missing" in done.stderr for name in values if values[name])


def test_production_shares_its_secrets_with_who_needs_them(production: dict[str, Any]) -> None:
    services = production["services"]
    for name in ("migrate", "backend", "worker"):
        environment = services[name]["environment"]
        assert environment["ENVIRONMENT"] == "production"
        assert environment["DATABASE_URL"] == (
            "postgresql://youtube_talker:of-postgres@postgres:5432/youtube_talker"
        )
        assert environment["QDRANT_API_KEY"] == "of-qdrant"
    assert services["qdrant"]["environment"]["QDRANT__SERVICE__API_KEY"] == "of-qdrant"


def test_production_migrates_before_it_serves_with_four_processes(
    production: dict[str, Any],
) -> None:
    services = production["services"]
    for name in ("backend", "worker"):
        waits = {on: one["condition"] for on, one in services[name]["depends_on"].items()}
        assert waits == {
            "postgres": "service_healthy",
            "qdrant": "service_healthy",
            "migrate": "service_completed_successfully",
        }
    assert services["backend"]["environment"]["WEB_PROCESSES"] == "4"
    assert services["backend"]["environment"]["SERVE_WORKER"] == "false"


def test_every_production_service_is_locked_down_and_limited(production: dict[str, Any]) -> None:
    for name, service in production["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert set(service["logging"]["options"]) == {"max-size", "max-file"}, name
        assert int(service["deploy"]["resources"]["limits"]["memory"]) > 0, name
        assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")
    kept = {one: mounts(production["services"][one]) for one in ("postgres", "qdrant")}
    assert kept == {
        "postgres": {"/var/lib/postgresql/data": "/var/lib/youtubetalker/postgres"},
        "qdrant": {"/qdrant/storage": "/var/lib/youtubetalker/qdrant"},
    }


def test_a_release_is_named_so_that_the_one_before_can_come_back(
    production: dict[str, Any],
) -> None:
    named = config(PRODUCTION, variables={**SECRETS, "IMAGE_TAG": "1.2.3"})["services"]
    for name in ("migrate", "backend", "worker"):
        assert production["services"][name]["image"] == "youtubetalker-backend:latest"
        assert named[name]["image"] == "youtubetalker-backend:1.2.3"


def test_images_are_few_and_pinned(development: dict[str, Any], production: dict[str, Any]) -> None:
    services = [*development["services"].values(), *production["services"].values()]
    images = {one["image"] for one in services if "build" not in one}
    images |= {image for file in DOCKERFILES for image in bases(file)}
    assert {image.partition(":")[0] for image in images} == BASES
    assert all(image.partition(":")[2] not in ("", "latest") for image in images), images
    assert len(images) == len(BASES), images


def bases(dockerfile: Path) -> list[str]:
    return re.findall(r"^FROM (\S+)", dockerfile.read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    "dockerfile", DOCKERFILES, ids=lambda file: f"{file.parent.name}-{file.name}"
)
def test_a_dockerfile_is_clean_and_runs_as_nobody_special(dockerfile: Path) -> None:
    linted = subprocess.run(
        [BIN / "hadolint", dockerfile], capture_output=True, text=True, check=False
    )
    assert (linted.returncode, linted.stdout) == (0, "")
    text = dockerfile.read_text()
    assert "syntax=" not in text
    last = text[text.rindex("\nFROM ") if "\nFROM " in text else 0 :]
    user = re.findall(r"^USER (\S+)", last, re.MULTILINE)[-1]
    assert int(user) >= 1000
    assert "\nHEALTHCHECK " in last
    assert "curl" not in last


def test_the_three_dockerfiles_are_there() -> None:
    assert sorted(str(file.relative_to(ROOT)) for file in DOCKERFILES) == [
        "api/Dockerfile.dev",
        "api/Dockerfile.prod",
        "frontend/Dockerfile.dev",
    ]
