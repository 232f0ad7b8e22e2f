"""Contents: tensors as safetensors, split into pieces of a size that databases handle well.

Each content is stored once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import ForeignKey, LargeBinary, String, delete, insert, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.storage.base import Table
from app.wire import safetensors_file
from app.wire.limits import DocumentLimits
from core.arrays import Array

PIECE = 4 * 2**20
"""Size of a piece in bytes."""

_ANY_SIZE = DocumentLimits(elements=2**63)


class Content(Table):
    """The tensors of a model or a dataset."""

    __tablename__ = "contents"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    """The hexadecimal SHA-256 hash that `digest_of` returns."""

    size: Mapped[int]
    """Total size of the pieces in bytes."""


class Piece(Table):
    """A piece of a content's safetensors file."""

    __tablename__ = "pieces"

    digest: Mapped[str] = mapped_column(ForeignKey("contents.digest", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[bytes] = mapped_column(LargeBinary)


def describe_tensors(tensors: Mapping[str, Array]) -> list[dict[str, Any]]:
    """Return the path, dtype and shape of every tensor, sorted by path."""
    return [
        {"path": path, "dtype": array.dtype.name, "shape": list(array.shape)} for path, array in sorted(tensors.items())
    ]


def digest_of(tensors: Mapping[str, Array]) -> str:
    """Return the SHA-256 hash of the paths, types and shapes as JSON, followed by the data in order of the paths.

    The data are hashed as little-endian, C-ordered bytes. The hash depends neither on the memory layout of the tensors nor
    on the version of the safetensors library.
    """
    digest = hashlib.sha256(orjson.dumps(describe_tensors(tensors), option=orjson.OPT_SORT_KEYS))
    for _, array in sorted(tensors.items()):
        for block in safetensors_file.blocks(array):
            digest.update(block)
    return digest.hexdigest()


def put(session: Session, digest: str, tensors: Mapping[str, Array]) -> None:
    """Store tensors under their digest, unless they are stored already. Concurrent calls store them once."""
    if session.get(Content, digest) is not None:
        return
    file = safetensors_file.Writing(tensors)
    if insert_unless_there(session, Content, {"digest": digest, "size": file.size}):
        for position, data in enumerate(file.pieces(PIECE)):
            session.execute(insert(Piece), {"digest": digest, "position": position, "data": data})


def get(session: Session, digest: str) -> dict[str, Array]:
    """Return the tensors of a digest."""
    pieces = session.scalars(select(Piece.data).where(Piece.digest == digest).order_by(Piece.position))
    return safetensors_file.read(b"".join(pieces), _ANY_SIZE).tensors


def drop_unused(session: Session, digest: str) -> None:
    """Delete tensors that nothing refers to. A concurrent transaction that refers to them keeps them.

    The lock serialises these decisions: of two transactions that delete the last two references, the second one sees that
    no reference is left.
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
    """Insert a row unless a row with the same key exists. Returns whether it was inserted."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    statement = (sqlite if is_sqlite else postgresql).insert(table).values(row).on_conflict_do_nothing()
    return session.execute(statement.returning(literal(1))).first() is not None
