"""The table of models."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.ownership import OwnedContent


class StoredModel(OwnedContent):
    """A network and its parameters. Only `name`, `notes`, `warnings` and `checkpoint_of` change."""

    __tablename__ = "models"

    network: Mapped[list[Any]] = mapped_column(JSON)
    """The layers, without fields that have their default value."""

    tensors: Mapped[list[Any]] = mapped_column(JSON)
    """Path, dtype and shape of every tensor in `content`."""

    content: Mapped[str] = mapped_column(ForeignKey("contents.digest"), index=True)
    """Digest of the tensors, which are stored in the row convention."""

    name: Mapped[str | None] = mapped_column(String(200))
    notes: Mapped[dict[str, Any]] = mapped_column("metadata", JSON)
    parent: Mapped[str | None] = mapped_column(String(28))
    """Id of the model that training started from. The model may have been deleted."""

    checkpoint_of: Mapped[str | None] = mapped_column(String(28))
    """Id of the job whose checkpoint the model belongs to and is deleted with; None for a model of its own."""

    warnings: Mapped[list[Any]] = mapped_column(JSON, server_default=text("'[]'"))
    """What was assumed when the content was last sent, as answers show it. The default is for servers of an older version
    that still run while the tables are migrated."""

    created_at: Mapped[datetime]
