"""A Docker engine: the one at hand, else, where root on Debian runs this, one of our own.

Our own changes nothing of the machine's network (no iptables, no forwarding) and keeps everything
in a folder of the work tree; it ends with this program.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / ".containers"
"""What is made once and kept: our own engine's images, the stand-ins' Debian. Git ignores it."""
COMPOSE = Path(sys.executable).parent / "docker-compose"
START_TIMEOUT_S = 60

HOW_TO_GET_ONE = """No Docker engine is at hand. Either
  - start one (https://docs.docker.com/engine/install/), or name it in DOCKER_HOST, or
  - run this as root on Debian: it then installs docker.io and starts an engine of its own."""


class NoEngine(Exception):
    def __init__(self) -> None:
        super().__init__(HOW_TO_GET_ONE)


@dataclass(frozen=True)
class Docker:
    """The engine's commands; each raises CalledProcessError, its output shown, when it fails."""

    cli: str
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, text: str | None = None) -> str:
        return _run([self.cli, *arguments], self.environment, text=text)

    def answers(self) -> bool:
        environment = {**os.environ, **self.environment}
        asked = subprocess.run(
            [self.cli, "info"], env=environment, capture_output=True, check=False
        )
        return asked.returncode == 0

    def has_image(self, image: str) -> bool:
        return bool(self.run("image", "ls", "--quiet", image).strip())

    def build(self, image: str, dockerfile: Path, context: Path, *options: str) -> None:
        network = [] if self._has_bridge() else ["--network", "host"]
        self.run(
            *("build", *network, *options, "--progress", "plain"),
            *("--tag", image, "--file", str(dockerfile), str(context)),
        )

    def _has_bridge(self) -> bool:
        """Whether builds have a network of their own, which our own engine lacks."""
        return "bridge" in self.run("network", "ls", "--format", "{{.Name}}").split()

    def compose(
        self, project: str, files: Sequence[Path], variables: Mapping[str, str], tree: Path = ROOT
    ) -> "Compose":
        return Compose(self, project, tuple(files), variables, tree)


@dataclass(frozen=True)
class Compose:
    """One stack, its names apart from those of a stack in use."""

    docker: Docker
    project: str
    files: Sequence[Path]
    variables: Mapping[str, str]
    tree: Path
    """What relative paths in the files are relative to."""

    def run(self, *arguments: str, text: str | None = None) -> str:
        command = [*self._command(self.files), *arguments]
        return _run(command, {**self.docker.environment, **self.variables}, text=text)

    def script(self, name: str, *arguments: str, **variables: str) -> None:
        """One of `deploy/` on this stack."""
        *others, last = self.files
        spoken = {"COMPOSE": " ".join(self._command(others)), "COMPOSE_FILE": str(last)}
        environment = {**self.docker.environment, **self.variables, **spoken, **variables}
        _run([str(ROOT / "deploy" / name), *arguments], {**environment, "DATABASE_URL": ""})

    def _command(self, files: Sequence[Path]) -> list[str]:
        return [
            *(str(COMPOSE), "--project-name", self.project),
            *("--project-directory", str(self.tree), "--env-file", "/dev/null"),
            *(part for file in files for part in ("--file", str(file))),
        ]

    def address(self, service: str, port: int) -> str:
        """Where a published port answers: `http://127.0.0.1:…`."""
        return f"http://{self.run('port', service, str(port)).strip()}"

    def containers(self) -> list[dict[str, str]]:
        lines = self.run("ps", "--all", "--format", "json").splitlines()
        return [json.loads(line) for line in lines]

    @contextmanager
    def up(self) -> Iterator[None]:
        """All of it up and healthy; gone at the end, its logs shown on a failure."""
        try:
            self.start()
            yield
        except BaseException:
            sys.stdout.write(self.run("logs", "--no-color", "--tail", "40"))
            raise
        finally:
            self.remove()

    def start(self) -> None:
        self.run("up", "--detach", "--no-build", "--wait", "--wait-timeout", "600")

    def remove(self) -> None:
        self.run("down", "--volumes", "--remove-orphans", "--timeout", "60")


def _run(command: Sequence[str], environment: Mapping[str, str], *, text: str | None = None) -> str:
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        input=text,
        stdin=subprocess.DEVNULL if text is None else None,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.stderr.write(f"{' '.join(command)}\n{done.stdout[-4000:]}{done.stderr[-8000:]}")
        done.check_returncode()
    return done.stdout


@contextmanager
def docker() -> Iterator[Docker]:
    """An engine that answers. Raises NoEngine, which says how to get one."""
    found = _at_hand()
    if found is not None:
        yield found
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise NoEngine
    install("docker.io", "iptables", needed="dockerd")
    with _own_engine() as own:
        yield own


def _at_hand() -> Docker | None:
    cli = _cli()
    if cli is None:
        return None
    found = Docker(cli, _environment())
    return found if found.answers() else None


def _cli() -> str | None:
    """Debian's own first: it brings BuildKit, which one without its buildx plug-in lacks."""
    debian = Path("/usr/bin/docker")
    return str(debian) if debian.exists() else shutil.which("docker")


def _environment() -> dict[str, str]:
    return {"DOCKER_BUILDKIT": "1"}


def install(*packages: str, needed: str) -> None:
    if shutil.which(needed) is None:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=True, env=environment)
        subprocess.run(
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
            check=True,
            env=environment,
            stdout=subprocess.DEVNULL,
        )


@contextmanager
def _own_engine() -> Iterator[Docker]:
    folder = KEPT / "engine"
    folder.mkdir(parents=True, exist_ok=True)
    address = f"unix://{folder}/docker.sock"
    (folder / "daemon.json").write_text(
        json.dumps(
            {
                "data-root": f"{folder}/data",
                "exec-root": f"{folder}/exec",
                "pidfile": f"{folder}/docker.pid",
                "hosts": [address],
                "bridge": "none",
                "iptables": False,
                "ip6tables": False,
                "ip-forward": False,
                "ip-masq": False,
            }
        )
    )
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            ["dockerd", "--config-file", str(folder / "daemon.json")],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield _answering(Docker("/usr/bin/docker", {**_environment(), "DOCKER_HOST": address}))
    finally:
        process.terminate()
        process.wait(60)


def _answering(docker: Docker) -> Docker:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not docker.answers() and time.monotonic() < deadline:
        time.sleep(0.5)
    docker.run("info")  # shows what is wrong where it still does not
    return docker
