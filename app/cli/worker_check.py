"""`gradd worker --check`: whether a worker of this host works."""

from __future__ import annotations

import typer

from app.cli.refusal import fail
from app.jobs import leases
from app.settings import Settings
from app.storage import Database
from core.errors import Refusal


def check_worker() -> None:
    """Print the worker of this host that holds a valid lease, or end the command with status 1 if there is none."""
    database = Database(Settings().database_url, patience_seconds=2)
    try:
        with database.read() as session:
            alive = leases.alive_on_this_host(session)
    except Refusal as refusal:
        fail(refusal.issues[0].detail)
    finally:
        database.close()
    if not alive:
        fail("No worker of this host holds a valid lease.")
    typer.echo(f"Alive: {', '.join(alive)}.")
