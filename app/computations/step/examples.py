"""Example bodies that the documentation shows and the tests send."""

from __future__ import annotations

from typing import Any

from app.examples import XOR

STEP: dict[str, Any] = {
    "adam": {
        "summary": "One step of Adam on XOR",
        "value": {**XOR, "optimizer": {"kind": "adam", "learning_rate": 0.05}},
    },
    "many": {
        "summary": "A hundred steps with momentum, two examples at a time",
        "value": {
            **XOR,
            "optimizer": {"kind": "sgd", "learning_rate": 0.5, "momentum": 0.9},
            "steps": 100,
            "batch_size": 2,
            "shuffle_seed": 1,
        },
    },
}
