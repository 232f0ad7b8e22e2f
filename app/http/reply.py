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
    """The object from which documents are written, for routes that offer documents."""
