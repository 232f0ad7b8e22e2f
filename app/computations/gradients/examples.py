"""Example bodies that the documentation shows and the tests send."""

from __future__ import annotations

from typing import Any

from app.examples import CLASSES, COLUMN, SKIP, XOR

GRADIENTS: dict[str, Any] = {
    "xor": {"summary": "A 2-3-1 network on the four points of XOR, row convention", "value": XOR},
    "column": {"summary": "Mazur's 2-2-2 example, column convention, one example, certified", "value": COLUMN},
    "classes": {"summary": "Softmax classifier, class numbers from 1, parameters drawn from a seed", "value": CLASSES},
    "skip": {"summary": "A skip connection, with an upstream gradient instead of a loss", "value": SKIP},
}

FORWARD: dict[str, Any] = {
    "xor": {"summary": "A 2-3-1 network on the four points of XOR", "value": XOR},
    "output": {
        "summary": "The output alone, without a loss",
        "value": {
            **{key: XOR[key] for key in ("network", "parameters")},
            "batch": {"inputs": XOR["batch"]["inputs"]},
            "include": ["output"],
        },
    },
}
