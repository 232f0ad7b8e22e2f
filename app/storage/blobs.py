"""Contents: tensors as safetensors, split into pieces of a size that databases handle well.

Each content is stored once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import ColumnElement, ForeignKey, LargeBinary, String, and_, delete, insert, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.storage.base import Table
from app.storage.database import Deadlock
from app.storage.room import refuse_without_room
from app.wire import safetensors_file
from app.wire.limits import DocumentLimits
from core.arrays import Array

PIECE = 4 * 2**20
"""Size of a piece in bytes."""

SMALL = 4 * PIECE
"""Number of bytes that a transaction deletes without being felt by others: 20 to 100 ms on SQLite."""

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
    """Store tensors under their digest, unless they are stored already. Concurrent calls store them once.

    Raises:
        Refusal: `insufficient-storage`, if they would exceed the limits of the database.
    """
    missing = _missing_pieces(session, digest)
    if missing == set():
        return
    file = safetensors_file.Writing(tensors)
    refuse_without_room(session, file.size)
    is_new = missing is None and insert_unless_there(session, Content, {"digest": digest, "size": file.size})
    if missing is None and not is_new:
        missing = _missing_pieces(session, digest)
    for position, data in enumerate(file.pieces(PIECE)):
        if is_new or (missing and position in missing):
            session.execute(insert(Piece), {"digest": digest, "position": position, "data": data})


def refer(session: Session, digest: str) -> None:
    """Keep tensors that a transaction is going to refer to without storing them.

    Raises:
        Deadlock: if they are being deleted. The transaction may be repeated.
    """
    if _missing_pieces(session, digest) != set():
        raise Deadlock.of("not-ready", "Tensors that the request refers to are being deleted.", hint="Send it again.")


def _missing_pieces(session: Session, digest: str) -> set[int] | None:
    """Return the positions of pieces that `remove_unused` has deleted already; None if there is no such content.

    The lock conflicts with that of `remove_unused` alone.
    """
    found = select(Content.size).where(Content.digest == digest).with_for_update(read=True, key_share=True)
    size = session.scalar(found)
    if size is None:
        return None
    there = session.scalars(select(Piece.position).where(Piece.digest == digest))
    return set(range(-(-size // PIECE))) - set(there)


def get(session: Session, digest: str) -> dict[str, Array]:
    """Return the tensors of a digest."""
    pieces = session.scalars(select(Piece.data).where(Piece.digest == digest).order_by(Piece.position))
    return safetensors_file.read(b"".join(pieces), _ANY_SIZE).tensors


def drop_unused(session: Session, digest: str, *, large_later: bool = False) -> None:
    """Delete tensors that nothing refers to. A concurrent transaction that refers to them keeps them.

    The lock serialises these decisions: of two transactions that delete the last two references, the second one sees that
    no reference is left.

    Args:
        session: a write transaction.
        digest: the digest of the tensors.
        large_later: leave tensors of more than `SMALL` bytes to `remove_unused`, so that the transaction is short.
    """
    size = session.scalar(select(Content.size).where(Content.digest == digest).with_for_update())
    if size is None or (large_later and size > SMALL):
        return
    _delete_unused(session, digest)


def _delete_unused(session: Session, digest: str) -> None:
    gone = delete(Content).where(Content.digest == digest, is_unused())
    if session.get_bind().dialect.name == "sqlite":
        # The only writer: nobody can refer to them meanwhile. After a full disk SQLite has ended the whole transaction, and
        # the end of a savepoint would hide that reason.
        session.execute(gone)
        return
    try:
        with session.begin_nested():
            session.execute(gone)
    except IntegrityError:
        pass


def is_unused() -> ColumnElement[bool]:
    """Return the condition that no row of another table refers to a content."""
    used = [
        select(literal(1)).where(column == Content.digest).exists()
        for table in Table.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name == "contents" and table.name != "pieces"
        for column in [key.parent]
    ]
    return and_(*(~found for found in used))


def unused(session: Session, limit: int = 100) -> Sequence[str]:
    """Return digests of contents that nothing refers to."""
    return session.scalars(select(Content.digest).where(is_unused()).limit(limit)).all()


def remove_unused(session: Session, digest: str) -> bool:
    """Delete up to `SMALL` bytes of a content that nothing refers to, the content with its last pieces.

    Returns:
        Whether there is more of it to delete.
    """
    found = select(Content).where(Content.digest == digest, is_unused()).with_for_update(skip_locked=True)
    content = session.scalars(found).one_or_none()
    if content is None:
        return False
    last = select(Piece.position).where(Piece.digest == digest).order_by(Piece.position.desc())
    positions = session.scalars(last.limit(SMALL // PIECE + 1)).all()
    if len(positions) * PIECE <= SMALL:
        _delete_unused(session, digest)
        return False
    session.execute(delete(Piece).where(Piece.digest == digest, Piece.position > positions[-1]))
    return True


def insert_unless_there(session: Session, table: type[Table], row: dict[str, Any]) -> bool:
    """Insert a row unless a row with the same key exists. Returns whether it was inserted."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    statement = (sqlite if is_sqlite else postgresql).insert(table).values(row).on_conflict_do_nothing()
    return session.execute(statement.returning(literal(1))).first() is not None
