"""Diagnoses: conditions found in a run that are not mistakes but keep a network from learning.

A diagnosis is bound to a plan once, and asked after each of its runs. To add one, write a file and list its function in
`DIAGNOSES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from core.diagnoses.kinks import kinks
from core.diagnoses.silent_units import silent_units
from core.diagnoses.symmetric_units import symmetric_units
from core.diagnoses.zero_gradients import zero_gradients
from core.errors import Issue
from core.plan import Plan

Diagnosis = Callable[[Plan], Callable[[], Iterator[Issue]]]
"""Returns the function that yields the warnings for the last run of a plan."""

OF_LEARNING: tuple[Diagnosis, ...] = (zero_gradients, symmetric_units, silent_units)
"""The conditions that keep a network from learning."""

DIAGNOSES: tuple[Diagnosis, ...] = (*OF_LEARNING, kinks)


def bind(plan: Plan, diagnoses: Sequence[Diagnosis] = DIAGNOSES) -> Callable[[], list[Issue]]:
    """Return the function that returns the warnings for the last run of a plan.

    The plan must have run forward and backward, and must retain its preactivations.
    """
    bound = [diagnosis(plan) for diagnosis in diagnoses]
    return lambda: [issue for find in bound for issue in find()]


def diagnose_learning(plan: Plan) -> list[Issue]:
    """Return the warnings for the last run of a plan that concern learning, and not the numbers of one point."""
    return bind(plan, OF_LEARNING)()
