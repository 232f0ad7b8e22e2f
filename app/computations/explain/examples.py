"""Example bodies that the documentation shows and the tests send."""

from __future__ import annotations

from typing import Any

from app.examples import COLUMN, XOR

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
