"""Example bodies that the documentation shows and the tests send."""

from __future__ import annotations

from typing import Any

from app.examples import XOR

JOBS: dict[str, Any] = {
    "xor": {
        "summary": "Train a 2-3-1 network on XOR",
        "value": {
            "network": XOR["network"],
            "seed": 2,
            "data": {"inputs": [[0, 0], [0, 1], [1, 0], [1, 1]], "targets": [[0], [1], [1], [0]]},
            "loss": {"kind": "binary_cross_entropy"},
            "optimizer": {"kind": "adam", "learning_rate": 0.05},
            "epochs": 200,
            "batch_size": 4,
            "name": "xor",
        },
    },
}
