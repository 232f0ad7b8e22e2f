"""Pages: lists that are handed out a part at a time, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import ColumnElement, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.storage.base import Table
from core.errors import Refusal


class Numbered(Table):
    """Base of tables whose rows are counted as they come."""

    __abstract__ = True

    number: Mapped[int] = mapped_column(primary_key=True)
    """Counts the rows as they come; lists are sorted by it."""

    id: Mapped[str] = mapped_column(String(28), unique=True)
    """The name by which callers know it."""


R = TypeVar("R", bound=Numbered)


def may_be_id(text: str) -> bool:
    """Whether a caller's text could be an id: databases fail on characters that no id has."""
    return text.isascii() and text.isprintable()


def page(
    session: Session, table: type[R], limit: int, after: str | None, *where: ColumnElement[bool]
) -> tuple[Sequence[R], bool]:
    """Up to `limit` rows after the one with the id `after`, and whether there are more.

    Raises:
        Refusal: `unknown-name`, where there is no row `after`.
    """
    chosen = select(table).where(*where).order_by(table.number.desc()).limit(limit + 1)
    if after is not None:
        start = session.scalar(select(table.number).where(table.id == after)) if may_be_id(after) else None
        if start is None:
            detail = f"There is nothing with the id {after[:60]!r} after which the list could go on."
            raise Refusal.of("unknown-name", detail, "query", "after", hint="Start again without after.")
        chosen = chosen.where(table.number < start)
    found = session.scalars(chosen).all()
    return found[:limit], len(found) > limit
