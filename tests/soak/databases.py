"""The databases on which a part runs: SQLite, and PostgreSQL where GRADD_TEST_POSTGRES names a server."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.storage import Database
from tests.app.conftest import POSTGRES, empty_database


def kinds() -> list[str]:
    """Return the kinds of databases that are there."""
    return ["sqlite", "postgresql"] if POSTGRES else ["sqlite"]


@contextmanager
def migrated(kind: str) -> Iterator[Database]:
    """Open a new database of a kind with its tables, for as long as the block lasts."""
    with tempfile.TemporaryDirectory() as folder, empty_database(kind, Path(folder)) as address:
        database = Database(address)
        database.migrate()
        try:
            yield database
        finally:
            database.close()


def address_of(database: Database) -> str:
    """Return the URL of a database for GRADD_DATABASE_URL."""
    return database.url.set(drivername=database.url.get_backend_name()).render_as_string(hide_password=False)
