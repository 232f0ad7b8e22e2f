"""Equivalences, differences that are not mistakes: one file each, registered in `EQUIVALENCES`."""

from __future__ import annotations

from core.checking.equivalences.another_convention import AnotherConvention
from core.checking.equivalences.base import Equivalence, Reading
from core.checking.equivalences.deltas_without_mean import DeltasWithoutMean
from core.checking.equivalences.labels_from_one import LabelsFromAnotherNumber
from core.checking.equivalences.penalty import PenaltyStrength
from core.checking.equivalences.reduction import AnotherHalf, AnotherMeanOverOutputs, AnotherReduction
from core.checking.equivalences.slope_at_kink import SlopeAtKink
from core.checking.equivalences.turned_kernel import TurnedKernel

EQUIVALENCES: tuple[Equivalence, ...] = (
    AnotherConvention(),
    AnotherReduction(),
    AnotherHalf(),
    AnotherMeanOverOutputs(),
    DeltasWithoutMean(),
    LabelsFromAnotherNumber(),
    PenaltyStrength(),
    SlopeAtKink(),
    TurnedKernel(),
)
"""Every difference from the request in the way of writing that is also right."""

__all__ = ["EQUIVALENCES", "Equivalence", "Reading"]
