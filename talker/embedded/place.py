"""A folder in which one embedded server lives, and the locks by which processes share it.

`users.lock`     held shared by every process that uses the server, exclusively by who stops it
`starting.lock`  held exclusively by the one process that starts the server
`server.lock`    held exclusively by the server for as long as it lives; says where it listens

All are `flock`s, which the kernel drops when their holder dies: no process id is ever trusted
to say what runs, so one that another program got since can do no harm.
"""

import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

GRACE_S = 2.0
"""How long a server waits for its next user after all were killed."""
LOOK_S = 0.25
"""How often a server looks whether it has users."""


class FileLock:
    """One `flock`, open until `close`; two in the same process exclude each other as well."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def share(self) -> bool:
        """Try to hold it beside others, without waiting."""
        return self._flock(fcntl.LOCK_SH)

    def take(self) -> bool:
        """Try to hold it alone, without waiting; on failure a shared hold is lost too."""
        return self._flock(fcntl.LOCK_EX)

    def release(self) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def fileno(self) -> int:
        return self._descriptor

    def _flock(self, operation: int) -> bool:
        try:
            fcntl.flock(self._descriptor, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock alone; costs a moment of holding it shared."""
    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        return not lock.share()
    finally:
        lock.close()


@dataclass(frozen=True)
class Endpoint:
    pid: int
    port: int | None
    """None until the server answers, and once it begins to stop."""


@dataclass(frozen=True)
class Place:
    folder: Path

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def users_lock(self) -> Path:
        return self.folder / "users.lock"

    @property
    def starting_lock(self) -> Path:
        return self.folder / "starting.lock"

    @property
    def server_lock(self) -> Path:
        return self.folder / "server.lock"

    def is_served(self) -> bool:
        """Whether a server lives here, answering or not yet."""
        return is_held(self.server_lock)

    def endpoint(self) -> Endpoint | None:
        """What the living server says of itself; None where none lives, or not yet."""
        if not self.is_served():
            return None
        with suppress(ValueError, KeyError):
            said = json.loads(self.server_lock.read_text())
            return Endpoint(pid=said["pid"], port=said["port"])
        return None

    def secret(self, name: str) -> str:
        """The random secret in the file of that name, made at the first asking; mode 0600."""
        path = self.folder / name
        with suppress(FileNotFoundError):
            return path.read_text().strip()
        write_durably(path, secrets.token_urlsafe(24))
        return path.read_text().strip()

    def last_port(self) -> int:
        """The port of the last run, so that a restarted server is found again; 0 for none."""
        with suppress(FileNotFoundError, ValueError):
            return int((self.folder / "port").read_text())
        return 0

    def keep_port(self, port: int) -> None:
        write_durably(self.folder / "port", str(port))


def write_durably(path: Path, text: str) -> None:
    """Write a file whole or not at all, readable by its owner alone."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the folder's own entries (names made, moved, removed) survive a power loss."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Tenancy:
    """A server's hold on its place, from its first moment to its last."""

    def __init__(self, place: Place, lock: FileLock) -> None:
        self.place = place
        self._lock = lock
        self._users = FileLock(place.users_lock)
        self._deserted_since: float | None = None
        self._say(port=None)

    def publish(self, port: int) -> None:
        """Tell everybody who waits that the server answers on this port."""
        self.place.keep_port(port)
        self._say(port)

    def withdraw(self) -> None:
        """Send nobody here any more: the server is about to stop."""
        self._say(port=None)

    def is_over(self) -> bool:
        """Whether nobody has used the server for GRACE_S; if so, no one can enter any more.

        To be asked a few times a second. The last one out stops the server by a signal, at
        once; this is for users that were killed, and the grace lets the next one adopt it.
        """
        if not self._users.take():
            self._deserted_since = None
            return False
        now = time.monotonic()
        if self._deserted_since is None:
            self._deserted_since = now
        if now - self._deserted_since >= GRACE_S:
            return True
        self._users.release()
        return False

    def close(self) -> None:
        self._users.close()
        self._lock.close()

    def _say(self, port: int | None) -> None:
        said = json.dumps({"pid": os.getpid(), "port": port}).encode()
        os.pwrite(self._lock.fileno(), said, 0)
        os.ftruncate(self._lock.fileno(), len(said))


@contextmanager
def tenancy(place: Place) -> Iterator[Tenancy | None]:
    """Become the place's server; None where another process is it already."""
    lock = FileLock(place.server_lock)
    for _ in range(20):  # who asks whether a server lives holds the lock for a moment
        if lock.take():
            break
        time.sleep(0.01)
    else:
        lock.close()
        yield None
        return
    tenant = Tenancy(place, lock)
    try:
        yield tenant
    finally:
        tenant.close()
