"""`gradd keys`: the API keys in the database of a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.refusal import print_refusal

if TYPE_CHECKING:
    from app.storage import Database
    from app.storage.tables.keys import StoredKey

keys = typer.Typer(
    help="Create, list and revoke API keys in the database that GRADD_DATABASE_URL or GRADD_DATA_DIR names.",
    epilog="Example: gradd keys create ada --scope compute --scope models --rate 20",
    no_args_is_help=True,
)


class ScopeName(StrEnum):
    """A scope of `app/access/scopes.py`, which is not imported here: help is immediate."""

    compute = "compute"
    models = "models"
    jobs = "jobs"
    admin = "admin"


Name = Annotated[str, typer.Argument(help="Whose key it is, for people, such as ada.", metavar="NAME")]
Scopes = Annotated[
    list[ScopeName] | None,
    typer.Option(
        "--scope",
        help="What the key may do, once or more: compute; models (and datasets); jobs; admin (everything, also what belongs "
        "to other keys, and the metrics). Default: compute, models and jobs.",
    ),
]
Rate = Annotated[float | None, typer.Option(min=1e-6, help="Requests a second, such as 20 or 0.5.")]
Burst = Annotated[int | None, typer.Option(min=1, help="Requests that may come at once. Default: those of a second.")]
Concurrency = Annotated[int | None, typer.Option(min=1, help="Requests that are answered at the same time, such as 4.")]
Operations = Annotated[
    float | None, typer.Option(min=1, help="Floating-point operations a minute, such as 1e12.", metavar="FLOAT")
]
StorageBytes = Annotated[
    int | None, typer.Option(min=1, help="Bytes of models, datasets and checkpoints, such as 1000000000.")
]
Jobs = Annotated[int | None, typer.Option(min=1, help="Jobs that are queued or running, such as 10.")]
Succeeds = Annotated[
    str | None,
    typer.Option(help="Id of a key whose models, datasets and jobs the new one owns too, to replace it.", metavar="ID"),
]
KeyId = Annotated[str, typer.Argument(help="Id of the key, such as 1f0c9a3b5d7e; `gradd keys list` shows the ids.")]


@keys.command(epilog="Example: gradd keys create ada --scope compute --rate 20 --burst 100")
def create(
    name: Name,
    scope: Scopes = None,
    rate: Rate = None,
    burst: Burst = None,
    concurrency: Concurrency = None,
    operations: Operations = None,
    storage_bytes: StorageBytes = None,
    jobs: Jobs = None,
    succeeds: Succeeds = None,
) -> None:
    """Create a key and print it, this once: the database has only a hash of it.

    A limit that is left out has the default of the settings GRADD_KEY_..., which is unlimited.
    """
    from app.access import repository
    from app.access.scopes import DEFAULT_SCOPES
    from app.http.caller import Quota

    scopes = list(dict.fromkeys(each.value for each in scope)) if scope else DEFAULT_SCOPES
    quota = Quota(rate, burst, concurrency, operations, storage_bytes, jobs)
    with _database() as database:
        row, text = repository.create_key(database, name[:200], scopes, quota, succeeds=succeeds)
    typer.echo(f"Key {row.id} of {row.name} may do: {', '.join(scopes)}. It is shown only now:", err=True)
    typer.echo(text)


@keys.command("list", epilog="Example: gradd keys list")
def list_keys() -> None:
    """List the keys with their scopes and limits. The keys themselves are not known."""
    from rich.console import Console
    from rich.table import Column, Table

    from app.access import repository

    with _database() as database:
        rows = repository.list_keys(database)
    table = Table(Column("id", min_width=12), "name", "scopes", "limits", "created", "revoked", box=None)
    for row in rows:
        succeeds = f" (for {row.owner})" if row.owner != row.id else ""
        revoked = f"{row.revoked_at:%Y-%m-%d}" if row.revoked_at else ""
        table.add_row(
            row.id, row.name + succeeds, " ".join(row.scopes), _limits_of(row), f"{row.created_at:%Y-%m-%d}", revoked
        )
    Console().print(table)


@keys.command(epilog="Example: gradd keys revoke 1f0c9a3b5d7e")
def revoke(key: KeyId) -> None:
    """Revoke a key for good; servers that run refuse it within 5 seconds. What it owns stays."""
    from app.access import repository

    with _database() as database:
        row = repository.revoke_key(database, key)
    typer.echo(f"Key {row.id} of {row.name} is revoked.")


def _limits_of(row: StoredKey) -> str:
    """Return the limits that a key has itself."""
    limits = {
        "requests/s": row.rate,
        "at once": row.burst,
        "at a time": row.concurrency,
        "operations/min": row.operations,
        "bytes": row.storage_bytes,
        "jobs": row.jobs,
    }
    return ", ".join(f"{value:g} {name}" for name, value in limits.items() if value is not None)


@contextmanager
def _database() -> Iterator[Database]:
    """Open the database of the settings. A refusal ends the command."""
    from app.http.problem_details import error_of
    from app.settings import Settings
    from app.storage import Database
    from core.errors import Refusal

    database = Database(Settings().database_url)
    try:
        if database.is_sqlite:
            database.migrate()
        yield database
    except Refusal as refusal:
        print_refusal([error_of(issue) for issue in refusal.issues])
    finally:
        database.close()
