"""The room that is left for tensors: the limit of their size, and the free space of the disk."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnClause, Integer, func, select, table
from sqlalchemy import column as sql_column
from sqlalchemy.orm import Session

from app.http.no_space import HINT
from core.errors import Refusal

LIMITS = "gradd_storage_limits"
"""The key under which a session carries the limits of its database."""

CODE = "insufficient-storage"

_SIZE: ColumnClause[int] = sql_column("size", Integer)
_CONTENTS = table("contents", _SIZE)


@dataclass(frozen=True, slots=True)
class StorageLimits:
    """What a database may take."""

    bytes: int | None = None
    """Largest size of all tensors together."""

    free_bytes: int = 0
    """Bytes that must stay free on the disk, so that rows can still be deleted and jobs can still end."""

    folder: Path | None = None
    """Folder on that disk; None for a database on another machine."""


def stored_bytes(session: Session) -> int:
    """Return the size of all stored tensors: models, datasets, requests and checkpoints of jobs, each content once."""
    return int(session.scalar(select(func.coalesce(func.sum(_SIZE), 0)).select_from(_CONTENTS)) or 0)


def refuse_without_room(session: Session, size: int) -> None:
    """Refuse to store more tensors than the limits of the session's database allow.

    Requests that are stored at the same moment do not see each other, so together they may exceed the limit.

    Raises:
        Refusal: `insufficient-storage`.
    """
    limits: StorageLimits = session.info.get(LIMITS) or StorageLimits()
    if limits.bytes is not None:
        taken = stored_bytes(session)
        if taken + size > limits.bytes:
            detail = (
                f"The tensors have {size:,} bytes; of {limits.bytes:,} that this server may store, {taken:,} are taken."
            )
            hint = "Delete models, datasets or jobs that are no longer needed."
            raise Refusal.of(CODE, detail, expected=max(0, limits.bytes - taken), got=size, hint=hint)
    if limits.folder is not None:
        refuse_full_disk(limits.folder, limits.free_bytes, size)


def refuse_full_disk(folder: Path, reserve: int, size: int = 0) -> None:
    """Refuse to write where less than a reserve would stay free.

    Raises:
        Refusal: `insufficient-storage`.
    """
    free = shutil.disk_usage(folder).free
    if free - size < reserve:
        detail = f"The disk of the server has {free:,} free bytes, of which {reserve:,} are kept in reserve."
        raise Refusal.of(CODE, detail, hint=HINT)


def refuse_beyond(count: int, limit: int | None, what: str) -> None:
    """Refuse one more model, dataset or job than the server may keep.

    Raises:
        Refusal: `insufficient-storage`.
    """
    if limit is not None and count >= limit:
        detail = f"The server keeps {count:,} {what}, the most that it may keep."
        raise Refusal.of(CODE, detail, expected=limit, got=count + 1, hint=f"Delete {what} that are no longer needed.")
