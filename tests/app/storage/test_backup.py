"""A backup made while the service writes is complete; a restoration replaces nothing that is in use or better."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import numpy as np
import pytest
from typer.testing import CliRunner

from app.cli.serve import cli
from app.datasets.repository import save_dataset
from app.storage import Database
from app.storage.backup import BackupError, back_up, restore
from core.dataset import Dataset
from examples.server import running_server

pytestmark = pytest.mark.slow


def stored(database: Database, value: float, size: int = 1000) -> str:
    return save_dataset(database, Dataset({"": np.full((1, size), value)}, None), {})[0].id


def database_in(folder: Path) -> Database:
    database = Database(f"sqlite:///{folder / 'gradd.sqlite3'}")
    database.migrate()
    return database


def names_in(file: Path) -> list[str]:
    connection = sqlite3.connect(file)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    found = [row[0] for row in connection.execute("SELECT id FROM datasets ORDER BY number")]
    connection.close()
    return found


def test_a_backup_is_of_one_moment_while_others_write(tmp_path: Path) -> None:
    database = database_in(tmp_path)
    before = [stored(database, float(value), 100_000) for value in range(10)]
    done = threading.Event()

    def write() -> None:
        value = 100.0
        while not done.is_set():
            stored(database, value)
            value += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            back_up(tmp_path / "gradd.sqlite3", tmp_path / f"copy{number}")
    finally:
        done.set()
        writer.join()
    for number in range(5):
        file = tmp_path / f"copy{number}"
        assert names_in(file)[:10] == before
        connection = sqlite3.connect(file)
        incomplete = "SELECT count(*) FROM datasets WHERE content NOT IN (SELECT digest FROM pieces)"
        assert connection.execute(incomplete).fetchone() == (0,)
        connection.close()
    assert not list(tmp_path.glob("*.partial"))
    database.close()


def test_the_commands_bring_back_what_was_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADD_DATA_DIR", str(tmp_path))
    copy = tmp_path / "monday.sqlite3"
    with running_server(GRADD_DATA_DIR=str(tmp_path)) as server, httpx.Client(base_url=server) as client:
        data = client.post("/v1/datasets", json={"inputs": [[1, 2]]}).json()["id"]
        assert CliRunner().invoke(cli, ["backup", str(copy)]).exit_code == 0
        assert client.delete(f"/v1/datasets/{data}").status_code == 204
        result = CliRunner().invoke(cli, ["restore", str(copy)])
        assert result.exit_code == 1
        assert "A server, a worker or another program uses it" in result.output
        assert client.get("/v1/datasets").json()["data"] == []
    result = CliRunner().invoke(cli, ["restore", str(copy)])
    assert result.exit_code == 0, result.output
    (aside,) = tmp_path.glob("gradd.sqlite3.before-*")
    assert names_in(aside) == []
    with running_server(GRADD_DATA_DIR=str(tmp_path)) as server:
        assert [row["id"] for row in httpx.get(f"{server}/v1/datasets").json()["data"]] == [data]
    assert CliRunner().invoke(cli, ["backup", str(copy)]).exit_code == 1


def test_a_worker_keeps_its_database(tmp_path: Path) -> None:
    import os

    database = database_in(tmp_path)
    copy = tmp_path / "copy"
    back_up(tmp_path / "gradd.sqlite3", copy)
    database.close()
    command = [sys.executable, "-m", "app.worker"]
    environment = {**os.environ, "GRADD_DATA_DIR": str(tmp_path)}
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as worker:
        try:
            assert worker.stderr is not None
            while "is ready" not in worker.stderr.readline():
                assert worker.poll() is None
            with pytest.raises(BackupError, match="a worker"):
                restore(copy, tmp_path / "gradd.sqlite3")
        finally:
            worker.kill()
    assert restore(copy, tmp_path / "gradd.sqlite3") is not None


def damaged(file: Path) -> None:
    content = bytearray(file.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xff" * 4096
    file.write_bytes(bytes(content))


def newer(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()


def foreign(file: Path) -> None:
    file.unlink()
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE others (a)")
    connection.close()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (damaged, "damaged"),
        (newer, "newer version"),
        (foreign, "not one of gradd"),
        (lambda file: file.write_bytes(b"PK" * 5000), "no SQLite database"),
        (lambda file: file.write_bytes(file.read_bytes()[:20_000]), "damaged"),
        (lambda file: file.unlink(), "There is no file"),
    ],
)
def test_what_is_no_backup_replaces_nothing(tmp_path: Path, spoil: object, reason: str) -> None:
    database = database_in(tmp_path)
    kept = [stored(database, 1.0, 10_000)]
    copy = tmp_path / "copy"
    back_up(tmp_path / "gradd.sqlite3", copy)
    database.close()
    assert callable(spoil)
    spoil(copy)
    with pytest.raises(BackupError, match=reason):
        restore(copy, tmp_path / "gradd.sqlite3")
    assert names_in(tmp_path / "gradd.sqlite3") == kept
