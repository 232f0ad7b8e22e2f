"""One layer run forward on given numbers, in the words of a caller."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.arrays import Array
from core.convention import tensor
from core.layers import Layer
from core.plan import Plan
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from tests.gradient import build_plan


def ran(layer: Layer, X: Array, **fields: Any) -> Plan:
    """A plan of that layer alone that has run forward; its parameters are random where none are given."""
    fields.setdefault("seed", 0)
    named: dict[str, Any] = {name: {"1": fields.pop(name)} for name in ("parameters", "state") if name in fields}
    problem = validate(
        ProblemSpec(layers=[layer], inputs={"input": np.asarray(X, float)}, **named, **fields), needs_loss=False
    )
    plan = build_plan(problem, backward=False)
    plan.forward()
    return plan


def result(layer: Layer, X: Array, **fields: Any) -> Array:
    """Its result, as the convention writes it."""
    return tensor(ran(layer, X, **fields).output, fields.get("convention", "row"))
