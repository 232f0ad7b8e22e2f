"""Example problems that several resources share. Each resource has its own examples in its `examples.py`."""

from __future__ import annotations

from typing import Any

XOR: dict[str, Any] = {
    "network": {
        "layers": [
            {"kind": "dense", "units": 3, "activation": "tanh"},
            {"kind": "dense", "units": 1, "activation": "sigmoid", "name": "out"},
        ]
    },
    "parameters": {
        "1": {"weight": [[0.1, 0.4, -0.5], [-0.2, 0.3, 0.2]], "bias": [0, 0, 0]},
        "out": {"weight": [[0.7], [-0.1], [0.2]], "bias": [0.05]},
    },
    "batch": {"inputs": [[0, 0], [0, 1], [1, 0], [1, 1]], "targets": [[0], [1], [1], [0]]},
    "loss": {"kind": "binary_cross_entropy", "reduction": "mean"},
    "convention": "row",
}

COLUMN: dict[str, Any] = {
    "network": {
        "layers": [
            {"kind": "dense", "units": 2, "activation": "sigmoid"},
            {"kind": "dense", "units": 2, "activation": "sigmoid"},
        ]
    },
    "parameters": {
        "1": {"weight": [[0.15, 0.2], [0.25, 0.3]], "bias": [0.35, 0.35]},
        "2": {"weight": [[0.4, 0.45], [0.5, 0.55]], "bias": [0.6, 0.6]},
    },
    "batch": {"inputs": [0.05, 0.1], "targets": [0.01, 0.99]},
    "loss": {"kind": "half_squared_error", "reduction": "sum"},
    "convention": "column",
    "verify": True,
}

CLASSES: dict[str, Any] = {
    "network": {
        "layers": [
            {"kind": "dense", "units": 8, "activation": "relu"},
            {"kind": "dense", "units": 3, "activation": "softmax"},
        ]
    },
    "seed": 7,
    "batch": {"inputs": [[0.2, -1.0, 0.5, 2.0], [1.0, 0.0, -0.3, 0.4]], "targets": [3, 1], "first_label": 1},
    "loss": {"kind": "cross_entropy", "l2": 0.01},
    "include": ["loss", "output", "gradients"],
}

SKIP: dict[str, Any] = {
    "network": {
        "layers": [
            {"kind": "dense", "units": 2, "activation": "tanh", "name": "hidden"},
            {"kind": "add", "inputs": ["input", "hidden"], "name": "skip"},
        ]
    },
    "parameters": {"hidden": {"weight": [[1, -1], [0.5, 2]], "bias": [0, 0.1]}},
    "batch": {"inputs": [[1, 2], [3, 4], [5, 6]], "upstream": [[1, 0], [0, 1], [1, 1]]},
    "loss": {"kind": "upstream"},
    "convention": "row",
    "include": ["output", "gradients", "input_gradient"],
}

LINEAR: dict[str, Any] = {
    "network": {"layers": [{"kind": "dense", "units": 2, "bias": False}]},
    "parameters": {"1": {"weight": [[1, 2], [3, 4], [5, 6]]}},
    "batch": {"inputs": [[0.5, -1, 2], [1, 0, 1]]},
    "convention": "row",
}
