"""The table of datasets."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.numbered import Numbered


class StoredDataset(Numbered):
    """Inputs and targets of examples. Nothing of it ever changes."""

    __tablename__ = "datasets"

    content: Mapped[str] = mapped_column(ForeignKey("contents.digest"), index=True)
    """The tensors, batch-first."""

    examples: Mapped[int]
    """How many examples there are."""

    description: Mapped[dict[str, Any]] = mapped_column(JSON)
    """What was found on inspection: shapes, types and statistics, columns, classes, standardisation."""

    name: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime]
