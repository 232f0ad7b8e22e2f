"""Example bodies that the documentation shows and the tests send."""

from __future__ import annotations

from typing import Any

from app.examples import CLASSES, XOR

MODELS: dict[str, Any] = {
    "xor": {
        "summary": "A 2-3-1 network with a name",
        "value": {
            **{key: XOR[key] for key in ("network", "parameters", "convention")},
            "name": "xor",
            "metadata": {"from": "the playground", "epochs": 0},
        },
    },
    "network": {
        "summary": "A network without parameters, which a seed will draw",
        "value": {"network": CLASSES["network"]},
    },
}

MODEL_CHANGES: dict[str, Any] = {
    "name": {"summary": "Another name", "value": {"name": "the best so far"}},
    "metadata": {"summary": "Other metadata, and no name", "value": {"name": None, "metadata": {"accuracy": 0.97}}},
}
