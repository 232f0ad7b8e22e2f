"""The table of schema versions."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.base import Table


class SchemaVersion(Table):
    """A migration step that this database has seen. Processes that do not know it read here whether they may go on."""

    __tablename__ = "schema_versions"

    revision: Mapped[str] = mapped_column(String(32), primary_key=True)
    compatible_since: Mapped[str] = mapped_column(String(32))
    """The step that a process must know at least to work with the tables after this one."""
