"""Contents: the bytes of tensors, as safetensors, cut into pieces that a database holds well. Stored once each."""

from __future__ import annotations

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.tables import Table

PIECE = 4 * 2**20
"""Bytes of a piece."""


class Content(Table):
    """A safetensors file."""

    __tablename__ = "contents"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of its bytes, in hexadecimal."""

    size: Mapped[int]
    """How many bytes it has."""


class Piece(Table):
    """A part of a file."""

    __tablename__ = "pieces"

    digest: Mapped[str] = mapped_column(ForeignKey("contents.digest", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[bytes] = mapped_column(LargeBinary)
