"""The part `feedback` of an answer: the matrices of feedback alignment and the angles to the gradients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from app.problem.writer import ProblemWriter
from core.arrays import Array, CheckDeadline
from core.errors import Refusal
from core.feedback_alignment import angle
from core.plan import Plan


def refuse_verify() -> None:
    """Refuse a certificate under feedback alignment, whose directions are not gradients.

    Raises:
        Refusal: always.
    """
    detail = "A certificate checks gradients, but with feedback alignment the answer has other directions."
    raise Refusal.of(
        "invalid-request",
        detail,
        "verify",
        hint="Leave out verify; the angles in the answer compare the directions with the gradients.",
    )


def feedback_answer(plan: Plan, rendering: ProblemWriter, check_deadline: CheckDeadline) -> dict[str, Any]:
    """Return the matrices, and the angle between every parameter's direction and its gradient.

    The forward and the backward pass of `plan` must have run.
    """
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
            "weights": {name: _to_convention(array, rendering) for name, array in problem.feedback.weights.items()},
            "angles": _angles(plan.gradients.gradients, true.gradients.gradients),
        }
    }


def _to_convention(array: Array, rendering: ProblemWriter) -> Array:
    """Return B in the layout of the request's weights."""
    return array if rendering.problem.convention == "row" else array.T


def _angles(
    directions: Mapping[str, Mapping[str, Array]], gradients: Mapping[str, Mapping[str, Array]]
) -> dict[str, dict[str, float | None]]:
    return {
        layer: {name: angle(array, gradients[layer][name]) for name, array in named.items()}
        for layer, named in directions.items()
        if named
    }
