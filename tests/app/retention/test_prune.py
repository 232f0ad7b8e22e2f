"""What is older than the policy says goes, with its tensors; what a job needs stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, update
from typer.testing import CliRunner

from app.cli.serve import cli
from app.retention.policy import KINDS, policy_of
from app.retention.prune import find, prune
from app.settings import Settings
from app.storage import Database, space
from app.storage.base import now
from app.storage.blobs import Content
from app.storage.room import stored_bytes
from app.storage.tables.datasets import StoredDataset
from app.storage.tables.jobs import IdempotencyKey, StoredCheckpoint, StoredEvent, StoredJob
from app.storage.tables.models import StoredModel
from tests.app.jobs.service import ended, posted, service, wait_until, workers
from tests.app.jobs.test_going_on import JOB

pytestmark = pytest.mark.slow

MONTH = timedelta(days=30)
ALL: Any = dict.fromkeys(KINDS, MONTH)


def aged(database: Database) -> None:
    """Everything that is stored becomes two months old."""
    moment = now() - 2 * MONTH
    with database.write() as session:
        for table in (StoredModel, StoredDataset, StoredJob, IdempotencyKey, StoredCheckpoint):
            session.execute(update(table).values(created_at=moment))
        session.execute(update(StoredEvent).values(at=moment))
        session.execute(update(StoredJob).where(StoredJob.finished_at.is_not(None)).values(finished_at=moment))


def count(database: Database, table: Any) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def size(database: Database) -> int:
    with database.read() as session:
        return stored_bytes(session)


def test_a_trained_job_goes_with_all_it_had(database: Database, address: str) -> None:
    with service(address) as client, workers(address, 1):
        sweep = posted(client, JOB | {"epochs": 2, "sweep": {"learning_rate": [0.1, 0.2]}})
        ended(client, sweep)
        ended(client, posted(client, JOB | {"epochs": 3}))
        client.post("/v1/datasets", json={"inputs": [[1, 2]]}).raise_for_status()
    assert list(prune(database, ALL)) == [], "nothing is old yet"
    aged(database)
    before, found = size(database), find(database, ALL)
    assert before == size(database), "the dry run changes nothing"
    assert sum(removal.bytes for removal in found) == before
    assert {removal.candidate.kind for removal in found} == {"jobs", "models", "datasets"}
    assert list(prune(database, ALL)) == found
    space.release(database)
    for table in (StoredModel, StoredDataset, StoredJob, StoredEvent, StoredCheckpoint, Content):
        assert count(database, table) == 0, table


def test_checkpoints_and_events_go_alone_and_the_result_stays(database: Database, address: str) -> None:
    with service(address) as client, workers(address, 1):
        job = ended(client, posted(client, JOB | {"epochs": 3, "checkpoint_every_epochs": 1}))
        aged(database)
        before = size(database)
        removed = list(prune(database, {"checkpoints": MONTH, "events": MONTH}))
        assert {removal.candidate.kind for removal in removed} == {"checkpoints", "events"}
        space.release(database)
        assert size(database) == before - sum(removal.bytes for removal in removed)
        assert client.get(f"/v1/jobs/{job['id']}/checkpoints").json()["data"] == []
        assert client.get(f"/v1/jobs/{job['id']}/events").json()["data"] == []
        assert client.get(f"/v1/jobs/{job['id']}").json()["status"] == "succeeded"
        assert client.get(f"/v1/models/{job['result']['model']}").status_code == 200


def test_what_a_waiting_job_needs_stays(database: Database, address: str) -> None:
    with service(address) as client:
        examples = [[0, 0], [0, 1], [1, 0], [1, 1]]
        data = client.post("/v1/datasets", json={"inputs": examples, "targets": [[0], [1], [1], [0]]}).json()["id"]
        other = client.post("/v1/datasets", json={"inputs": [[9, 9]]}).json()["id"]
        body = JOB | {"data": {"dataset": data}, "epochs": 2}
        job = client.post("/v1/jobs", json=body, headers={"Idempotency-Key": "a"}).json()["id"]
        aged(database)
        removed = [(removal.candidate.kind, removal.candidate.id) for removal in prune(database, ALL)]
        assert removed == [("datasets", other), ("idempotency_keys", "")]
        assert client.get(f"/v1/datasets/{data}").status_code == 200
        with workers(address, 1):
            ended(client, job)


def test_a_server_prunes_what_its_settings_do_not_keep(database: Database, address: str) -> None:
    from examples.server import running_server

    settings = {"GRADD_PRUNE_SECONDS": "0.3", "GRADD_KEEP_DATASETS_DAYS": "30"}
    with (
        running_server(GRADD_DATABASE_URL=address, **settings) as base,
        httpx.Client(base_url=base, timeout=60) as client,
    ):
        client.post("/v1/datasets", json={"inputs": [[1, 2]]}).raise_for_status()
        aged(database)
        young = client.post("/v1/datasets", json={"inputs": [[3, 4]]}).json()["id"]
        wait_until(lambda: [row["id"] for row in client.get("/v1/datasets").json()["data"]] == [young])


def test_everything_but_keys_is_kept_unless_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert policy_of(Settings()) == {"idempotency_keys": timedelta(days=1)}
    monkeypatch.setenv("GRADD_KEEP_JOBS_DAYS", "0.5")
    assert policy_of(Settings())["jobs"] == timedelta(hours=12)


def test_the_command_says_what_it_removes(database: Database, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.app.storage.test_backup import stored

    monkeypatch.setenv("GRADD_DATABASE_URL", address)
    identity = stored(database, 1.0)
    dry = CliRunner().invoke(cli, ["prune", "datasets", "--older-than", "0s", "--dry-run"])
    assert dry.exit_code == 0, dry.output
    assert identity in dry.output
    assert f"would free {size(database):,} bytes" in dry.output
    assert count(database, StoredDataset) == 1
    result = CliRunner().invoke(cli, ["prune", "datasets", "--older-than", "0s"])
    assert result.exit_code == 0, result.output
    assert identity in result.output
    assert count(database, Content) == 0
    for wrong in (["everything"], ["--older-than", "30d"], ["jobs"], ["jobs", "--older-than", "soon"]):
        refused = CliRunner().invoke(cli, ["prune", *wrong])
        assert refused.exit_code == 1, wrong
        assert "Traceback" not in refused.output
