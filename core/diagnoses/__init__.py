"""What a run shows that is no mistake and yet keeps a network from learning. Adding one: a file, and its place below."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from core.diagnoses.kinks import kinks
from core.diagnoses.silent_units import silent_units
from core.diagnoses.symmetric_units import symmetric_units
from core.errors import Issue
from core.plan import Plan

Diagnosis = Callable[[Plan], Iterator[Issue]]

DIAGNOSES: tuple[Diagnosis, ...] = (symmetric_units, silent_units, kinks)


def diagnosed(plan: Plan) -> list[Issue]:
    """All that is found in a plan that has run forward and backward and kept its preactivations."""
    return [issue for diagnosis in DIAGNOSES for issue in diagnosis(plan)]
