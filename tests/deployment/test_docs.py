"""The documentation of deployment names only what there is."""

import re
from pathlib import Path

import pytest
import yaml

from tests.deployment.caddy import ROOT

DOCS = ROOT / "docs" / "deployment.md"
COMPOSE = [*ROOT.glob("docker-compose*.yml")]
WORKFLOWS = [*(ROOT / ".github" / "workflows").glob("*.yml")]
SETTING = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
PLACE = re.compile(
    r"(?<![\w/.-])((?:deploy|scripts|docs|frontend|tests|\.github)/[\w./-]+"
    r"|Caddyfile|docker-compose[\w.-]*\.yml|\.env\.example)(?![\w/])"
)


def names_in(*files: Path) -> set[str]:
    return {name for file in files for name in SETTING.findall(file.read_text())}


def commands() -> set[tuple[str, str]]:
    """`ingest add` and the like, as (program, command)."""
    return set(re.findall(r"(?<!-)\b(ingest|admin) ([a-z][a-z-]+)\b", DOCS.read_text()))


def test_every_setting_that_is_named_is_one() -> None:
    scripts = [*(ROOT / "deploy").iterdir(), ROOT / "Caddyfile", ROOT / ".env.example"]
    assert names_in(DOCS) <= names_in(*scripts, *COMPOSE, *WORKFLOWS)


def test_every_file_that_is_named_is_there() -> None:
    places = set(PLACE.findall(DOCS.read_text()))
    assert len(places) > 5
    missing = {place for place in places if not (ROOT / place).exists()}
    assert missing == set()


def test_every_command_that_is_named_is_one() -> None:
    known = {
        "ingest": [*(ROOT / "ingestion").glob("*.py")],
        "admin": [ROOT / "api" / "accounts" / "command.py"],
    }
    assert len(commands()) > 5
    for program, command in commands():
        source = "".join(file.read_text() for file in known[program])
        # @app.command("export"), @app.command() above def status, app.command()(retry)
        named = rf'command\("{command}"\)|command\(\)\ndef {command}\(|command\(\)\({command}\)'
        assert re.search(named, source), f"{program} {command}"


def test_the_readme_leads_here_and_every_link_leads_somewhere() -> None:
    assert "(docs/deployment.md)" in (ROOT / "README.md").read_text()
    for target in re.findall(r"\]\(([^)#]+)\)", DOCS.read_text()):
        assert target.startswith("https://") or (DOCS.parent / target).exists(), target


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_workflows_name_their_actions_by_commit_and_may_only_read(file: Path) -> None:
    workflow = yaml.safe_load(file.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    used = [step["uses"] for step in steps if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action) for action in used)
    # A secret in a command would be in its text, and so in what the shell reads from others.
    assert not any("${{" in step.get("run", "") for step in steps)
