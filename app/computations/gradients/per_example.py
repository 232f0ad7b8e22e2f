"""The parts `per_example_gradients` and `norms` of an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.problem.writer import ProblemWriter, scalar
from core.arrays import Array, CheckDeadline
from core.derivatives import per_example
from core.errors import Refusal
from core.plan import Plan

PART = "per_example_gradients"


def refuse_coupled(rendering: ProblemWriter, include: Sequence[str]) -> None:
    """Refuse the gradients of single examples if a layer couples the examples.

    Raises:
        Refusal: `unsupported-operator`, with the layer.
    """
    layer = per_example.coupling(rendering.problem) if PART in include else None
    if layer:
        raise Refusal.of(
            "unsupported-operator",
            f"Layer {layer.name!r} ({layer.layer.kind}) couples the examples: its result for one example depends on the "
            "others, so that gradients of single examples are not defined.",
            "include",
            list(include).index(PART),
            hint="Request per_example_losses or gradients, which are available for every network.",
        )


def per_example_answer(plan: Plan, rendering: ProblemWriter, check_deadline: CheckDeadline) -> dict[str, Any]:
    """Return those of the two parts that were requested. Both passes of `plan` must have run."""
    problem, parts = rendering.problem, rendering.parts
    if not parts & {PART, "norms"}:
        return {}
    answer: dict[str, Any] = {}
    with np.errstate(all="ignore"):
        apart = None if per_example.coupling(problem) else per_example.plan_apart(problem, check_deadline)
        if apart and PART in parts:
            answer[PART] = rendering.parameters(per_example.gradients(apart))
        if "norms" in parts:
            gradients = _norms(plan.gradients.gradients)
            every = [norm for named in gradients.values() for norm in named.values()]
            answer["norms"] = {
                "parameters": _norms(plan.parameters),
                "gradients": gradients,
                "total": scalar(np.linalg.norm(every)),
            }
            if apart:
                answer["norms"]["per_example"] = per_example.norms(apart)
    return answer


def _norms(arrays: Mapping[str, Mapping[str, Array]]) -> dict[str, dict[str, Any]]:
    return {
        layer: {name: scalar(np.linalg.norm(array)) for name, array in named.items()}
        for layer, named in arrays.items()
        if named
    }
