"""A full disk: every write is refused as a whole, whichever of its pages no longer fits, and nothing before is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from examples.server import running_server
from tests.app.jobs.service import WorkerProcess, events_of, long_job, posted, wait_until
from tests.app.storage.full_pages import WRITES, Write, count_failures
from tests.app.storage.small_disk import CannotMount, fill, small_disk
from tests.server import refused

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("write", WRITES)
def test_a_write_that_does_not_fit_leaves_nothing(tmp_path: Path, write: Write) -> None:
    assert count_failures(write, tmp_path) > 30, "each page of the write has failed once"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    try:
        with small_disk(tmp_path / "disk") as folder:
            yield folder
    except CannotMount:
        pytest.skip("file systems can only be mounted by root")


def test_a_server_on_a_full_disk_says_so_and_recovers(disk: Path) -> None:
    settings = {"GRADD_DATA_DIR": str(disk), "GRADD_MIN_FREE_BYTES": "100000", "GRADD_PRUNE_SECONDS": "0"}
    with running_server(**settings) as address, httpx.Client(base_url=address, timeout=60) as client:
        kept, other = (client.post("/v1/datasets", json={"inputs": [[1, value]]}).json()["id"] for value in (2, 3))
        assert client.get("/readyz").json()["checks"]["space"] == "free"
        filler = fill(disk, 90_000)
        problem = refused(client.get("/readyz"), 503, "not-ready")
        assert "fewer than the reserve" in problem.detail
        refused(client.post("/v1/datasets", json={"inputs": [[3, 4]]}), 507, "insufficient-storage")
        assert client.delete(f"/v1/datasets/{other}").status_code == 204, "deletions have the reserve"
        filler.unlink()
        filler = fill(disk)
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


def test_a_job_on_a_full_disk_is_paused_and_keeps_its_checkpoint(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"sqlite:///{disk / 'gradd.sqlite3'}"
    monkeypatch.setenv("GRADD_MIN_FREE_BYTES", "400000")
    monkeypatch.setenv("GRADD_SPACE_SECONDS", "1")
    with (
        running_server(GRADD_DATABASE_URL=address, GRADD_PRUNE_SECONDS="0") as base,
        httpx.Client(base_url=base, timeout=60) as client,
    ):
        job = posted(client, long_job(1, epochs=20_000))
        worker = WorkerProcess(address)
        try:
            wait_until(lambda: len(client.get(f"/v1/jobs/{job}/checkpoints").json()["data"]) >= 2)
            filler = fill(disk, 300_000)
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
