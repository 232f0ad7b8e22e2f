"""Example bodies that the documentation shows and the tests send."""

from __future__ import annotations

from typing import Any

from app.examples import XOR

DATASETS: dict[str, Any] = {
    "xor": {"summary": "The four points of XOR", "value": {**XOR["batch"], "name": "xor"}},
    "named": {
        "summary": "Two named inputs and class numbers",
        "value": {"inputs": {"left": [[1, 2], [3, 4]], "right": [[5], [6]]}, "targets": [0, 1]},
    },
}
