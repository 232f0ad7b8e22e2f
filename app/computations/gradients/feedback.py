"""The part of an answer that says what feedback alignment did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from app.http.executor import CheckDeadline
from app.problem.writer import ProblemWriter
from core.arrays import Array
from core.errors import Refusal
from core.feedback_alignment import angle
from core.plan import Plan


def refuse_verify() -> None:
    """Refuse a certificate for what is no gradient.

    Raises:
        Refusal: always.
    """
    detail = (
        "A certificate compares gradients with a derivative of the loss; under feedback the answer holds directions."
    )
    raise Refusal.of(
        "invalid-request", detail, "verify", hint="The angles in the answer compare them with the gradient."
    )


def feedback_answer(plan: Plan, rendering: ProblemWriter, check_deadline: CheckDeadline) -> dict[str, Any]:
    """The matrices, and the angle between every parameter's direction and its gradient. `plan` has run both ways."""
    problem = rendering.problem
    if problem.feedback is None:
        return {}
    true = replace(problem, feedback=None).plan(check_deadline=check_deadline)
    with np.errstate(all="ignore"):
        true.forward()
        true.backward()
    return {
        "feedback": {
            "kind": problem.feedback.kind,
            "weights": {name: _written(array, rendering) for name, array in problem.feedback.weights.items()},
            "angles": _angles(plan.gradients.gradients, true.gradients.gradients),
        }
    }


def _written(array: Array, rendering: ProblemWriter) -> Array:
    """B in the orientation of the request's weights."""
    return array if rendering.problem.convention == "row" else array.T


def _angles(
    directions: Mapping[str, Mapping[str, Array]], gradients: Mapping[str, Mapping[str, Array]]
) -> dict[str, dict[str, float | None]]:
    return {
        layer: {name: angle(array, gradients[layer][name]) for name, array in named.items()}
        for layer, named in directions.items()
        if named
    }
