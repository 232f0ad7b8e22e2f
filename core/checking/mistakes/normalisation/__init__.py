"""The mistakes in batch_norm, layer_norm and rms_norm: `NORMALISATION` has them all."""

from __future__ import annotations

from core.checking.mistakes.normalisation.backward import NormalisationMistake
from core.checking.mistakes.normalisation.forward import UnbiasedVariance
from core.checking.mistakes.normalisation.means import MEANS
from core.checking.mistakes.normalisation.parameters import PARAMETERS
from core.checking.mistakes.normalisation.scale import SCALE
from core.checking.mistakes.normalisation.statistics import STATISTICS
from core.checking.mistakes.normalisation.terms import TERMS

NORMALISATION: tuple[type[NormalisationMistake], ...] = (
    *TERMS,
    *MEANS,
    *SCALE,
    *STATISTICS,
    *PARAMETERS,
    UnbiasedVariance,
)
"""In the order in which they are named if two give the same numbers."""

__all__ = ["NORMALISATION"]
