"""A full disk: every write is refused as a whole, whichever of its pages no longer fits, and nothing before is lost."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import event, text

from app.datasets.repository import save_dataset
from app.jobs import checkpoints
from app.jobs.repository import find
from app.models.repository import save_model
from app.storage import Database, space
from app.storage.base import now
from app.storage.tables.jobs import StoredJob
from core.dataset import Dataset
from core.errors import Refusal
from core.layers.dense import Dense
from core.model import Model
from core.training import TrainingState
from core.training.stepper import OptimizerState
from examples.server import running_server
from tests.app.jobs.service import WorkerProcess, events_of, long_job, posted, wait_until
from tests.server import refused

pytestmark = pytest.mark.slow


def tables_of(database: Database) -> dict[str, Any]:
    """Every row of every table, and a healthy file."""
    with database.read() as session:
        assert session.scalar(text("PRAGMA integrity_check")) == "ok"
        names = session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")).all()
        return {name: session.execute(text(f'SELECT * FROM "{name}"')).all() for name in names}


def model_of(value: float) -> Model:
    return Model([Dense(units=64)], {"1": {"weight": np.full((512, 64), value), "bias": np.zeros(64)}})


def a_model(database: Database, value: float) -> None:
    save_model(database, model_of(value), name="m")


def a_dataset(database: Database, value: float) -> None:
    save_dataset(database, Dataset({"": np.full((64, 512), value)}, None), {"a": 1}, name="d")


def a_checkpoint(database: Database, value: float) -> None:
    with database.write() as session:
        job = find(session, "job_a", lock=True)
        model = model_of(value)
        state = TrainingState(int(value), model.parameters, {}, OptimizerState(int(value)))
        checkpoints.save(session, job, model.layers, state, {"epoch": int(value), "loss": 1.0 / value})


def with_a_job(database: Database) -> None:
    with database.write() as session:
        counts = {"parts": 0, "fencing_token": 0, "attempts": 0, "events": 0, "reported": 0}
        more: dict[str, Any] = {"request": {}, "progress": {}, "status": "running", "created_at": now()}
        session.add(StoredJob(id="job_a", **counts, **more))


@pytest.mark.parametrize("write", [a_model, a_dataset, a_checkpoint])
def test_a_write_that_does_not_fit_leaves_nothing(tmp_path: Path, write: Callable[[Database, float], None]) -> None:
    """The file may grow by n pages, for every n until the write fits: SQLite fails at each of its allocations."""
    database = Database(f"sqlite:///{tmp_path / 'gradd.sqlite3'}")
    database.migrate()
    with_a_job(database)
    for value in (1.0, 3.0, 4.0):
        write(database, value)
    space.give_back(database)  # Pages that earlier checkpoints had would take the next one without the disk.
    before = tables_of(database)
    ((pages,),) = database.run_pragma("PRAGMA page_count")
    limit = [pages]

    @event.listens_for(database._engine, "checkout")
    def limited(connection: Any, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {limit[0]}")

    failures = 0
    while True:
        try:
            write(database, 5.0)
            break
        except Refusal as refusal:
            assert refusal.issues[0].code == "insufficient-storage", refusal.__cause__
            assert "No space is left" in str(refusal)
        assert tables_of(database) == before
        failures += 1
        limit[0] += 1
    assert failures > 30, "each page of the write has failed once"
    assert tables_of(database) != before
    database.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("file systems can only be mounted by root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(folder: Path, leave: int = 0) -> Path:
    """Take the free space of a disk, but for some bytes. What is written there meanwhile may take some of it."""
    file = folder / "filler"
    free = os.statvfs(folder)
    size = max(0, free.f_bavail * free.f_frsize - leave)
    with suppress(OSError):
        file.write_bytes(bytes(size))
    return file


def test_a_server_on_a_full_disk_says_so_and_recovers(small_disk: Path) -> None:
    settings = {"GRADD_DATA_DIR": str(small_disk), "GRADD_MIN_FREE_BYTES": "100000", "GRADD_PRUNE_SECONDS": "0"}
    with running_server(**settings) as address, httpx.Client(base_url=address, timeout=60) as client:
        kept, other = (client.post("/v1/datasets", json={"inputs": [[1, value]]}).json()["id"] for value in (2, 3))
        assert client.get("/readyz").json()["checks"]["space"] == "free"
        filler = fill(small_disk, 90_000)
        problem = refused(client.get("/readyz"), 503, "not-ready")
        assert "fewer than the reserve" in problem.detail
        refused(client.post("/v1/datasets", json={"inputs": [[3, 4]]}), 507, "insufficient-storage")
        assert client.delete(f"/v1/datasets/{other}").status_code == 204, "deletions have the reserve"
        filler.unlink()
        filler = fill(small_disk)
        problem = refused(client.get("/readyz"), 503, "not-ready")
        assert "test write" in problem.detail
        large = {"inputs": np.arange(30_000).reshape(10, -1).tolist()}
        layers = [{"kind": "dense", "units": 300}]
        weights = {"1": {"weight": np.arange(9_000.0).reshape(30, 300).tolist()}}
        job = long_job(1)
        for path, body in (
            ("/v1/datasets", large),
            ("/v1/models", {"network": {"layers": layers}, "parameters": weights, "convention": "row"}),
            ("/v1/jobs", job),
        ):
            refused(client.post(path, json=body), 507, "insufficient-storage")
        refused(client.post("/v1/models/import", content=bytes(100_000)), 507, "insufficient-storage")
        assert [row["id"] for row in client.get("/v1/datasets").json()["data"]] == [kept]
        assert client.get("/v1/models").json()["data"] == client.get("/v1/jobs").json()["data"] == []
        # Not even the reserve is left: SQLite can delete if its log has been written into the file, and starts anew.
        deleted = client.delete(f"/v1/datasets/{kept}").status_code
        assert (deleted, client.get(f"/v1/datasets/{kept}").status_code) in ((204, 404), (507, 200))
        filler.unlink()
        assert client.get("/readyz").status_code == 200
        assert client.delete(f"/v1/datasets/{kept}").status_code == (204 if deleted == 507 else 404)
        assert client.post("/v1/datasets", json=large).status_code == 201


def test_a_job_on_a_full_disk_is_paused_and_keeps_its_checkpoint(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"sqlite:///{small_disk / 'gradd.sqlite3'}"
    monkeypatch.setenv("GRADD_MIN_FREE_BYTES", "400000")
    monkeypatch.setenv("GRADD_SPACE_SECONDS", "1")
    with (
        running_server(GRADD_DATABASE_URL=address, GRADD_PRUNE_SECONDS="0") as base,
        httpx.Client(base_url=base, timeout=60) as client,
    ):
        job = posted(client, long_job(1, epochs=200))
        worker = WorkerProcess(address)
        try:
            wait_until(lambda: len(client.get(f"/v1/jobs/{job}/checkpoints").json()["data"]) >= 2)
            filler = fill(small_disk, 300_000)
            wait_until(lambda: client.get(f"/v1/jobs/{job}").json()["status"] == "paused")
            kept = client.get(f"/v1/jobs/{job}/checkpoints").json()["data"]
            assert kept
            (warning,) = [event for event in events_of(client, job) if event["type"] == "warning"]
            assert "paused at its last checkpoint" in warning["data"]["detail"]
            filler.unlink()
            assert client.post(f"/v1/jobs/{job}/resume").status_code == 200
            last = kept[-1]["epoch"]
            wait_until(lambda: client.get(f"/v1/jobs/{job}/checkpoints").json()["data"][-1]["epoch"] > last)
        finally:
            worker.kill()
