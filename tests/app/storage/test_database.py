"""The database: its tables are those of the classes, migrations may race, transactions hold."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

import httpx
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, func, inspect, select, text
from sqlalchemy.pool import NullPool
from typer.testing import CliRunner

from app.cli.serve import cli
from app.examples import XOR
from app.storage import Database, Table, migration
from app.storage.base import now
from app.storage.blobs import Content
from app.storage.tables.datasets import StoredDataset
from app.storage.tables.jobs import WorkerLease
from core.errors import Refusal
from examples.server import running_server
from tests.server import refused

pytestmark = pytest.mark.slow

MODEL = {key: XOR[key] for key in ("network", "parameters", "convention")}


def connection_to(database: Database) -> Connection:
    return create_engine(database.url, poolclass=NullPool).connect()


def test_the_migrated_tables_are_those_of_the_classes(database: Database) -> None:
    with connection_to(database) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Table.metadata) == []
    assert database.is_current()


def test_every_migration_can_be_undone(database: Database) -> None:
    with connection_to(database) as connection, connection.begin():
        configuration = migration._configuration()
        configuration.attributes["connection"] = connection
        command.downgrade(configuration, "base")
    with connection_to(database) as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
    assert not database.is_current()


def test_processes_that_migrate_at_once_leave_one_database(address: str) -> None:
    program = f"from app.storage import Database; Database({address!r}).migrate()"
    processes = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    database = Database(address)
    assert database.is_current()
    database.close()


def test_a_file_is_in_write_ahead_mode_and_knows_foreign_keys(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new folder' / 'file'}")
    database.migrate()
    with database.read() as session:
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"
        assert session.scalar(text("PRAGMA foreign_keys")) == 1
    database.close()


def test_threads_that_read_and_then_write_lose_nothing(database: Database) -> None:
    with database.write() as session:
        session.add(Content(digest="a", size=0))

    def count(_: int) -> None:
        for _ in range(5):
            with database.write() as session:
                content = session.scalars(select(Content).with_for_update()).one()
                content.size += 1

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(count, range(8)))
    with database.read() as session:
        assert session.scalar(select(Content.size)) == 40


def test_everything_that_is_read_is_of_one_moment(database: Database) -> None:
    count = select(func.count()).select_from(WorkerLease)
    with database.read() as session:
        assert session.scalar(count) == 0
        with database.write() as other:
            other.add(WorkerLease(id="new", holder="", lease_until=now()))
        assert session.scalar(count) == 0
    with database.read() as session:
        assert session.scalar(count) == 1


def test_an_exception_undoes_the_whole_block(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write() as session:
        session.add(Content(digest="a", size=0))
        session.flush()
        raise RuntimeError
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Content)) == 0


def test_a_database_that_was_not_migrated_is_refused(address: str) -> None:
    database = Database(address)
    assert not database.is_current()
    with pytest.raises(Refusal, match="does not answer") as caught, database.read() as session:
        session.scalar(select(Content.size))
    assert caught.value.issues[0].code == "not-ready"
    database.close()


def test_a_server_that_is_not_there_is_refused() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none")
    assert not database.is_current()
    with pytest.raises(Refusal, match="does not answer"), database.write() as session:
        session.scalar(select(Content.size))


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/name", "sqlite://", "sqlite:///:memory:"])
def test_addresses_of_no_database_we_know_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="GRADD_DATABASE_URL"):
        Database(url)


def test_times_come_back_in_utc(database: Database) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=timezone(timedelta(hours=2)))
    with database.write() as session:
        session.add(Content(digest="a", size=0))
        session.flush()
        session.add(StoredDataset(id="dst_a", content="a", examples=1, description={}, created_at=moment))
    with database.read() as session:
        found = session.scalars(select(StoredDataset)).one().created_at
    assert found == moment
    assert found.utcoffset() == timedelta(0)


def test_the_command_migrates_and_a_server_keeps_models_there(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADD_DATABASE_URL", address)
    assert CliRunner().invoke(cli, ["migrate"]).exit_code == 0
    with running_server(GRADD_DATABASE_URL=address) as server, httpx.Client(base_url=server) as client:
        assert client.get("/readyz").json()["checks"]["database"] == "current"
        with ThreadPoolExecutor(6) as threads:
            made = list(threads.map(lambda _: client.post("/v1/models", json=MODEL), range(12)))
        assert sorted(response.status_code for response in made) == [200] * 11 + [201]
        identity = made[0].json()["id"]
        assert client.get(f"/v1/models/{identity}").json()["parameters"] == MODEL["parameters"]
        data = client.post("/v1/datasets", json={"inputs": [[1, 2]], "name": "a"}).json()
        assert client.get("/v1/datasets").json()["data"] == [data]
        for strange in ("%00", "mdl_%00", "%ED%A0%80", "a%0Ab", "%C3%A9", "x" * 5000, "'", "%25"):
            for kind in ("models", "datasets"):
                refused(client.get(f"/v1/{kind}/{strange}"), 404, "not-found")
                refused(client.delete(f"/v1/{kind}/{strange}"), 404, "not-found")
                refused(client.get(f"/v1/{kind}?after={strange}"), 422)
            refused(client.patch(f"/v1/models/{strange}", json={"name": "a"}), 404, "not-found")
        problem = client.post("/v1/forward", json={"model": "\0", "batch": {"inputs": [[1]]}})
        assert refused(problem, 422, "unknown-name").errors[0].pointer == "#/model"
        for path in (f"/v1/models/{identity}", f"/v1/datasets/{data['id']}"):
            assert client.delete(path).status_code == 204


def test_a_server_that_waits_for_its_migration_says_so() -> None:
    with running_server(GRADD_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none") as server:
        problem = refused(httpx.get(f"{server}/readyz"), 503, "not-ready")
    assert "gradd migrate" in (problem.errors[0].hint or "")
