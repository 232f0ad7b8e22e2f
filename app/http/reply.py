"""Reply: an answer with a status and headers of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with a status and headers of its own."""

    content: dict[str, Any]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    source: Any = None
    """What a document is written from, where the address has documents."""
