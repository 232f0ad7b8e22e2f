"""The parts of a sweep in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def variant_text(variant: Mapping[str, Any] | None) -> str:
    """Return the values that distinguish a part of a sweep: seed=1, units.1=8."""
    return ", ".join(f"{name}={value}" for name, value in (variant or {}).items())
