"""Programs that start at once: each a process of its own, forked from one that has imported them.

Importing takes up to four seconds of a processor, most of what a short program does. From the fork
on it is as if started from .venv/bin: arguments, environment, streams and an end of its own.
"""

import asyncio
import atexit
import gc
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import IO, Any

PROGRAMS = ("serve", "worker", "ingest", "admin")
LONGEST_REQUEST = 200_000


class Program:
    """A program that was started, used like asyncio's own `Process`."""

    def __init__(self, pid: int, ended: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdin: asyncio.StreamWriter | None = None
        self.stdout: asyncio.StreamReader | None = None
        self.stderr: asyncio.StreamReader | None = None
        self._end = asyncio.create_task(self._wait(ended))

    async def wait(self) -> int:
        return await asyncio.shield(self._end)

    async def communicate(self, said: bytes = b"") -> tuple[bytes, bytes]:
        """Write to its standard input, and read what it says until it ends."""
        if self.stdin is not None:
            with suppress(BrokenPipeError, ConnectionResetError):
                self.stdin.write(said)
                await self.stdin.drain()
            self.stdin.close()
        streams = (self.stdout, self.stderr)
        out, err = await asyncio.gather(*(_all_of(stream) for stream in streams))
        await self.wait()
        return out, err

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def _wait(self, ended: socket.socket) -> int:
        with ended:
            said = await asyncio.get_running_loop().sock_recv(ended, 64)
        self.returncode = int(said)
        return self.returncode


async def start(
    name: str,
    *arguments: str | Path,
    env: Mapping[str, str],
    stdin: int | None = None,
    stdout: int | IO[Any] | None = None,
    stderr: int | IO[Any] | None = None,
) -> Program:
    """Start a program; the last three are as `asyncio.create_subprocess_exec` takes them."""
    given: list[int] = []
    ours: list[int | None] = []
    for place, wanted in enumerate((stdin, stdout, stderr)):
        own, other = _end_of(place, wanted, given)
        given.append(own)
        ours.append(other)
    request = {"argv": [name, *map(str, arguments)], "env": dict(env), "cwd": str(Path.cwd())}
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with there:
        fds = [there.fileno(), *given]
        socket.send_fds(await asyncio.to_thread(_server), [json.dumps(request).encode()], fds)
    for own in set(given) - {0, 1, 2}:
        os.close(own)
    here.setblocking(False)
    loop = asyncio.get_running_loop()
    program = Program(int(await loop.sock_recv(here, 64)), here)
    if ours[0] is not None:
        program.stdin = await _writer(ours[0])
    program.stdout, program.stderr = [
        None if end is None else await _reader(end) for end in ours[1:]
    ]
    return program


def _end_of(place: int, wanted: int | IO[Any] | None, given: list[int]) -> tuple[int, int | None]:
    """The program's end of one of its three streams, and ours where it is a pipe."""
    if wanted is None:
        return place, None
    if wanted == subprocess.STDOUT:
        return given[1], None
    if wanted == subprocess.DEVNULL:
        return os.open(os.devnull, os.O_RDWR), None
    if wanted == subprocess.PIPE:
        read, write = os.pipe()
        return (read, write) if place == 0 else (write, read)
    fd = wanted if isinstance(wanted, int) else wanted.fileno()
    return os.dup(fd), None


async def _reader(fd: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    pipe = os.fdopen(fd, "rb", 0)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, pipe)
    return reader


async def _writer(fd: int) -> asyncio.StreamWriter:
    loop = asyncio.get_running_loop()
    pipe = os.fdopen(fd, "wb", 0)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, pipe)
    return asyncio.StreamWriter(transport, protocol, None, loop)


async def _all_of(stream: asyncio.StreamReader | None) -> bytes:
    return b"" if stream is None else await stream.read()


@cache
def _server() -> socket.socket:
    """The process that forks, started when it is first needed; it ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-m", "tests.forks", str(theirs.fileno())]
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
    theirs.close()

    def stop() -> None:
        ours.close()
        server.wait()

    atexit.register(stop)
    return ours


def _serve(control: socket.socket) -> Callable[[], None]:
    """Fork a process for each request. Returns in that process alone, with what it is to run."""
    mains: dict[str, Callable[[], None]] = {
        one.name: one.load()
        for one in entry_points(group="console_scripts")
        if one.name in PROGRAMS
    }
    gc.freeze()  # so that no collection in a fork copies all that is shared
    running: dict[int, tuple[int, socket.socket]] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fd != control.fileno():
                    _tell_end(*running.pop(key.fd))
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    continue
                asked, fds, _, _ = socket.recv_fds(control, LONGEST_REQUEST, 4)
                if not asked:
                    sys.exit(0)
                request = json.loads(asked)
                pid = os.fork()
                if pid == 0:
                    _become(request, fds[1:])
                    return mains[request["argv"][0]]
                for fd in fds[1:]:
                    os.close(fd)
                told = socket.socket(fileno=fds[0])
                told.send(str(pid).encode())
                ending = os.pidfd_open(pid)
                running[ending] = (pid, told)
                selector.register(ending, selectors.EVENT_READ)


def _tell_end(pid: int, told: socket.socket) -> None:
    _, status = os.waitpid(pid, 0)
    with told, suppress(OSError):
        told.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(request: Mapping[str, Any], streams: list[int]) -> None:
    for place, fd in enumerate(streams):
        os.dup2(fd, place)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    # Tests that run in the background are deaf to it, and so would be what they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # The streams that the process before had know of other files whether they can be sought in.
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, errors="backslashreplace", closefd=False)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    name, *arguments = request["argv"]
    sys.argv = [str(Path(sys.executable).parent / name), *arguments]


def main() -> None:
    run = _serve(socket.socket(fileno=int(sys.argv[1])))
    run()


if __name__ == "__main__":
    main()
