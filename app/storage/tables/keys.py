"""The table of API keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Double, String
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.base import Table
from app.storage.ownership import OWNER_LENGTH


class StoredKey(Table):
    """An API key without its secret, of which only a hash is stored. A key that was revoked keeps its row."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(OWNER_LENGTH), primary_key=True)
    """The public part of the key, by which the row is found. It may be shown."""

    name: Mapped[str] = mapped_column(String(200))
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 hash of the whole key."""

    scopes: Mapped[list[Any]]
    owner: Mapped[str] = mapped_column(String(OWNER_LENGTH), index=True)
    """The owner of what is stored with the key: its id, or that of the key that it succeeds."""

    rate: Mapped[float | None] = mapped_column(Double)
    """Requests a second. Here and below, null stands for the setting's default."""

    burst: Mapped[int | None]
    concurrency: Mapped[int | None]
    operations: Mapped[float | None] = mapped_column(Double)
    """Floating-point operations a minute."""

    storage_bytes: Mapped[int | None]
    jobs: Mapped[int | None]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
