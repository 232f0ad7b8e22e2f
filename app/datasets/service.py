"""Operations on datasets: inspection, storage, and the documents of the answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Any

import numpy as np

from app.datasets import repository
from app.datasets.readers import READERS, DatasetOptions, Format
from app.http.caller import Caller
from app.http.reply import Reply
from app.settings import Settings
from app.storage import Database
from app.storage.tables.datasets import StoredDataset
from app.wire.timestamp import timestamp
from core.arrays import Array, CheckDeadline
from core.dataset import Dataset, moments, refuse_uneven, standardise
from core.errors import Refusal
from core.network import INPUT

MOST_COLUMNS = 1000
"""Maximum number of columns of a matrix for which statistics are computed."""


def create_dataset(
    file: IO[bytes],
    form: Format,
    options: DatasetOptions,
    settings: Settings,
    database: Database,
    caller: Caller,
    check_deadline: CheckDeadline,
) -> Reply:
    """Read, inspect and store a dataset. The status is 200 if the same dataset exists already."""
    elements = settings.max_body_bytes // 2
    found = READERS[form](file, options, elements, check_deadline)
    dataset = found.dataset
    refuse_uneven(dataset)
    description: dict[str, Any] = {}
    if options.standardise:
        if set(dataset.inputs) != {INPUT}:
            detail = "Only a single input can be standardised. Standardise named inputs before you send them."
            raise Refusal.of("invalid-request", detail, "query", "standardise")
        inputs, record = standardise(dataset.inputs[INPUT])
        dataset = Dataset({INPUT: inputs}, dataset.targets)
        values = {"mean": record.mean.tolist(), "deviation": record.deviation.tolist()}
        description["standardisation"] = values
    check_deadline()
    description["inputs"] = {key: statistics(array, found.columns) for key, array in dataset.inputs.items()}
    if dataset.targets is not None:
        description["targets"] = statistics(dataset.targets, found.target_columns)
    if found.classes is not None and dataset.targets is not None:
        description["classes"] = _count_classes(found.classes, dataset.targets)
    if found.ignored:
        description["ignored"] = list(found.ignored)
    row, is_new = repository.save_dataset(
        database,
        dataset,
        description,
        name=options.name or found.name,
        caller=caller,
        most=settings.max_datasets,
    )
    return Reply(describe_dataset(row), 201 if is_new else 200, {"Location": f"/v1/datasets/{row.id}"})


def statistics(array: Array, columns: Sequence[str] | None) -> dict[str, Any]:
    """Return the statistics of a tensor, and those of its columns if it is a matrix with at most `MOST_COLUMNS`."""
    found = {"shape": list(array.shape), "dtype": array.dtype.name, **_numbers(array)}
    if array.ndim == 2 and array.shape[1] <= MOST_COLUMNS:
        names = columns or [str(position + 1) for position in range(array.shape[1])]
        found["columns"] = [{"name": name, **_numbers(array[:, at])} for at, name in enumerate(names)]
    return found


def _numbers(array: Array) -> dict[str, float]:
    mean, deviation = moments(array)
    return {
        "minimum": float(array.min()),
        "maximum": float(array.max()),
        "mean": float(mean),
        "deviation": float(deviation),
    }


def _count_classes(classes: Sequence[str], targets: Array) -> list[dict[str, Any]]:
    counts = targets.sum(axis=0) if targets.ndim == 2 else np.bincount(targets.astype(np.int64), minlength=len(classes))
    return [{"label": label, "count": int(count)} for label, count in zip(classes, counts, strict=True)]


def show_dataset(identity: str, database: Database, caller: Caller) -> dict[str, Any]:
    """Return the description of a dataset."""
    with database.read() as session:
        return describe_dataset(repository.find(session, identity, caller))


def list_datasets(database: Database, limit: int, after: str | None, caller: Caller) -> dict[str, Any]:
    """Return one page of the list of datasets."""
    rows, has_more = repository.list_datasets(database, limit, after, caller)
    answer: dict[str, Any] = {"data": [describe_dataset(row) for row in rows], "has_more": has_more}
    return answer | ({"next": rows[-1].id} if has_more else {})


def describe_dataset(row: StoredDataset) -> dict[str, Any]:
    """Return the description of a dataset, without its numbers."""
    answer = {
        "id": row.id,
        "name": row.name,
        "created_at": timestamp(row.created_at),
        "examples": row.examples,
        **row.description,
    }
    return {name: value for name, value in answer.items() if value is not None}
