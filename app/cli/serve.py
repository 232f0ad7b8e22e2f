"""The command `gradd`."""

from __future__ import annotations

import signal
from contextlib import nullcontext
from typing import Annotated

import typer
import uvicorn

from app import VERSION
from app.cli.jobs import jobs
from app.cli.train import train
from app.settings import Settings
from app.storage import Database
from app.worker.supervisor import Supervisor

cli = typer.Typer(name="gradd", help="gradd: the gradient service.", no_args_is_help=True, add_completion=False)


cli.add_typer(jobs, name="jobs")
cli.command("train")(train)


@cli.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000,
    worker: Annotated[bool, typer.Option(help="Whether to train jobs, too.")] = True,
) -> None:
    """Serve the API, with a worker for training jobs. Settings are environment variables GRADD_*; the README lists them."""
    config = uvicorn.Config("app.main:app", host=host, port=port, timeout_graceful_shutdown=10, server_header=False)
    # First of all: where the port is taken there is no worker to be started.
    socket = config.bind_socket()
    with socket, Supervisor(Settings()) if worker else nullcontext():
        server = uvicorn.Server(config)
        server.run(sockets=[socket])
    if not server.started:
        raise typer.Exit(3)


@cli.command("worker")
def work() -> None:
    """Train jobs, without serving the API. Any number of these may share a PostgreSQL database."""
    supervisor = Supervisor(Settings())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.stop())
    supervisor.run()


@cli.command()
def migrate() -> None:
    """Bring the database to this version. `gradd serve` does it by itself where the database is a SQLite file."""
    database = Database(Settings().database_url)
    try:
        database.migrate()
    finally:
        database.close()


@cli.command()
def version() -> None:
    """Print the version."""
    typer.echo(VERSION)
