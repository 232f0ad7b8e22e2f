"""The command `gradd`, and those of its commands that run the service."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from app import VERSION
from app.cli.data import backup, prune, restore
from app.cli.jobs import jobs
from app.cli.keys import keys
from app.cli.train import train

cli = typer.Typer(
    name="gradd",
    help="gradd, the gradient service: serve the API, train networks, follow jobs, look after the data and the keys.",
    epilog="Example: gradd serve --port 9000. `gradd COMMAND --help` explains a command.",
    no_args_is_help=True,
    add_completion=False,
)

Host = Annotated[
    str, typer.Option(help="Address to listen on: 127.0.0.1 is this machine alone, 0.0.0.0 every IPv4 address.")
]
Port = Annotated[int, typer.Option(help="Port to listen on, such as 9000; 0 takes a free one.", min=0, max=65535)]
Processes = Annotated[
    int,
    typer.Option(
        help="Number of server processes, at most one for each processor; 1 serves in this process.", min=1, max=256
    ),
]
WithWorker = Annotated[
    bool, typer.Option(help="Start a worker for training jobs, too; --no-worker serves the API alone.")
]
Check = Annotated[bool, typer.Option("--check", help="Only tell whether a worker of this host works.")]
AccessLog = Annotated[bool, typer.Option("--access-log", help="Log a line for every request.")]


@cli.command(epilog="Example: gradd serve --port 9000 --access-log")
def serve(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    processes: Processes = 1,
    worker: WithWorker = True,
    access_log: AccessLog = False,
) -> None:
    """Serve the API and the pages, with a worker for training jobs.

    Settings are environment variables, such as GRADD_DATA_DIR; docs/reference/settings.md lists them. Ctrl-C stops the
    service.
    """
    try:
        from app.cli.serving import run_server

        run_server(host, port, processes=processes, with_worker=worker, access_log=access_log)
    except KeyboardInterrupt:
        # The terminal has written ^C and stands behind it.
        typer.echo("\ngradd has stopped." if sys.stdout.isatty() else "gradd has stopped.")


cli.command("train", epilog="Example: gradd train job.json --output model.safetensors")(train)
cli.add_typer(jobs, name="jobs")
cli.add_typer(keys, name="keys")


@cli.command("worker", epilog="Example: GRADD_DATABASE_URL=postgresql://gradd@host/gradd gradd worker")
def work(check: Check = False) -> None:
    """Train jobs without serving the API. Any number of workers may share a PostgreSQL database.

    With --check nothing is trained: the exit status is 0 if a worker of this host holds a valid lease, else 1. It is the
    health check of a container.
    """
    if check:
        from app.cli.worker_check import check_worker

        check_worker()
        return
    from app.cli.serving import run_worker

    run_worker()


@cli.command(epilog="Example: GRADD_DATABASE_URL=postgresql://gradd@host/gradd gradd migrate")
def migrate() -> None:
    """Bring the tables of the database to this version. `gradd serve` does so itself for a SQLite file."""
    from app.cli.refusal import print_refusal
    from app.http.problem_details import error_of
    from app.settings import Settings
    from app.storage import Database
    from core.errors import Refusal

    database = Database(Settings().database_url)
    try:
        database.migrate()
    except Refusal as refusal:
        print_refusal([error_of(issue) for issue in refusal.issues])
    finally:
        database.close()


cli.command("prune", epilog="Example: gradd prune jobs events --older-than 30d --dry-run")(prune)
cli.command("backup", epilog="Example: gradd backup gradd-monday.sqlite3")(backup)
cli.command("restore", epilog="Example: gradd restore gradd-monday.sqlite3")(restore)


@cli.command(epilog="Example: gradd version")
def version() -> None:
    """Print the version."""
    typer.echo(VERSION)
