"""What a worker stores belongs to the owner of the job."""

from __future__ import annotations

import json
import secrets
from typing import Any

import pytest
from sqlalchemy import func, select

from app.http.caller import ANYBODY, Caller
from app.jobs import leases, queue
from app.jobs.deletion import delete_job
from app.jobs.repository import find
from app.jobs.request_schemas import JobRequest
from app.jobs.service import create_job
from app.models import repository
from app.settings import Settings
from app.storage import Database
from app.storage.tables.jobs import StoredCheckpoint
from app.storage.tables.models import StoredModel
from app.wire.decode import decode
from app.worker.job_process_main import train_job
from core.errors import Refusal
from tests.app.access.service import JOB

ONE, OTHER = Caller("one"), Caller("other")


def trained(database: Database, caller: Caller, **more: Any) -> tuple[str, str]:
    """A job of a caller that has been trained, and its model."""
    settings = Settings()
    body = decode(json.dumps(JOB | {"epochs": 3, "checkpoint_every_epochs": 1} | more).encode(), JobRequest)
    identity = str(create_job(body, settings, database, caller, None).content["id"])
    executor = secrets.token_hex(8)
    with database.write() as session:
        leases.take(session, executor, 60.0)
        claimed = queue.claim(session, executor)
    assert claimed is not None
    train_job(*claimed, database, settings)
    with database.read() as session:
        job = find(session, identity, caller)
        assert job.status == "succeeded", job.error
        assert job.result
        return identity, str(job.result["model"])


def test_the_same_job_of_two_owners_has_a_model_for_each(database: Database) -> None:
    (first, model), (second, same) = trained(database, ONE), trained(database, OTHER)
    assert first != second
    assert model == same
    with database.read() as session:
        owners = session.scalars(select(StoredModel.owner).where(StoredModel.id == model).order_by(StoredModel.owner))
        assert owners.all() == ["one", "other"]
        with pytest.raises(Refusal, match="There is no model"):
            repository.find(session, model, ANYBODY)
    kept = checkpoint_models(database, "other")
    assert kept
    delete_job(database, first, ONE)
    repository.delete_model(database, model, ONE)
    assert checkpoint_models(database, "one") == []
    assert checkpoint_models(database, "other") == kept, "the checkpoints of the other owner have the same models"
    assert repository.load_model(database, model, OTHER).tensors()
    with pytest.raises(Refusal, match="There is no job"):
        delete_job(database, second, ONE)
    delete_job(database, second, OTHER)
    repository.delete_model(database, model, OTHER)
    with database.read() as session:
        for table in (StoredModel, StoredCheckpoint):
            assert session.scalar(select(func.count()).select_from(table)) == 0


def checkpoint_models(database: Database, owner: str) -> list[str]:
    mine = StoredModel.owner == owner, StoredModel.checkpoint_of.is_not(None)
    with database.read() as session:
        return list(session.scalars(select(StoredModel.id).where(*mine).order_by(StoredModel.id)))
