"""An explanation: all steps of a derivation, and the plan that computes the same numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.arrays import Array, CheckDeadline
from core.errors import Refusal
from core.explaining.derivation_builder import DerivationBuilder, Notation
from core.explaining.focus import Focus, focus_on
from core.explaining.script import program
from core.explaining.step import Step
from core.explaining.update import write_update
from core.optimizers import Optimizer
from core.plan import Plan, Retain
from core.problem import Problem

MANY = 20_000
"""The derivation of a request with more numbers than this shows only shapes."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The derivation of one problem."""

    problem: Problem
    plan: Plan
    steps: list[Step]
    script: str
    focus: Focus | None
    with_numbers: bool


def explain(
    problem: Problem,
    notation: Notation,
    focus: str | None,
    check_deadline: CheckDeadline | None = None,
    *,
    optimizer: Optimizer | None = None,
    rates: Mapping[str, Mapping[str, Array]] | None = None,
) -> Explanation:
    """Derive the gradients of a problem, and the first step of the optimizer if there is one.

    Raises:
        Refusal: `unknown-name` for a focus that names no number, `unsupported-operator` for a loss without a derivation.
    """
    if problem.objective and not problem.objective.loss.has_derivation:
        kind = problem.objective.loss.kind
        hint = "Send the gradient of the loss at the output as batch.upstream, with the loss upstream."
        raise Refusal.of(
            "unsupported-operator", f"There is no derivation of the loss {kind}.", "loss", "kind", hint=hint
        )
    plan = problem.plan(
        retain=Retain(preactivations=True, deltas=True, input_gradients=True), check_deadline=check_deadline
    )
    with np.errstate(all="ignore"):
        plan.forward()
        plan.backward()
        builder = DerivationBuilder(problem, plan.reported, notation)
        if optimizer:
            write_update(builder, optimizer, rates)
        found = focus_on(focus, builder, plan) if focus else None
    size = sum(symbol.value.size for symbol in builder.data.values())
    return Explanation(
        problem,
        plan,
        builder.steps,
        program(builder.steps, list(builder.data.values())),
        found,
        with_numbers=size <= MANY,
    )
