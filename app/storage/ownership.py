"""Ownership: which rows a caller may see.

A row belongs to the owner that its column names. Rows without an owner were stored without a key; they are for callers
without a key, and for those who see everything.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Index, String, exists, text, true
from sqlalchemy.orm import InstrumentedAttribute, Mapped, aliased, declared_attr, mapped_column

from app.http.caller import Caller
from app.storage.numbered import Numbered

OWNER_LENGTH = 32


class OwnedContent(Numbered):
    """Base class of tables whose ids follow from content: each owner of the same content has a row of its own."""

    __abstract__ = True

    owner: Mapped[str | None] = mapped_column(String(OWNER_LENGTH), index=True)
    """The owner of the row; None if it was stored without a key."""

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Index, ...]:
        """Return the indexes by which each owner has an id once. Databases take no two NULLs for the same owner."""
        name, nobody = cls.__tablename__, text("owner IS NULL")
        return (
            Index(f"uq_{name}_id_owner", "id", "owner", unique=True),
            Index(f"uq_{name}_id", "id", unique=True, sqlite_where=nobody, postgresql_where=nobody),
        )


def owned_by(column: InstrumentedAttribute[str | None], owner: str | None) -> ColumnElement[bool]:
    """Return the condition that a row belongs to an owner; None is the one of rows stored without a key."""
    return column.is_(None) if owner is None else column == owner


def visible(table: Any, caller: Caller) -> ColumnElement[bool]:
    """Return the condition that a caller may see a row.

    At most one row with the same id fulfils it. Who sees everything sees of rows with the same content their own, otherwise
    the oldest one.
    """
    if not caller.sees_all:
        return owned_by(table.owner, caller.owner)
    if not issubclass(table, OwnedContent):
        return true()
    other = aliased(table)
    is_not_mine = table.owner.is_distinct_from(caller.owner)  # NULL <> 'a' is neither true nor false.
    better = owned_by(other.owner, caller.owner) | (is_not_mine & (other.number < table.number))
    return ~exists().where(other.id == table.id, other.number != table.number, better)
