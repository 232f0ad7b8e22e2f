"""Backups of a SQLite database, made while it is in use, and their restoration."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from app.storage import migration
from app.storage.disk_full import is_disk_full

LOCKED_SECONDS = 1.0
"""Seconds to wait for the lock that shows that nobody uses the file."""


class BackupError(Exception):
    """A backup or a restoration was not done. The message says why; the database is as before."""


def back_up(source: Path, target: Path) -> int:
    """Write a copy of a database at one moment to a new file, and return its size. Readers and writers go on.

    Raises:
        BackupError: if the target exists, the source is no database, or the disk is full.
    """
    if target.exists():
        raise BackupError(f"{target} exists already. Choose another name.")
    if not source.is_file():
        raise BackupError(f"There is no database {source}.")
    with _copied(source, target.with_name(f"{target.name}.partial"), f"{target} was not written") as partial:
        os.replace(partial, target)
        _sync(target.absolute().parent)
    return target.stat().st_size


def restore(source: Path, target: Path) -> Path | None:
    """Put a backup in the place of a database that nobody uses.

    Returns:
        The file that has the former database; None if there was none.

    Raises:
        BackupError: if the database is in use, the backup is damaged or of a newer version, or the disk is full.
    """
    _refuse_damaged(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    with _copied(source, target.with_name(f"{target.name}.restoring"), f"{source} was not restored") as partial:
        before = _set_aside(target) if target.exists() else None
        os.replace(partial, target)
        _sync(target.absolute().parent)
    return before


@contextmanager
def _copied(source: Path, partial: Path, failure: str) -> Iterator[Path]:
    """Copy a database to a file that the block moves to its place. What is left of it is removed.

    Raises:
        BackupError: with the failure and its reason, if the copy or the block failed.
    """
    try:
        _copy(source, partial)
        _sync(partial)
        yield partial
    except (OSError, sqlite3.Error) as error:
        reason = "no space is left on its disk" if is_disk_full(error) else str(error)
        raise BackupError(f"{failure}: {reason}.") from error
    finally:
        partial.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    """Copy a database in one read transaction, as a single file without a log beside it."""
    target.unlink(missing_ok=True)
    uri = f"{source.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as read, closing(sqlite3.connect(target)) as write:
        read.backup(write)
        write.execute("PRAGMA journal_mode = DELETE")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _set_aside(database: Path) -> Path:
    """Rename a database that nobody uses, complete in one file, and return its new name.

    Raises:
        BackupError: if a process has it open.
    """
    with closing(sqlite3.connect(database, timeout=LOCKED_SECONDS)) as connection:
        try:
            # Leaving the write-ahead log needs every other connection to be closed.
            mode = connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            mode = "in use"
        if mode != "delete":
            detail = "A server, a worker or another program uses it. Stop them first."
            raise BackupError(f"{database} cannot be replaced. {detail}")
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        aside = database.with_name(f"{database.name}.before-{moment}")
        os.replace(database, aside)
    return aside


def _refuse_damaged(file: Path) -> None:
    """Refuse a file that is not a complete database of this version or an older one.

    Raises:
        BackupError: with the reason.
    """
    if not file.is_file():
        raise BackupError(f"There is no file {file}.")
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
            if found != ["ok"]:
                raise BackupError(f"{file} is damaged: {found[0]}.")
            if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
                raise BackupError(f"{file} is damaged: a row refers to one that it lacks.")
    except sqlite3.Error as error:
        raise BackupError(f"{file} is no SQLite database, or it is damaged: {error}.") from error
    engine = create_engine(f"sqlite:///{file}", poolclass=NullPool)
    with engine.connect() as connection:
        state = migration.state_of(connection)
    if state is migration.SchemaState.MISSING:
        raise BackupError(f"{file} is a SQLite database, but not one of gradd.")
    if state is migration.SchemaState.NEWER:
        raise BackupError(f"{file} comes from a newer version of gradd. Restore it with that version.")
