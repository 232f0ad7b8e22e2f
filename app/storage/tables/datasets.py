"""The table of datasets."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.ownership import OwnedContent


class StoredDataset(OwnedContent):
    """Inputs and targets of examples. Rows never change."""

    __tablename__ = "datasets"

    content: Mapped[str] = mapped_column(ForeignKey("contents.digest"), index=True)
    """Digest of the tensors, which are stored batch-first."""

    examples: Mapped[int]
    """Number of examples."""

    description: Mapped[dict[str, Any]] = mapped_column(JSON)
    """The result of the inspection: shapes, types, statistics, columns, classes and standardisation."""

    name: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime]
