"""Storage of datasets in the database."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.storage import blobs
from app.storage.base import now
from app.storage.database import Database
from app.storage.numbered import may_be_id, page
from app.storage.room import refuse_beyond
from app.storage.tables.datasets import StoredDataset
from core.arrays import Array
from core.dataset import Dataset
from core.errors import Refusal


def save_dataset(
    database: Database,
    dataset: Dataset,
    description: Mapping[str, Any],
    *,
    name: str | None = None,
    most: int | None = None,
) -> tuple[StoredDataset, bool]:
    """Store a dataset with its description. `most` is the largest number of datasets that may be stored.

    Returns:
        The row, and whether it is new. If the same dataset exists already, its row is returned unchanged.

    Raises:
        Refusal: `insufficient-storage`.
    """
    tensors: dict[str, Array] = {f"inputs.{key}": array for key, array in dataset.inputs.items()}
    if dataset.targets is not None:
        tensors["targets"] = dataset.targets
    content = blobs.digest_of(tensors)
    identity = hashlib.sha256(orjson.dumps(description, option=orjson.OPT_SORT_KEYS) + content.encode()).hexdigest()
    row = {
        "id": f"dst_{identity[:24]}",
        "content": content,
        "examples": dataset.examples,
        "description": dict(description),
        "name": name,
        "created_at": now(),
    }

    def work(session: Session) -> tuple[StoredDataset, bool]:
        blobs.put(session, content, tensors)
        is_new = blobs.insert_unless_there(session, StoredDataset, row)
        if is_new and most is not None:
            refuse_beyond((session.scalar(select(func.count()).select_from(StoredDataset)) or 0) - 1, most, "datasets")
        return session.scalars(select(StoredDataset).where(StoredDataset.id == row["id"])).one(), is_new

    return database.repeat(work)


def load_dataset(database: Database, identity: str) -> Dataset:
    """Return the tensors of a dataset.

    Raises:
        Refusal: `not-found`.
    """
    with database.read() as session:
        tensors = blobs.get(session, find(session, identity).content)
    inputs = {path.partition(".")[2]: array for path, array in tensors.items() if path != "targets"}
    return Dataset(inputs, tensors.get("targets"))


def find(session: Session, identity: str) -> StoredDataset:
    """Return the row of a dataset.

    Raises:
        Refusal: `not-found`.
    """
    if not may_be_id(identity):
        raise not_found(identity)
    stored = session.scalars(select(StoredDataset).where(StoredDataset.id == identity)).one_or_none()
    if stored is None:
        raise not_found(identity)
    return stored


def list_datasets(database: Database, limit: int, after: str | None) -> tuple[Sequence[StoredDataset], bool]:
    """Return datasets, newest first, and whether there are more.

    Raises:
        Refusal: `unknown-name`, if there is no dataset with the id `after`.
    """
    with database.read() as session:
        return page(session, StoredDataset, limit, after)


def delete_dataset(database: Database, identity: str) -> None:
    """Delete a dataset, and its tensors unless something else refers to them.

    Raises:
        Refusal: `not-found`.
    """

    def work(session: Session) -> None:
        find(session, identity)
        removed = delete(StoredDataset).where(StoredDataset.id == identity).returning(StoredDataset.content)
        content = session.scalar(removed)
        if content is None:
            raise not_found(identity)
        blobs.drop_unused(session, content, large_later=True)

    database.repeat(work)


def not_found(identity: str) -> Refusal:
    """Return the refusal of an id that no dataset has."""
    return Refusal.of("not-found", f"There is no dataset {identity[:60]!r}.", hint="GET /v1/datasets lists them.")
