"""Diagnoses: conditions found in a run that are not mistakes but keep a network from learning.

To add one, write a file and list its function in `DIAGNOSES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from core.diagnoses.kinks import kinks
from core.diagnoses.silent_units import silent_units
from core.diagnoses.symmetric_units import symmetric_units
from core.errors import Issue
from core.plan import Plan

Diagnosis = Callable[[Plan], Iterator[Issue]]

DIAGNOSES: tuple[Diagnosis, ...] = (symmetric_units, silent_units, kinks)


def diagnose(plan: Plan) -> list[Issue]:
    """Return the warnings for a plan that has run forward and backward and kept its preactivations."""
    return [issue for diagnosis in DIAGNOSES for issue in diagnosis(plan)]
