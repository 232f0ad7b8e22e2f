"""Migrations: the steps in `migrations/versions/`, run by Alembic in one transaction."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, column, inspect, select, table, text

from core.errors import Refusal

FOLDER = Path(__file__).parent / "migrations"
LOCK = 0x67726164
"""Key of the PostgreSQL advisory lock that one migration at a time holds ("grad" in ASCII)."""


class SchemaState(StrEnum):
    """How the tables of a database relate to the migration steps of this version."""

    MISSING = "missing"
    """There are no tables."""

    OLDER = "older"
    """Steps of this version have not been run: `gradd migrate` runs them."""

    CURRENT = "current"
    COMPATIBLE = "compatible"
    """A newer version has migrated the tables, and says that this one still works with them."""

    NEWER = "newer"
    """A newer version has migrated the tables, and this one does not work with them."""

    @property
    def is_usable(self) -> bool:
        """Whether this version works with the tables."""
        return self in (SchemaState.CURRENT, SchemaState.COMPATIBLE)


def run(connection: Connection) -> None:
    """Run the steps that this database has not seen. The caller's transaction commits all of them or none.

    Raises:
        Refusal: `not-ready`, if a newer version has migrated the tables.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    state = state_of(connection)
    refuse_newer(state)
    if state is SchemaState.COMPATIBLE:
        return
    configuration = _configuration()
    configuration.attributes["connection"] = connection
    command.upgrade(configuration, "head")
    _record(connection)


def refuse_newer(state: SchemaState) -> None:
    """Refuse tables that this version does not work with and cannot migrate.

    Raises:
        Refusal: `not-ready`.
    """
    if state is SchemaState.NEWER:
        detail = "The database was migrated by a newer version of gradd, and this version does not work with it."
        raise Refusal.of("not-ready", detail, hint="Run the newer version, or restore a backup of this one.")


def state_of(connection: Connection) -> SchemaState:
    """Return how the tables relate to the steps of this version."""
    reached = MigrationContext.configure(connection).get_current_revision()
    if reached is None:
        return SchemaState.MISSING
    scripts = _scripts()
    head = scripts.get_current_head()
    if reached == head:
        return SchemaState.CURRENT
    if reached in {script.revision for script in scripts.walk_revisions()}:
        return SchemaState.OLDER
    if not inspect(connection).has_table(_VERSIONS.name):
        return SchemaState.NEWER
    since = connection.scalar(select(_VERSIONS.c.compatible_since).where(_VERSIONS.c.revision == reached))
    return SchemaState.COMPATIBLE if since is not None and head is not None and since <= head else SchemaState.NEWER


def _record(connection: Connection) -> None:
    """Write the steps into the database, for processes that do not know them. Their numbers ascend as texts."""
    known = set(connection.scalars(select(_VERSIONS.c.revision)))
    for script in _scripts().walk_revisions():
        if script.revision not in known:
            since = getattr(script.module, "compatible_since", script.revision)
            connection.execute(_VERSIONS.insert().values(revision=script.revision, compatible_since=since))


_VERSIONS = table("schema_versions", column("revision"), column("compatible_since"))


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_configuration())


def _configuration() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    configuration.set_main_option("path_separator", "os")
    return configuration
