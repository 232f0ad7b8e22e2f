"""The quota of what is kept: bytes of an owner's models, datasets and checkpoints."""

from __future__ import annotations

from sqlalchemy import func, select, union
from sqlalchemy.orm import Session

from app.http.caller import Caller
from app.storage.blobs import Content
from app.storage.tables.datasets import StoredDataset
from app.storage.tables.jobs import InterimState, StoredCheckpoint, StoredJob
from app.storage.tables.keys import StoredKey
from app.storage.tables.models import StoredModel
from core.errors import Refusal


def owned_bytes(session: Session, owner: str) -> int:
    """Return the bytes of what an owner has stored. A content that several of its objects have counts once."""
    jobs = StoredJob.owner == owner
    digests = union(
        select(StoredModel.content).where(StoredModel.owner == owner),
        select(StoredDataset.content).where(StoredDataset.owner == owner),
        select(StoredJob.content).where(jobs),
        select(StoredJob.data).where(jobs),
        select(StoredCheckpoint.content).join(StoredJob, StoredJob.number == StoredCheckpoint.job).where(jobs),
        select(InterimState.content).join(StoredJob, StoredJob.number == InterimState.job).where(jobs),
    ).subquery()
    total = select(func.coalesce(func.sum(Content.size), 0)).where(Content.digest.in_(select(digests.c[0])))
    return int(session.scalar(total) or 0)


def refuse_beyond_storage(session: Session, caller: Caller) -> None:
    """Refuse a transaction after which the owner has stored too much. It is called once everything has been written.

    Raises:
        Refusal: `quota-exceeded`.
    """
    most = caller.quota.storage_bytes
    if most is None or caller.owner is None:
        return
    session.flush()
    _lock(session, caller.owner)
    size = owned_bytes(session, caller.owner)
    if size > most:
        detail = f"With this, models, datasets and checkpoints would take {size:,} bytes; the key allows {most:,}."
        hint = "Delete what is no longer needed."
        raise Refusal.of("quota-exceeded", detail, expected=most, got=size, hint=hint)


def _lock(session: Session, owner: str) -> None:
    """Let one transaction of an owner at a time count, so that two cannot both take what is left."""
    session.execute(select(StoredKey.id).where(StoredKey.id == owner).with_for_update())
