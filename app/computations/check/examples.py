"""Example bodies that the documentation shows and the tests send."""

from __future__ import annotations

from typing import Any

from app.examples import XOR

PROBE: dict[str, Any] = {
    "xor": {
        "summary": "A test for a 2-3-1 network",
        "value": {
            "network": XOR["network"],
            "features": [2],
            "loss": {"kind": "binary_cross_entropy"},
            "convention": "column",
        },
    },
}

CHECK: dict[str, Any] = {
    "bias": {
        "summary": "A bias gradient that was summed over the batch and not averaged",
        "value": {
            **XOR,
            "submission": {
                "gradients": {
                    "1": {
                        "weight": [[-0.006450, 0.003367, 0.001531], [-0.006719, 0.004498, -0.003663]],
                        "bias": [-0.004124, 0.002438, 0.002196],
                    },
                    "out": {"weight": [[0.001509], [-0.015253], [-0.001456]], "bias": [-0.044172]},
                }
            },
        },
    },
    "step": {
        "summary": "A step of gradient descent whose gradient was summed over the batch and not averaged",
        "value": {
            "network": {"layers": [{"kind": "dense", "units": 1}]},
            "parameters": {"1": {"weight": [[0.5], [-0.3]], "bias": [0.1]}},
            "batch": {"inputs": [[1, 2], [3, 1], [2, 0]], "targets": [[1], [0], [1]]},
            "loss": {"kind": "half_squared_error"},
            "convention": "row",
            "submission": {
                "step": {
                    "optimizer": {"kind": "sgd", "learning_rate": 0.1},
                    "parameters": {"1": {"weight": [[0.19], [-0.23]], "bias": [0.06]}},
                }
            },
        },
    },
    "self": {"summary": "No submission: the server checks its own backward pass", "value": XOR},
}
