"""Databases of every released version are migrated with what they hold; those of newer ones are used or refused."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import httpx
import psycopg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, create_engine, select, text
from sqlalchemy.pool import NullPool

from app.models.repository import load_model
from app.storage import Database, migration
from app.storage.migration import SchemaState
from app.storage.space import remove_unused
from core.errors import Refusal
from examples.server import running_server
from tests.app.conftest import POSTGRES, without_postgres
from tests.server import refused

pytestmark = pytest.mark.slow

FILES = sorted((Path(__file__).parent / "versions").glob("*.sql"))


def filled(address: str, dump: Path) -> None:
    """Make the database as the version of a dump left it: its own statements on SQLite, its rows on PostgreSQL."""
    source = sqlite3.connect(address.removeprefix("sqlite:///") if address.startswith("sqlite") else ":memory:")
    source.executescript(dump.read_text())
    source.commit()
    if not address.startswith("sqlite"):
        database = Database(address)
        engine = create_engine(database.url, poolclass=NullPool)
        with engine.begin() as connection:
            configuration = migration._configuration()
            configuration.attributes["connection"] = connection
            command.upgrade(configuration, dump.stem)
            tables = MetaData()
            tables.reflect(connection)
        memory = create_engine("sqlite://", creator=lambda: source)
        with engine.begin() as connection, memory.connect() as reading:
            for table in tables.sorted_tables:
                rows = [dict(row._mapping) for row in reading.execute(select(table))]
                if rows and table.name != "alembic_version":
                    connection.execute(table.insert(), rows)
        database.close()
    source.close()


@pytest.mark.parametrize("dump", FILES, ids=lambda file: file.stem)
def test_what_a_released_version_stored_is_there_after_the_migration(address: str, dump: Path) -> None:
    filled(address, dump)
    database = Database(address)
    assert database.schema_state() is SchemaState.OLDER
    assert not database.is_current()
    database.migrate()
    assert database.schema_state() is SchemaState.CURRENT
    assert remove_unused(database) == 0
    with database.read() as session:
        (identity,) = session.scalars(text("SELECT id FROM models WHERE name = 'of this version'")).all()
    model = load_model(database, identity)
    assert model.parameters["1"]["weight"].tolist() == [[1.5, -2.0], [0.25, 3.0]]
    database.close()
    with running_server(GRADD_DATABASE_URL=address) as server, httpx.Client(base_url=server) as client:
        assert client.get("/readyz").status_code == 200
        assert [row["name"] for row in client.get("/v1/datasets").json()["data"]] == ["three"]
        jobs = client.get("/v1/jobs").json()["data"]
        assert [job["status"] for job in jobs] == (["queued"] if dump.stem != "0001" else [])


def test_there_is_a_dump_of_every_version_but_the_last() -> None:
    steps = [script.revision for script in ScriptDirectory.from_config(migration._configuration()).walk_revisions()]
    assert [file.stem for file in FILES] == sorted(steps)[: len(FILES)]
    assert len(FILES) >= 3


def ahead(database: Database, since: str | None) -> None:
    """Let a version that does not exist yet migrate the database."""
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        if since is not None:
            session.execute(text("INSERT INTO schema_versions VALUES ('9999', :since)"), {"since": since})


def test_a_process_goes_on_with_a_newer_database_that_says_so(database: Database, address: str) -> None:
    with running_server(GRADD_DATABASE_URL=address) as server, httpx.Client(base_url=server) as client:
        ahead(database, "0005")
        assert database.schema_state() is SchemaState.COMPATIBLE
        assert client.get("/readyz").json()["checks"]["database"] == "compatible"
        database.migrate()
        assert database.schema_state() is SchemaState.COMPATIBLE
        with database.write() as session:
            session.execute(text("UPDATE schema_versions SET compatible_since = '9998' WHERE revision = '9999'"))
        refused(client.get("/readyz"), 503, "not-ready")


def started(*arguments: str, address: str) -> subprocess.CompletedProcess[str]:
    import os

    command = [sys.executable, "-m", "app.cli", *arguments]
    return subprocess.run(
        command, env={**os.environ, "GRADD_DATABASE_URL": address}, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("arguments", [("serve", "--port", "0"), ("worker",), ("migrate",), ("prune",)])
def test_a_newer_database_is_refused_at_start_in_one_sentence(
    database: Database, address: str, arguments: tuple[str, ...]
) -> None:
    ahead(database, None)
    with pytest.raises(Refusal, match="newer version"):
        database.refuse_unusable()
    result = started(*arguments, address=address)
    assert result.returncode == 1
    assert "migrated by a newer version of gradd" in result.stderr
    assert "Traceback" not in result.stderr


@without_postgres
def test_another_encoding_is_refused_at_start_in_one_sentence() -> None:
    with psycopg.connect(f"{POSTGRES}/postgres", autocommit=True) as server:
        server.execute("CREATE DATABASE gradd_ascii ENCODING SQL_ASCII LOCALE 'C' TEMPLATE template0")
        try:
            for arguments in (("migrate",), ("serve", "--port", "0")):
                result = started(*arguments, address=f"{POSTGRES}/gradd_ascii")
                assert result.returncode == 1
                assert "has the encoding SQL_ASCII; gradd needs UTF8" in result.stderr
                assert "Traceback" not in result.stderr
        finally:
            server.execute("DROP DATABASE gradd_ascii WITH (FORCE)")
