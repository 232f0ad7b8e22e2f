"""A database for a test: SQLite always, PostgreSQL where GRADD_TEST_POSTGRES names a server."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from app.storage import Database

# Of an address with a database in it, the server: every test makes a database of its own there.
POSTGRES = "/".join(os.environ.get("GRADD_TEST_POSTGRES", "").split("/")[:3])
without_postgres = pytest.mark.skipif(not POSTGRES, reason="GRADD_TEST_POSTGRES names no server")


BOTH = ["sqlite", pytest.param("postgresql", marks=without_postgres)]


@pytest.fixture(params=BOTH)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database."""
    with empty_database(request.param, tmp_path) as address:
        yield address


@contextmanager
def empty_database(kind: str, folder: Path) -> Iterator[str]:
    """The address of an empty database of a kind, for as long as the block lasts."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'a database.sqlite3'}"
        return
    name = f"gradd_{uuid.uuid4().hex}"
    with psycopg.connect(f"{POSTGRES}/postgres", autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        yield f"{POSTGRES}/{name}"
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(address: str) -> Iterator[Database]:
    """A database with its tables."""
    database = Database(address)
    database.migrate()
    yield database
    database.close()
