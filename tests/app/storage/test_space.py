"""Deletions free their space, and what may be stored has limits."""

from __future__ import annotations

from pathlib import Path

import httpx
import numpy as np
import pytest
from sqlalchemy import delete, func, select

from app.datasets.repository import delete_dataset, load_dataset, save_dataset
from app.models.repository import save_model
from app.storage import Database, blobs, space
from app.storage.blobs import PIECE, Content, Piece
from app.storage.room import StorageLimits, stored_bytes
from app.storage.tables.datasets import StoredDataset
from core.dataset import Dataset
from core.errors import Refusal
from core.layers.dense import Dense
from core.model import Model
from examples.server import running_server
from tests.app.jobs.service import wait_until
from tests.server import refused

LARGE = 6 * PIECE
"""More than one transaction deletes."""


def dataset_of(size: int, value: float = 0.0) -> Dataset:
    return Dataset({"": np.full((1, size // 8), value)}, None)


def counted(database: Database) -> tuple[int, int]:
    with database.read() as session:
        pieces = session.scalar(select(func.count()).select_from(Piece)) or 0
        return session.scalar(select(func.count()).select_from(Content)) or 0, pieces


def test_a_large_content_goes_in_several_transactions_and_the_file_shrinks(database: Database) -> None:
    row, _ = save_dataset(database, dataset_of(LARGE), {})
    small, _ = save_dataset(database, dataset_of(800), {})
    delete_dataset(database, small.id)
    assert counted(database)[0] == 1, "a small content goes with its row"
    delete_dataset(database, row.id)
    assert counted(database) == (1, 7), "a large one is left to the release"
    with database.write() as session:
        assert blobs.remove_unused(session, row.content)
    assert counted(database) == (1, 3)
    space.release(database)
    assert counted(database) == (0, 0)
    with database.read() as session:
        assert stored_bytes(session) == 0
    if database.is_sqlite:
        file = Path(str(database.url.database))
        space.give_back(database)
        assert file.stat().st_size < PIECE


def test_a_content_that_is_half_deleted_is_completed_when_it_is_stored_again(database: Database) -> None:
    row, _ = save_dataset(database, dataset_of(LARGE, 3.0), {})
    delete_dataset(database, row.id)
    with database.write() as session:
        blobs.remove_unused(session, row.content)
        with pytest.raises(Refusal, match="being deleted"):
            blobs.refer(session, row.content)
    again, is_new = save_dataset(database, dataset_of(LARGE, 3.0), {})
    assert is_new
    assert again.id == row.id
    assert (load_dataset(database, again.id).inputs[""] == 3.0).all()
    assert space.remove_unused(database) == 0


def test_a_content_that_is_used_stays(database: Database) -> None:
    row, _ = save_dataset(database, dataset_of(LARGE, 5.0), {})
    with database.write() as session:
        assert blobs.unused(session) == []
        assert not blobs.remove_unused(session, row.content)
    space.release(database)
    assert (load_dataset(database, row.id).inputs[""] == 5.0).all()


def test_a_file_without_auto_vacuum_is_given_it(tmp_path: Path) -> None:
    import sqlite3

    file = tmp_path / "old.sqlite3"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE something (a INTEGER)")
    connection.close()
    database = Database(f"sqlite:///{file}")
    database.migrate()
    save_dataset(database, dataset_of(LARGE), {})
    with database.write() as session:
        session.execute(delete(StoredDataset))
    space.release(database)
    assert file.stat().st_size > LARGE
    space.give_back(database)
    assert file.stat().st_size < PIECE
    assert database.run_pragma("PRAGMA auto_vacuum") == [(2,)]
    database.close()


def test_tensors_beyond_the_limit_are_refused_and_nothing_is_stored(address: str) -> None:
    database = Database(address, limits=StorageLimits(bytes=10_000))
    database.migrate()
    row, _ = save_dataset(database, dataset_of(8_000), {})
    with pytest.raises(Refusal) as caught:
        save_dataset(database, dataset_of(8_000, 1.0), {})
    assert caught.value.issues[0].code == "insufficient-storage"
    assert counted(database) == (1, 1)
    assert not save_dataset(database, dataset_of(8_000), {})[1], "what is stored already takes no room"
    delete_dataset(database, row.id)
    save_dataset(database, dataset_of(8_000, 1.0), {})
    database.close()


def test_models_beyond_their_number_are_refused(database: Database) -> None:
    save_model(database, Model([Dense(units=1)]), most=1)
    save_model(database, Model([Dense(units=1)]), most=1)
    with pytest.raises(Refusal, match="the most that it may keep"):
        save_model(database, Model([Dense(units=2)]), most=1)


def test_compressed_bodies_count_as_they_are_stored(tmp_path: Path) -> None:
    import gzip
    import json

    settings = {
        "GRADD_DATA_DIR": str(tmp_path),
        "GRADD_MAX_STORAGE_BYTES": "4000000",
        "GRADD_MAX_DATASETS": "2",
        "GRADD_MAX_JOBS": "1",
    }
    with running_server(**settings) as address, httpx.Client(base_url=address, timeout=60) as client:

        def upload(rows: int) -> httpx.Response:
            body = gzip.compress(json.dumps({"inputs": [[0] * 1000] * rows}).encode())
            headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
            return client.post("/v1/datasets", content=body, headers=headers)

        first = upload(300)
        assert first.status_code == 201
        document = refused(upload(400), 507, "insufficient-storage")
        assert document.errors[0].got == 3_200_088
        assert client.get(document.type).status_code == 200
        assert client.delete(f"/v1/datasets/{first.json()['id']}").status_code == 204
        assert upload(400).status_code == 201
        assert upload(1).status_code == 201
        refused(upload(2), 507, "insufficient-storage")
        wait_until(lambda: (tmp_path / "gradd.sqlite3").stat().st_size < 8_000_000)
