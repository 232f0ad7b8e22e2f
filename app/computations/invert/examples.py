"""Example bodies that the documentation shows and the tests send."""

from __future__ import annotations

from typing import Any

from app.examples import COLUMN

INVERT: dict[str, Any] = {
    "column": {
        "summary": "Inputs for which Mazur's 2-2-2 network gives 0.6 and 0.8",
        "value": {
            **{key: COLUMN[key] for key in ("network", "parameters", "convention")},
            "targets": [0.6, 0.8],
        },
    },
    "reference": {
        "summary": "Four inputs and one output: of many inverses, the nearest to a reference",
        "value": {
            "network": {
                "layers": [
                    {"kind": "dense", "units": 3, "activation": "sigmoid"},
                    {"kind": "dense", "units": 1, "activation": "sigmoid"},
                ]
            },
            "parameters": {
                "1": {"weight": [[1, -1, 0.5], [0, 2, 1], [-1, 0.5, 0], [0.5, 1, -2]], "bias": [0, 0.1, -0.1]},
                "2": {"weight": [[3], [-2], [1]], "bias": [0.5]},
            },
            "targets": [[0.2], [0.95]],
            "reference": [[1, 0, 0, 1], [0, 1, 1, 0]],
            "convention": "row",
        },
    },
}
