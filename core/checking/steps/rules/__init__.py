"""The known mistakes of updates and the other forms of optimizers, each a class with its wrong equation in it."""

from __future__ import annotations

from core.checking.steps.rules.base import UpdateRule, combined
from core.checking.steps.rules.correction import CORRECTION
from core.checking.steps.rules.decay import DECAY
from core.checking.steps.rules.families import family_of
from core.checking.steps.rules.forms import FORMS
from core.checking.steps.rules.gradient import GRADIENT
from core.checking.steps.rules.learning_rate import LEARNING_RATE
from core.checking.steps.rules.length import NotMoved, Scaled
from core.checking.steps.rules.moments import MOMENTS
from core.checking.steps.rules.squares import SQUARES
from core.checking.steps.rules.updated_weights import UpdatedWeightsUsed
from core.checking.steps.rules.velocity import VELOCITY

RULES: tuple[type[UpdateRule], ...] = (
    *FORMS,
    *VELOCITY,
    *CORRECTION,
    *MOMENTS,
    *SQUARES,
    *DECAY,
    *GRADIENT,
    UpdatedWeightsUsed,
    *LEARNING_RATE,
    NotMoved,
)
"""Every mistake and every form. Where two give the same numbers, the one that stands first is named first."""

__all__ = ["RULES", "Scaled", "UpdateRule", "combined", "family_of"]
