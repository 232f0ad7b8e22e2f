"""Writes into a SQLite file that may not grow, and what they leave behind: nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import event, text

from app.datasets.repository import save_dataset
from app.http.caller import OPERATOR
from app.jobs import checkpoints
from app.jobs.repository import find
from app.jobs.request_schemas import JobRequest
from app.jobs.service import create_job
from app.models.repository import save_model
from app.settings import Settings
from app.storage import Database, space
from app.storage.base import now
from app.storage.tables.jobs import StoredJob
from app.wire.decode import decode
from core.dataset import Dataset
from core.errors import Refusal
from core.layers.dense import Dense
from core.model import Model
from core.training import TrainingState
from core.training.stepper import OptimizerState
from tests.app.jobs.service import tensor

Write = Callable[[Database, float], None]
"""Writes something that has a number all over."""


def tables_of(database: Database) -> dict[str, Any]:
    """Return every row of every table of a healthy file."""
    with database.read() as session:
        assert session.scalar(text("PRAGMA integrity_check")) == "ok"
        names = session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")).all()
        return {name: session.execute(text(f'SELECT * FROM "{name}"')).all() for name in names}


def a_model(database: Database, value: float) -> None:
    """Write a model."""
    save_model(database, _model_of(value), name="m")


def a_dataset(database: Database, value: float) -> None:
    """Write a dataset."""
    save_dataset(database, Dataset({"": np.full((64, 512), value)}, None), {"a": 1}, name="d")


def a_job(database: Database, value: float) -> None:
    """Write a job with its data."""
    body = {
        "network": {"layers": [{"kind": "dense", "units": 1}]},
        "seed": 1,
        "data": {"inputs": tensor(np.full((64, 512), value)), "targets": tensor(np.zeros((64, 1)))},
        "loss": {"kind": "mean_squared_error"},
        "optimizer": {"kind": "sgd", "learning_rate": 0.1},
        "epochs": 1,
    }
    create_job(decode(json.dumps(body).encode(), JobRequest), Settings(), database, OPERATOR, None)


def a_checkpoint(database: Database, value: float) -> None:
    """Write a checkpoint of the job that is there."""
    with database.write() as session:
        job = find(session, "job_a", lock=True)
        model = _model_of(value)
        state = TrainingState(int(value), model.parameters, {}, OptimizerState(int(value)))
        checkpoints.save(session, job, model.layers, state, {"epoch": int(value), "loss": 1.0 / value})


WRITES: tuple[Write, ...] = (a_model, a_dataset, a_job, a_checkpoint)


def count_failures(write: Write, folder: Path) -> int:
    """Let a file grow by n pages, for every n until a write fits: SQLite fails at each of its allocations.

    Returns:
        How often the write was refused.

    Raises:
        AssertionError: if it was refused otherwise than as a full disk, or has left something behind.
    """
    database = Database(f"sqlite:///{folder / f'{write.__name__}.sqlite3'}")
    database.migrate()
    _insert_job(database)
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
    assert tables_of(database) != before
    database.close()
    return failures


def _model_of(value: float) -> Model:
    return Model([Dense(units=64)], {"1": {"weight": np.full((512, 64), value), "bias": np.zeros(64)}})


def _insert_job(database: Database) -> None:
    with database.write() as session:
        counts = {"parts": 0, "fencing_token": 0, "attempts": 0, "events": 0, "reported": 0}
        more: dict[str, Any] = {"request": {}, "progress": {}, "status": "running", "created_at": now()}
        session.add(StoredJob(id="job_a", **counts, **more))
