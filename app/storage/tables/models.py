"""The table of models."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.numbered import Numbered


class StoredModel(Numbered):
    """A network and its parameters. Only `name` and `notes` ever change."""

    __tablename__ = "models"

    network: Mapped[list[Any]] = mapped_column(JSON)
    """The layers, without what is at its default."""

    tensors: Mapped[list[Any]] = mapped_column(JSON)
    """Path, dtype and shape of every tensor in `content`."""

    content: Mapped[str] = mapped_column(ForeignKey("contents.digest"), index=True)
    """The tensors: batch-first, weights in x out."""

    name: Mapped[str | None] = mapped_column(String(200))
    notes: Mapped[dict[str, Any]] = mapped_column("metadata", JSON)
    parent: Mapped[str | None] = mapped_column(String(28))
    """The model that training started from; it may be gone."""

    checkpoint_of: Mapped[str | None] = mapped_column(String(28))
    """The job whose checkpoint it is, with which it goes; None once somebody has made it a model of its own."""

    created_at: Mapped[datetime]
