"""Contents: tensors as safetensors, cut into pieces that a database holds well. Each content is stored once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
from sqlalchemy import ForeignKey, LargeBinary, String, delete, insert, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.storage.base import Table
from app.wire import safetensors_file
from app.wire.limits import Limits
from core.arrays import Array

PIECE = 4 * 2**20
"""Bytes of a piece."""

_ANY_SIZE = Limits(elements=2**63)


class Content(Table):
    """The tensors of a model or a dataset."""

    __tablename__ = "contents"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    """The SHA-256 of `digest_of`, in hexadecimal."""

    size: Mapped[int]
    """How many bytes the pieces have together."""


class Piece(Table):
    """A part of a file."""

    __tablename__ = "pieces"

    digest: Mapped[str] = mapped_column(ForeignKey("contents.digest", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[bytes] = mapped_column(LargeBinary)


def listed(tensors: Mapping[str, Array]) -> list[dict[str, Any]]:
    """Path, dtype and shape of every tensor, by path."""
    return [
        {"path": path, "dtype": array.dtype.name, "shape": list(array.shape)} for path, array in sorted(tensors.items())
    ]


def digest_of(tensors: Mapping[str, Array]) -> str:
    """SHA-256 of the paths, types and shapes as JSON and then the memory, little-endian and in C order, by path.

    It does not depend on how the tensors lie in memory, nor on what a version of the library makes of them.
    """
    digest = hashlib.sha256(orjson.dumps(listed(tensors), option=orjson.OPT_SORT_KEYS))
    for _, array in sorted(tensors.items()):
        digest.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def put(session: Session, digest: str, tensors: Mapping[str, Array]) -> None:
    """Store tensors under their digest, if they are not there. Of several who try at once one does."""
    if session.get(Content, digest) is not None:
        return
    file = memoryview(safetensors_file.write(tensors))
    if insert_unless_there(session, Content, {"digest": digest, "size": len(file)}):
        for position, at in enumerate(range(0, len(file), PIECE)):
            piece = {"digest": digest, "position": position, "data": bytes(file[at : at + PIECE])}
            session.execute(insert(Piece), piece)


def get(session: Session, digest: str) -> dict[str, Array]:
    """The tensors."""
    pieces = session.scalars(select(Piece.data).where(Piece.digest == digest).order_by(Piece.position))
    return safetensors_file.read(b"".join(pieces), _ANY_SIZE).tensors


def drop_unused(session: Session, digest: str) -> None:
    """Delete tensors that nothing refers to any more. Who refers to them in the same moment keeps them.

    The lock lets one transaction at a time decide: of two that delete the last two references, the later one sees it.
    """
    session.execute(select(Content.digest).where(Content.digest == digest).with_for_update())
    used = [
        select(literal(1)).where(column == digest).exists()
        for table in Table.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name == "contents" and table.name != "pieces"
        for column in [key.parent]
    ]
    try:
        with session.begin_nested():
            session.execute(delete(Content).where(Content.digest == digest, *(~found for found in used)))
    except IntegrityError:
        pass


def insert_unless_there(session: Session, table: type[Table], row: dict[str, Any]) -> bool:
    """Insert a row unless there is one with the same key; whether it was inserted."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    statement = (sqlite if is_sqlite else postgresql).insert(table).values(row).on_conflict_do_nothing()
    return session.execute(statement.returning(literal(1))).first() is not None
