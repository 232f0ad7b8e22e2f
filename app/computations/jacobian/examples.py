"""Example bodies that the documentation shows and the tests send."""

from __future__ import annotations

from typing import Any

from app.examples import LINEAR

JACOBIAN: dict[str, Any] = {
    "weight": {
        "summary": "Of a linear layer's output by its weight: X ⊗ I in row-major order",
        "value": {**LINEAR, "of": "output", "wrt": "1.weight"},
    },
    "input": {"summary": "Of the same output by the input: I ⊗ W'", "value": {**LINEAR, "wrt": "input"}},
}
