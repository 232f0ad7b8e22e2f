"""Prune: removes what a policy does not keep, in transactions of a bounded size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.datasets.repository import delete_dataset
from app.jobs import checkpoints, repository
from app.jobs.deletion import delete_events, delete_job
from app.models.repository import delete_model
from app.retention.candidates import Candidate, candidates
from app.retention.policy import Policy
from app.storage import Database, Table
from app.storage.base import now
from app.storage.blobs import Content
from app.storage.tables.jobs import IdempotencyKey, StoredCheckpoint, StoredEvent
from core.errors import Refusal


@dataclass(frozen=True, slots=True)
class Removal:
    """Something that was removed, or would be."""

    candidate: Candidate
    bytes: int
    """Size of the tensors to which no reference is left after it."""


def find(database: Database, policy: Policy) -> list[Removal]:
    """Return what a policy removes now, and the bytes that each removal frees."""
    with database.read() as session:
        found = candidates(session, policy, now())
        return list(_with_bytes(session, found))


def prune(database: Database, policy: Policy) -> Iterator[Removal]:
    """Remove what a policy does not keep, and yield each thing after it was removed.

    What another request has deleted meanwhile, or has begun to use, is passed over.
    """
    for removal in find(database, policy):
        try:
            _remove(database, removal.candidate, policy)
        except Refusal as refusal:
            if refusal.issues[0].code not in ("not-found", "job-state"):
                raise
        else:
            yield removal


def _remove(database: Database, candidate: Candidate, policy: Policy) -> None:
    before = now() - policy[candidate.kind]
    match candidate.kind:
        case "models":
            delete_model(database, candidate.id)
        case "datasets":
            delete_dataset(database, candidate.id)
        case "jobs":
            delete_job(database, candidate.id)
        case "checkpoints":
            database.repeat(lambda session: _remove_checkpoint(session, candidate))
        case "events":
            while database.repeat(lambda session: _remove_events(session, candidate, before)):
                pass
        case "idempotency_keys":
            database.repeat(lambda session: remove_keys(session, policy["idempotency_keys"]))


def _remove_checkpoint(session: Session, candidate: Candidate) -> None:
    job = repository.find(session, candidate.id, lock=True)
    checkpoint = session.get(StoredCheckpoint, (job.number, candidate.epoch))
    if checkpoint is not None:
        checkpoints.remove(session, checkpoint, large_later=True)


def _remove_events(session: Session, candidate: Candidate, before: datetime) -> bool:
    job = repository.find(session, candidate.id, lock=True)
    return delete_events(session, job, StoredEvent.at < before)


def remove_keys(session: Session, age: timedelta) -> None:
    """Remove the idempotency keys of an age."""
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < now() - age))


def _with_bytes(session: Session, found: Iterable[Candidate]) -> Iterator[Removal]:
    """Yield removals with the size of the contents whose last reference they end."""
    left: Counter[str] = Counter()
    for candidate in found:
        total = 0
        for digest in candidate.contents:
            if digest not in left:
                left[digest] = _references(session, digest)
            left[digest] -= 1
            if left[digest] == 0:
                total += session.scalar(select(Content.size).where(Content.digest == digest)) or 0
        yield Removal(candidate, total)


def _references(session: Session, digest: str) -> int:
    """Return the number of references to a content."""
    return sum(
        session.scalar(select(func.count()).select_from(table).where(key.parent == digest)) or 0
        for table in Table.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name == "contents" and table.name != "pieces"
    )
