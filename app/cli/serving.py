"""The service's processes: the server or several, and the supervisor of a worker."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from tempfile import TemporaryDirectory

import typer
import uvicorn

from app import VERSION
from app.cli.refusal import print_refusal
from app.compiled.choice import refuse_if_missing
from app.http.problem_details import error_of
from app.logs import configure_logs
from app.settings import Settings
from app.telemetry.request_metrics import SHARED
from app.telemetry.request_record import log_context
from app.worker.supervisor import Supervisor
from core.errors import Refusal

EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  (compared with, not listened on)
"""Addresses that stand for all of a machine's, and one of them that a browser can open."""


def run_server(host: str, port: int, *, processes: int, with_worker: bool, access_log: bool) -> None:
    """Serve until SIGINT or SIGTERM, in this process or in several below it.

    Raises:
        KeyboardInterrupt: after SIGINT, once everything has stopped.
        typer.Exit: with status 3, if the port is taken or the application does not start.
    """
    config = uvicorn.Config(
        "app.main:app" if processes == 1 else "app.cli.processes:application",
        factory=processes > 1,
        workers=processes,
        host=host,
        port=port,
        timeout_graceful_shutdown=10,
        timeout_worker_healthcheck=10,
        server_header=False,
        access_log=False,  # The application writes its own.
        log_config=None,
    )
    if access_log:
        os.environ["GRADD_ACCESS_LOG"] = "true"
    settings = Settings()
    configure_logs(settings.log_format, settings.log_level, log_context)
    # First of all: where the port is taken there is no worker to be started.
    listener = _bind(config)
    with listener, metrics_folder(processes), _supervisor() if with_worker else nullcontext():
        if processes > 1:
            started = _run_processes(config, listener)
        else:
            server = AnnouncedServer(config)
            server.run(sockets=[listener])
            started = server.started
    if not started:
        raise typer.Exit(3)


@contextmanager
def metrics_folder(processes: int) -> Iterator[None]:
    """Make the folder in which the processes of this service leave their counts, and tell them of it by variables."""
    with ExitStack() as stack:
        folder = os.environ.get("GRADD_METRICS_DIR")
        if folder is None:
            folder = stack.enter_context(TemporaryDirectory(prefix="gradd-metrics-"))
            os.environ["GRADD_METRICS_DIR"] = folder
            stack.callback(os.environ.pop, "GRADD_METRICS_DIR", None)
        if processes > 1:
            os.environ[SHARED] = folder
            stack.callback(os.environ.pop, SHARED, None)
        yield


def _run_processes(config: uvicorn.Config, listener: socket.socket) -> bool:
    """Run several server processes, and return whether the application started in them."""
    from app.cli.processes import ServerProcesses, share_processors

    share_processors(config.workers)
    servers = ServerProcesses(config, listener, lambda: _announce(config, listener))
    servers.run()
    if servers.interrupted:
        raise KeyboardInterrupt
    return not servers.failed


def _bind(config: uvicorn.Config) -> socket.socket:
    try:
        return config.bind_socket()
    except SystemExit:
        typer.echo(
            f"Choose another port: gradd serve --port {config.port + 1}, or make run RUN_ARGS='--port {config.port + 1}'.",
            err=True,
        )
        raise


class AnnouncedServer(uvicorn.Server):
    """A server that prints the page to open once it accepts requests."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then print the address."""
        await super().startup(sockets)
        if self.started and sockets:
            _announce(self.config, sockets[0])


def _announce(config: uvicorn.Config, listener: socket.socket) -> None:
    address = address_of(config.host, listener.getsockname()[1])
    typer.echo(f"gradd {VERSION}: open {address} (docs at /docs, stop with Ctrl-C)")


def address_of(host: str, port: int) -> str:
    """Return the address under which a browser on this machine finds the server."""
    host = EVERY_ADDRESS.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _supervisor() -> Supervisor:
    """Return the supervisor of a worker; end the command where the worker has no engine."""
    settings = Settings()
    try:
        refuse_if_missing(settings.job_engine)
    except Refusal as refusal:
        print_refusal([error_of(issue) for issue in refusal.issues])
    return Supervisor(settings)


def run_worker() -> None:
    """Train jobs until SIGINT or SIGTERM."""
    settings = Settings()
    configure_logs(settings.log_format, settings.log_level)
    supervisor = _supervisor()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.stop())
    supervisor.run()
