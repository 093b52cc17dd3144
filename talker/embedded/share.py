"""The users' side of an embedded server: start it or join it, keep it alive, leave it."""

import logging
import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from talker.embedded.place import FileLock, Place
from talker.errors import EmbeddedServerFailed

log = logging.getLogger(__name__)

START_TIMEOUT_S = 60.0
"""Long, since Postgres may have to replay its log after a power loss on a slow disk."""
STOP_TIMEOUT_S = 30.0
WATCH_INTERVAL_S = 0.5
_POLL_S = 0.02
_MAX_LOG_BYTES = 5_000_000

_PASSED_ON = ("HOME", "LANG", "LC_ALL", "PATH", "PYTHONPATH", "TMPDIR", "TZ")
"""All of our environment that servers get: keys have no business in theirs."""


class Share:
    """This process's part in one embedded server: `join`, use it, `leave`.

    `module` is run as `python -m MODULE FOLDER`; it must hold the place while it serves.
    """

    def __init__(self, name: str, module: str, folder: Path) -> None:
        self.name = name
        self.place = Place(folder.absolute())
        self.port = 0
        self._module = module
        self._users: FileLock | None = None
        self._children: list[int] = []
        self._watch: threading.Thread | None = None
        self._left = threading.Event()
        self._joining = threading.Lock()

    def join(self) -> None:
        """Return once the server answers on `port`, and keep it answering until `leave`.

        It and `leave` block: event loops call them in a thread.

        Raises EmbeddedServerFailed with the reason and where the log is.
        """
        with self._joining:
            self._join()

    def _join(self) -> None:
        try:
            self.place.folder.mkdir(parents=True, exist_ok=True)
            self._users = FileLock(self.place.users_lock)
        except OSError as error:
            raise EmbeddedServerFailed(self.name, str(error), self.place.log) from error
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while not self._users.share():  # the last one out is stopping the server
            if time.monotonic() > deadline:
                raise EmbeddedServerFailed(self.name, "the last one does not stop", self.place.log)
            time.sleep(_POLL_S)
        self.port = self._running()
        self._watch = threading.Thread(target=self._keep_running, daemon=True)
        self._watch.start()

    def leave(self) -> None:
        """Let go of the server; the last one out stops it, and returns when it has stopped."""
        self._left.set()
        with self._joining:  # its caller may have been cancelled while it still runs
            if self._watch is not None:
                self._watch.join()
            if self._users is None:
                return
            try:
                if self._is_last():
                    self._stop()
            finally:
                self._users.close()
                self._reap()

    def _is_last(self) -> bool:
        # More than once, since the server holds the lock for a moment whenever it looks.
        assert self._users is not None
        for _ in range(3):
            if self._users.take():
                return True
            time.sleep(_POLL_S)
        return False

    def _stop(self) -> None:
        endpoint = self.place.endpoint()
        if endpoint is None:
            return
        with suppress(ProcessLookupError):
            os.kill(endpoint.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while self.place.is_served():
            if time.monotonic() > deadline:
                log.warning("embedded server does not stop", extra={"server": self.name})
                return
            time.sleep(_POLL_S)

    def _keep_running(self) -> None:
        while not self._left.wait(WATCH_INTERVAL_S):
            if self.place.is_served():
                continue
            self._reap()
            log.warning("embedded server died, starting it again", extra={"server": self.name})
            try:
                port = self._running()
            except EmbeddedServerFailed:
                if self._left.is_set():
                    return
                log.exception("embedded server does not start", extra={"server": self.name})
                self._left.wait(10 * WATCH_INTERVAL_S)
                continue
            if port != self.port:
                log.error(
                    "embedded server had to change its port; start this program again",
                    extra={"server": self.name, "port": self.port, "new_port": port},
                )

    def _running(self) -> int:
        """The port of the running server; whoever gets the starting lock starts it."""
        starting = FileLock(self.place.starting_lock)
        deadline = time.monotonic() + START_TIMEOUT_S
        child: int | None = None
        log_start = 0
        try:
            while time.monotonic() < deadline and not self._left.is_set():
                endpoint = self.place.endpoint()
                if endpoint and endpoint.port and _answers(endpoint.port):
                    return endpoint.port
                if child is not None and (exit_code := self._exit_code(child)) is not None:
                    if exit_code != 0:
                        reason = _last_line(self.place.log, log_start)
                        raise EmbeddedServerFailed(self.name, reason, self.place.log)
                    child = None  # it found another one in its place, or nobody who wants it
                if child is None and not self.place.is_served() and starting.take():
                    log_start = _log_size(self.place.log)
                    child = self._spawn()
                time.sleep(_POLL_S)
        finally:
            starting.close()
        reason = f"it did not answer within {START_TIMEOUT_S:.0f} s"
        raise EmbeddedServerFailed(self.name, reason, self.place.log)

    def _spawn(self) -> int:
        # A session of its own and no descriptor of ours: it outlives this process, and a
        # pipe that this process was started with ends when this process does.
        if _log_size(self.place.log) > _MAX_LOG_BYTES:
            self.place.log.replace(self.place.log.with_suffix(".log.old"))
        append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        child = os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", self._module, str(self.place.folder)],
            {name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(self.place.log), append, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
            setsigmask=[],
            setsigdef=[signal.SIGINT, signal.SIGTERM, signal.SIGPIPE],
        )
        self._children.append(child)
        return child

    def _exit_code(self, child: int) -> int | None:
        """How the child ended; None while it runs."""
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid == 0:
            return None
        self._children.remove(child)
        return os.waitstatus_to_exitcode(status)

    def _reap(self) -> None:
        for child in tuple(self._children):
            self._exit_code(child)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


def _log_size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _last_line(path: Path, start: int) -> str:
    with path.open("rb") as file:
        file.seek(start)
        lines = file.read().decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it ended at once")
