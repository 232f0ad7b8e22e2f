"""The server processes of `gradd serve --processes N`, under the supervisor of uvicorn.

The supervisor holds the listening sockets, so the port is never free while processes come and go. Each process is an
interpreter of its own: the limits of the settings, the threads and the connections to the database are per process.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from app.logs import configure_logs
from app.settings import Settings
from app.telemetry.request_metrics import forget_process
from app.telemetry.request_record import log_context
from app.worker.job_process import THREADS

MARGIN = 2
"""Seconds beyond the grace period that a process may take to end before it is killed."""

logger = logging.getLogger("gradd.supervisor")


class ServerProcesses(Multiprocess):
    """Runs server processes until SIGINT, SIGTERM or SIGHUP, and replaces those that die or hang."""

    def __init__(self, config: uvicorn.Config, listener: socket.socket, when_ready: Callable[[], None]) -> None:
        """Prepare the processes.

        Args:
            config: the server of each process; `config.workers` is their number.
            listener: a bound socket; its port is the one that they share.
            when_ready: called once, when all of them accept requests.
        """
        listeners = listeners_on(listener, config)
        super().__init__(config, listeners)
        self._listeners = listeners
        self._when_ready = when_ready
        self._ready = False
        self.failed = False
        """Whether the end was that the application does not start."""
        self.interrupted = False
        """Whether the end was SIGINT."""

    def init_processes(self) -> None:
        """Start the processes."""
        # It unblocks SIGINT when it starts, so it starts before.
        resource_tracker.ensure_running()
        self.processes = [self._start(place) for place in range(self.processes_num)]

    def keep_subprocess_alive(self) -> None:
        """Replace processes that have died; before all were ready once, stop instead: others would die likewise."""
        if self.should_exit.is_set():
            return
        if not self._ready:
            if not all(process.process.is_alive() for process in self.processes):
                self.failed = not self.signal_queue
                self.should_exit.set()
            elif all(process.is_ready() for process in self.processes):
                self._ready = True
                self._when_ready()
            return
        for place, process in enumerate(self.processes):
            if not process.is_alive(self.config.timeout_worker_healthcheck):
                process.kill()
                process.join()
                forget_process(process.pid)
                logger.warning("server process %s ended with %s; starting another one", process.pid, process.exitcode)
                self.processes[place] = self._start(place)

    def _start(self, place: int) -> Process:
        process = Process(self.config, [self._listeners[place % len(self._listeners)]])
        with _sigint_blocked():
            process.start()
        # The process has its own; without ours, its death ends a wait for its answer.
        process.child_conn.close()
        return process

    def terminate_all(self) -> None:
        """Close the port, and ask the processes to end."""
        for listener in self._listeners:
            listener.close()
        super().terminate_all()

    def join_all(self) -> None:
        """Wait for the processes. A second Ctrl-C, or the end of the grace period, kills them."""
        deadline = time.monotonic() + (self.config.timeout_graceful_shutdown or 0) + MARGIN
        for process in self.processes:
            while process.process.is_alive() and time.monotonic() < deadline and signal.SIGINT not in self.signal_queue:
                process.process.join(0.1)
            process.kill()
            process.join()

    def handle_int(self) -> None:
        """Stop, and remember why."""
        self.interrupted = True
        super().handle_int()

    def handle_hup(self) -> None:
        """Stop, as a single process does when its terminal is closed. uvicorn would restart the processes."""
        self.should_exit.set()

    def handle_ttin(self) -> None:
        """Do nothing: the processors were shared among the processes when they started."""

    handle_ttou = handle_ttin


def listeners_on(listener: socket.socket, config: uvicorn.Config) -> list[socket.socket]:
    """Return the listening sockets of the processes: one that all share or, on Linux, one for each on the same port.

    From a shared socket the process that wakes first accepts whole bursts: of 16 connections that stay open, two processes
    had 14 and 2, or 16 and 0. The kernel spreads connections evenly over sockets with SO_REUSEPORT. The supervisor holds all
    of them, so connections that come while a process is replaced wait for the next one.
    """
    listeners = [listener]
    if sys.platform == "linux":
        # Set after binding: whoever has the port already was noticed, and nobody without the option gets it from here on.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        for _ in range(1, config.workers):
            another = socket.socket(listener.family)
            another.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            another.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            another.bind(listener.getsockname())
            listeners.append(another)
    for each in listeners:
        each.listen(config.backlog)
    return listeners


def share_processors(processes: int) -> None:
    """Set the defaults of processes that share the processors: threads of linear algebra, and requests at a time.

    They are environment variables, because a BLAS reads its own when NumPy is imported. What the operator has set stays.

    Measured with two processes on two processors (docs/processes.md): a second thread of linear algebra makes a gradients
    request of 784-128-10 cost 30 ms of processor time instead of 10.5, because the threads of OpenBLAS wait actively for
    each other. A second request at a time costs nothing, and without it a request of 1 ms waited 2.2 s behind a long one.
    """
    share = max(1, _processors() // processes)
    if not os.environ.keys() & set(THREADS):
        os.environ.update(dict.fromkeys(THREADS, str(share)))
    os.environ.setdefault("GRADD_COMPUTE_THREADS", str(max(2, share)))


def application() -> FastAPI:
    """Return the application of a server process, which ends with its supervisor."""
    settings = Settings()
    configure_logs(settings.log_format, settings.log_level, log_context)
    threading.Thread(target=_end_with_supervisor, daemon=True, name="parent").start()
    from app.main import app

    return app


def _end_with_supervisor() -> None:
    supervisor = multiprocessing.parent_process()
    if supervisor is not None:
        supervisor.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _sigint_blocked() -> Iterator[None]:
    """Keep SIGINT from processes started in this block: Ctrl-C reaches the supervisor, which ends them in good order."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
