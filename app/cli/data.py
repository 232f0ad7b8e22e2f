"""The commands that look after the stored data: prune, backup and restore."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.refusal import fail, print_refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.retention.policy import Kind, Policy
    from app.settings import Settings
    from app.storage import Database

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

Kinds = Annotated[
    list[str] | None,
    typer.Argument(
        help="What to remove: models, checkpoints, datasets, jobs, events, idempotency_keys. Default: what the settings "
        "GRADD_KEEP_... name."
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would be removed, and remove nothing.")]
OlderThan = Annotated[
    str | None, typer.Option(help="Age at which the named kinds are removed, such as 30d, 12h or 2w.")
]


def prune(kinds: Kinds = None, dry_run: DryRun = False, older_than: OlderThan = None) -> None:
    """Remove old data, print each removal with the bytes that it frees, and give free space back to the disk.

    Nothing is removed that a job which has not ended needs.
    """
    from app.http.problem_details import error_of
    from app.retention.prune import find
    from app.retention.prune import prune as remove
    from app.settings import Settings
    from app.storage import Database
    from app.storage.space import give_back, remove_unused
    from core.errors import Refusal

    settings = Settings()
    policy = _policy(kinds or [], older_than, settings)
    database = Database(settings.database_url)
    total = 0
    try:
        database.refuse_unusable()
        for removal in find(database, policy) if dry_run else remove(database, policy):
            one = removal.candidate
            where = f" epoch {one.epoch}" if one.epoch else ""
            many = f" ({one.number:,})" if one.kind in ("events", "idempotency_keys") else ""
            typer.echo(f"{one.kind:<17}{one.id}{where}{many}{removal.bytes:>18,} bytes")
            total += removal.bytes
        typer.echo(f"{'would free' if dry_run else 'freed'} {total:,} bytes of tensors")
        if not dry_run:
            remove_unused(database)
            _print_size(database, give_back)
    except Refusal as refusal:
        print_refusal([error_of(issue) for issue in refusal.issues])
    finally:
        database.close()


def _print_size(database: Database, give_back: Callable[[Database], None]) -> None:
    if not database.is_sqlite:
        return
    file = Path(str(database.url.database))
    before = file.stat().st_size
    give_back(database)
    typer.echo(f"{file}: {before:,} -> {file.stat().st_size:,} bytes")


def _policy(names: list[str], older_than: str | None, settings: Settings) -> Policy:
    from app.retention.policy import KINDS, policy_of

    unknown = [name for name in names if name not in KINDS]
    if unknown:
        fail(f"{unknown[0]} is nothing that can be pruned: {', '.join(KINDS)}.")
    chosen: list[Kind] = [kind for kind in KINDS if kind in names]
    if older_than is not None:
        if not chosen:
            fail("Say what is removed at that age: gradd prune jobs events --older-than 30d")
        return dict.fromkeys(chosen, _age(older_than))
    policy = policy_of(settings)
    missing = [kind for kind in chosen if kind not in policy]
    if missing:
        fail(f"Nothing says at which age {missing[0]} are removed: add --older-than 30d, or a setting GRADD_KEEP_...")
    return {kind: age for kind, age in policy.items() if not chosen or kind in chosen}


def _age(text: str) -> timedelta:
    found = re.fullmatch(r"([0-9]{1,9})([smhdw])", text)
    if not found or timedelta(**{UNITS[found[2]]: int(found[1])}) > timedelta(days=36_500):
        fail(f"{text} is no age: a number and s, m, h, d or w, such as 30d.")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def backup(file: Annotated[Path, typer.Argument(help="File to write, such as gradd-monday.sqlite3.")]) -> None:
    """Copy the SQLite database to a new file while servers and workers go on."""
    from app.storage.backup import BackupError, back_up

    try:
        size = back_up(_database_file(), file)
    except BackupError as error:
        fail(str(error))
    typer.echo(f"{file}: {size:,} bytes")


def restore(file: Annotated[Path, typer.Argument(help="A file that `gradd backup` has written.")]) -> None:
    """Put a backup in the place of the SQLite database. Servers and workers must be stopped; the old file is kept."""
    from app.storage.backup import BackupError
    from app.storage.backup import restore as put_back

    database = _database_file()
    try:
        before = put_back(file, database)
    except BackupError as error:
        fail(str(error))
    typer.echo(f"{database} is the backup {file}." + (f" The former one is {before}." if before else ""))


def _database_file() -> Path:
    from app.settings import Settings
    from app.storage import Database

    database = Database(Settings().database_url)
    if not database.is_sqlite:
        fail("The database is PostgreSQL: docs/operations/storage.md has the commands (pg_dump and pg_restore).")
    return Path(str(database.url.database))
