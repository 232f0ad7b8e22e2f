"""Diagnoses: conditions found in a run that are not mistakes but keep a network from learning.

To add one, write a file and list its function in `DIAGNOSES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from core.diagnoses.kinks import kinks
from core.diagnoses.silent_units import silent_units
from core.diagnoses.symmetric_units import symmetric_units
from core.diagnoses.zero_gradients import zero_gradients
from core.errors import Issue
from core.plan import Plan

Diagnosis = Callable[[Plan], Iterator[Issue]]

OF_LEARNING: tuple[Diagnosis, ...] = (zero_gradients, symmetric_units, silent_units)
"""The conditions that keep a network from learning."""

DIAGNOSES: tuple[Diagnosis, ...] = (*OF_LEARNING, kinks)


def diagnose(plan: Plan) -> list[Issue]:
    """Return the warnings for a plan that has run forward and backward and kept its preactivations."""
    return [issue for diagnosis in DIAGNOSES for issue in diagnosis(plan)]


def diagnose_learning(plan: Plan) -> list[Issue]:
    """Return those of these warnings that concern learning, and not the numbers of one point."""
    return [issue for diagnosis in OF_LEARNING for issue in diagnosis(plan)]
