"""The table of datasets."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.tables import Table


class StoredDataset(Table):
    """Inputs and targets of examples. Nothing of it ever changes."""

    __tablename__ = "datasets"

    number: Mapped[int] = mapped_column(primary_key=True)
    """Counts datasets as they come; lists are sorted by it."""

    id: Mapped[str] = mapped_column(String(28), unique=True)
    """dst_ and 24 hexadecimal digits of the SHA-256 of what it holds."""

    content: Mapped[str] = mapped_column(ForeignKey("contents.digest"), index=True)
    """The tensors, batch-first."""

    examples: Mapped[int]
    """How many examples there are."""

    description: Mapped[dict[str, Any]] = mapped_column(JSON)
    """What was found on inspection: shapes, types and statistics, columns, classes, standardisation."""

    name: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime]
