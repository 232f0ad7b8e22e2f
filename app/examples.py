"""Bodies that the documentation shows and the tests send."""

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

LINEAR: dict[str, Any] = {
    "network": {"layers": [{"kind": "dense", "units": 2, "bias": False}]},
    "parameters": {"1": {"weight": [[1, 2], [3, 4], [5, 6]]}},
    "batch": {"inputs": [[0.5, -1, 2], [1, 0, 1]]},
    "convention": "row",
}

JACOBIAN: dict[str, Any] = {
    "weight": {
        "summary": "Of a linear layer's output by its weight: X ⊗ I in row-major order",
        "value": {**LINEAR, "of": "output", "wrt": "1.weight"},
    },
    "input": {"summary": "Of the same output by the input: I ⊗ W'", "value": {**LINEAR, "wrt": "input"}},
}

EXPLAIN: dict[str, Any] = {
    "xor": {"summary": "The derivation for XOR's 2-3-1 network", "value": XOR},
    "factors": {
        "summary": "Every factor of the chain rule, in the column convention, and why one number is what it is",
        "value": {
            **{name: value for name, value in COLUMN.items() if name not in ("include", "verify")},
            "style": {"notation": "factors", "focus": "gradients.1.weight[0,1]"},
        },
    },
}

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

PRODUCTS: dict[str, Any] = {
    "hvp": {
        "summary": "The Hessian of XOR's loss times a change of the output weight",
        "value": {**XOR, "kind": "hvp", "vector": {"parameters": {"out": {"weight": [[1], [0], [-1]]}}}},
    },
    "jvp": {
        "summary": "How a linear layer's output changes along a change of its input",
        "value": {**LINEAR, "kind": "jvp", "vector": {"inputs": [[1, 0, 0], [0, 1, 0]]}},
    },
    "vjp": {
        "summary": "The gradients of <u, output>",
        "value": {**LINEAR, "kind": "vjp", "vector": [[1, 0], [0, 1]]},
    },
}

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
    "self": {"summary": "No submission: the server checks its own backward pass", "value": XOR},
}

DATASETS: dict[str, Any] = {
    "xor": {"summary": "The four points of XOR", "value": {**XOR["batch"], "name": "xor"}},
    "named": {
        "summary": "Two named inputs and class numbers",
        "value": {"inputs": {"left": [[1, 2], [3, 4]], "right": [[5], [6]]}, "targets": [0, 1]},
    },
}

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

JOBS: dict[str, Any] = {
    "xor": {
        "summary": "XOR, learned",
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
