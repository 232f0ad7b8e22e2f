"""The service's processes: the server or several, and the supervisor of a worker."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from ipaddress import ip_address
from tempfile import TemporaryDirectory

import typer
import uvicorn

from app import VERSION
from app.access.guard import is_loopback
from app.cli.refusal import fail, print_refusal
from app.compiled.choice import refuse_if_missing
from app.http.edge.file_limit import raise_file_limit
from app.http.edge.protocol import protocol_class
from app.http.problem_details import error_of
from app.logs import configure_logs
from app.settings import Settings
from app.storage import Database
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
        typer.Exit: with status 3, if the port is taken or the application does not start; with status 2, if others could
            reach it and GRADD_AUTHENTICATION is not set; with status 1, if this version does not work with the database.
    """
    _refuse_to_be_open_by_accident(host)
    raise_file_limit()
    _allow_host(host)
    config = uvicorn.Config(
        "app.main:app" if processes == 1 else "app.cli.processes:application",
        factory=processes > 1,
        workers=processes,
        host=host,
        port=port,
        http=protocol_class(),
        ws="none",
        timeout_graceful_shutdown=10,
        timeout_worker_healthcheck=10,
        server_header=False,
        access_log=False,  # The application writes its own.
        log_config=None,
    )
    _refuse_unusable_database()
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


def _refuse_to_be_open_by_accident(host: str) -> None:
    """End the command where others would reach a service of which nobody has said who may use it."""
    if Settings().authentication == "auto" and not is_loopback(host):
        fail(
            f"{host} is not this machine alone, and GRADD_AUTHENTICATION does not say who may use the service there.",
            "  GRADD_AUTHENTICATION=required: requests need an API key, which `gradd keys create NAME` makes.",
            "  GRADD_AUTHENTICATION=off: the service is open, and whoever reaches the port may read, change and delete all.",
            status=2,
        )


def _allow_host(host: str) -> None:
    """Let the name that is listened on be a host of requests. The setting, where there is one, is left as it is."""
    with suppress(ValueError):
        ip_address(host)
        return  # Addresses to which clients connect are allowed anyway.
    os.environ.setdefault("GRADD_ALLOWED_HOSTS", f"{Settings.model_fields['allowed_hosts'].default},{host}")


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


def _refuse_unusable_database() -> None:
    """End the command where the database has another encoding or was migrated by a newer version."""
    database = Database(Settings().database_url)
    try:
        database.refuse_unusable()
    except Refusal as refusal:
        print_refusal([error_of(issue) for issue in refusal.issues])
    finally:
        database.close()


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
    _refuse_unusable_database()
    supervisor = _supervisor()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.stop())
    supervisor.run()
