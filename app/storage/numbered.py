"""Tables with numbered rows, which can be listed page by page, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import ColumnElement, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.storage.base import Table
from core.errors import Refusal


class Numbered(Table):
    """Base class of tables whose rows are numbered in the order of their creation."""

    __abstract__ = True

    number: Mapped[int] = mapped_column(primary_key=True)
    """Number of the row. Lists are sorted by it."""

    id: Mapped[str] = mapped_column(String(28))
    """Id of the object in the API."""


R = TypeVar("R", bound=Numbered)


def may_be_id(text: str) -> bool:
    """Return whether a text sent by a client can be an id. Databases fail on some characters that no id contains."""
    return text.isascii() and text.isprintable()


def page(
    session: Session,
    table: type[R],
    limit: int,
    after: str | None,
    visible: ColumnElement[bool],
    *where: ColumnElement[bool],
) -> tuple[Sequence[R], bool]:
    """Return up to `limit` rows after the one with the id `after`, and whether there are more.

    Args:
        session: a transaction.
        table: the table of the rows.
        limit: the largest number of rows.
        after: id of the last row of the page before.
        visible: which rows the caller may see. It holds for the row `after` too.
        where: further conditions of the rows that are returned.

    Raises:
        Refusal: `unknown-name`, if there is no row with the id `after`.
    """
    chosen = select(table).where(visible, *where).order_by(table.number.desc()).limit(limit + 1)
    if after is not None:
        found_after = select(table.number).where(table.id == after, visible)
        start = session.scalar(found_after) if may_be_id(after) else None
        if start is None:
            detail = f"The list has no entry with the id {after[:60]!r}."
            raise Refusal.of(
                "unknown-name", detail, "query", "after", hint="Leave out `after` to start from the beginning."
            )
        chosen = chosen.where(table.number < start)
    found = session.scalars(chosen).all()
    return found[:limit], len(found) > limit
