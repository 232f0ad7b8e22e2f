"""Example bodies that the documentation shows and the tests send."""

from __future__ import annotations

from typing import Any

from app.examples import LINEAR, XOR

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
