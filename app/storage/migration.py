"""Migrations: the steps in `migrations/versions/`, run by Alembic in one transaction."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

FOLDER = Path(__file__).parent / "migrations"
LOCK = 0x67726164
"""Key of the PostgreSQL advisory lock that one migration at a time holds ("grad" in ASCII)."""


def run(connection: Connection) -> None:
    """Run the steps that this database has not seen. The caller's transaction commits all of them or none."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    configuration = _configuration()
    configuration.attributes["connection"] = connection
    command.upgrade(configuration, "head")


def is_current(connection: Connection) -> bool:
    """Return whether every step has been run."""
    reached = MigrationContext.configure(connection).get_current_heads()
    return set(reached) == set(ScriptDirectory.from_config(_configuration()).get_heads())


def _configuration() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    configuration.set_main_option("path_separator", "os")
    return configuration
