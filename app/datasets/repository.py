"""Storage of datasets in the database."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.access.quotas import refuse_beyond_storage
from app.http.caller import ANYBODY, OPERATOR, Caller
from app.storage import blobs
from app.storage.base import now
from app.storage.database import Database
from app.storage.numbered import may_be_id, page
from app.storage.ownership import owned_by, visible
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
    caller: Caller = ANYBODY,
    most: int | None = None,
) -> tuple[StoredDataset, bool]:
    """Store a dataset with its description. `most` is the largest number of datasets that may be stored.

    Returns:
        The row, and whether it is new. If its owner has the same dataset already, its row is returned unchanged.

    Raises:
        Refusal: `insufficient-storage`, `quota-exceeded`.
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
        "owner": caller.owner,
        "created_at": now(),
    }

    def work(session: Session) -> tuple[StoredDataset, bool]:
        blobs.put(session, content, tensors)
        is_new = blobs.insert_unless_there(session, StoredDataset, row)
        mine = StoredDataset.id == row["id"], owned_by(StoredDataset.owner, caller.owner)
        refuse_beyond_storage(session, caller)
        if is_new and most is not None:
            refuse_beyond((session.scalar(select(func.count()).select_from(StoredDataset)) or 0) - 1, most, "datasets")
        return session.scalars(select(StoredDataset).where(*mine)).one(), is_new

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


def find(session: Session, identity: str, caller: Caller = OPERATOR) -> StoredDataset:
    """Return the row of a dataset.

    Raises:
        Refusal: `not-found`, also if the caller may not see it.
    """
    if not may_be_id(identity):
        raise not_found(identity)
    seen = StoredDataset.id == identity, visible(StoredDataset, caller)
    stored = session.scalars(select(StoredDataset).where(*seen)).one_or_none()
    if stored is None:
        raise not_found(identity)
    return stored


def list_datasets(
    database: Database, limit: int, after: str | None, caller: Caller = OPERATOR
) -> tuple[Sequence[StoredDataset], bool]:
    """Return datasets, newest first, and whether there are more.

    Raises:
        Refusal: `unknown-name`, if there is no dataset with the id `after`.
    """
    with database.read() as session:
        return page(session, StoredDataset, limit, after, visible(StoredDataset, caller))


def delete_dataset(database: Database, identity: str, caller: Caller = OPERATOR) -> None:
    """Delete a dataset of the caller, and its tensors unless something else refers to them.

    Raises:
        Refusal: `not-found`.
    """

    def work(session: Session) -> None:
        number = find(session, identity, caller).number
        removed = delete(StoredDataset).where(StoredDataset.number == number).returning(StoredDataset.content)
        content = session.scalar(removed)
        if content is None:
            raise not_found(identity)
        blobs.drop_unused(session, content, large_later=True)

    database.repeat(work)


def not_found(identity: str) -> Refusal:
    """Return the refusal of an id that no dataset has."""
    return Refusal.of("not-found", f"There is no dataset {identity[:60]!r}.", hint="GET /v1/datasets lists them.")
