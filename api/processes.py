"""Serving with one process or several, and how a server says that it came and that it goes."""

import asyncio
import gc
import signal
import socket
import sys
import time
from contextlib import suppress
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

HANGS_AFTER_S = 180
"""A process that does not answer its parent for so long is replaced. Not sooner: while one that
starts imports the app, it does not answer either."""

GARBAGE = (20_000, 20, 20)
"""How many new objects make the collector look at them, and how often it looks at older ones: a
question leaves some hundred thousand behind, nearly all of which go without it."""


def spare_collector() -> None:
    """Have the garbage collector leave alone what is there by now: modules, models and schemas stay
    to the end, and looking at them again and again took a tenth of every question's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)


class LeavingServer(uvicorn.Server):
    """Tells the proxy that this process leaves, while everything is still served."""

    @property
    def app(self) -> Any:
        """Ours, once the configuration is loaded: nothing is wrapped around it."""
        return self.config.loaded_app

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            spare_collector()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """To stop when told to is no failure: uvicorn's own would raise the signal again at the
        end, and the program's status be that of one that was killed."""
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.app.state.leaving = True
        await asyncio.sleep(self.app.state.settings.drain_s)
        await super().shutdown(sockets)


class AnnouncingServer(LeavingServer):
    """Says where the app is, once it answers there, and how its first administrator gets in."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            assert sockets is not None
            host, port = sockets[0].getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            address = f"http://{shown}:{port}"
            sys.stdout.write(f"YoutubeTalker is at {address}\n")
            self._invite_first_admin(address)
            sys.stdout.flush()

    def _invite_first_admin(self, address: str) -> None:
        state = self.app.state
        if state.setup_link is not None:
            url = state.setup_link.url(state.settings.public_url or address)
            sys.stdout.write(f"Make the administrator's account (the link works once): {url}\n")


class WebProcess(Process):
    """One of several; the first speaks for all."""

    def __init__(
        self, config: uvicorn.Config, sockets: list[socket.socket], *, announces: bool = False
    ) -> None:
        self._announces = announces
        super().__init__(config, sockets)

    @property
    def server(self) -> uvicorn.Server:
        if self._server is None:
            kind = AnnouncingServer if self._announces else LeavingServer
            self._server = kind(self.config)
        return self._server


class WebProcesses(Multiprocess):
    """Processes that serve one socket; one that dies or hangs is replaced."""

    failed = False
    """Whether one could not start: as the others would fail in the same way, all were stopped."""

    def init_processes(self) -> None:
        for number in range(self.processes_num):
            self.processes.append(self._started(announces=number == 0))

    def keep_subprocess_alive(self) -> None:
        for number, process in enumerate(self.processes):
            if self.should_exit.is_set():
                return
            if self._is_well(process):
                continue
            process.kill()
            process.join()
            if process.exitcode == STARTUP_FAILURE:
                self.failed = True
                self.should_exit.set()
                return
            self.processes[number] = self._started()

    def _is_well(self, process: Process) -> bool:
        """Waits for its answer in short steps: one that dies meanwhile will never answer, and who
        wants to stop all of them should not wait."""
        deadline = time.monotonic() + HANGS_AFTER_S
        while process.process.is_alive():
            if process.ping(timeout=0.5) or self.signal_queue:
                return True
            if time.monotonic() > deadline:
                return False
        return False

    def handle_hup(self) -> None:
        """A terminal that goes away ends the app, as it does one process."""
        self.handle_term()

    def _started(self, *, announces: bool = False) -> WebProcess:
        process = WebProcess(self.config, self.sockets, announces=announces)
        process.start()
        return process


def serve(config: uvicorn.Config, listening: socket.socket) -> bool:
    """Serve until told to stop; false for a start that failed."""
    if config.workers == 1:
        server = AnnouncingServer(config)
        with suppress(SystemExit):  # how uvicorn ends a start that failed
            server.run([listening])
        return server.started
    processes = WebProcesses(config, [listening])
    processes.run()
    return not processes.failed
