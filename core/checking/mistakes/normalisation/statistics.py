"""The mistakes about which statistics batch_norm used: those of the batch, or the running ones."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.normalisation.backward import NormalisationBackward, Standardised


class RunningStatistics(NormalisationBackward):
    """The backward pass of mode train with the running variance in the place of that of the batch."""

    slug = "running-statistics-backward"
    why = (
        "In mode train, batch_norm standardises by the statistics of the batch, and its gradient contains the same ones. "
        "The running statistics belong to mode eval."
    )
    unseen = "the running variance is that of the batch"
    updated: ClassVar[bool]
    """Whether the running variance is that after this batch."""
    constant: ClassVar[bool]
    """Whether the terms through the statistics are missing."""

    def is_possible(self, at: Standardised) -> bool:
        return hasattr(at.layer, "momentum") and super().is_possible(at)

    def has_terms(self, at: Standardised) -> bool:
        return not self.constant and super().has_terms(at)

    def reciprocal(self, at: Standardised) -> Array:
        running = at.beside(at.running_variance)
        if self.updated and at.count > 1:
            share, unbiased = at.layer.momentum, (at.deviation**2 - at.layer.epsilon) * at.count / (at.count - 1)
            running = (1 - share) * running + share * unbiased
        return np.asarray(1 / np.sqrt(running + at.layer.epsilon))


class EvaluationAsTraining(NormalisationBackward):
    """The terms through the statistics in mode eval, where these are constants."""

    slug = "evaluation-as-training"
    said = "has terms through the mean and variance of layer '$above', which are constants in mode eval"
    wrong = (
        r"\frac{\partial L}{\partial X} = \frac{1}{\sigma} \left( G - \overline{G} - \hat{X} \circ \overline{G \circ "
        r"\hat{X}} \right)"
    )
    why = "In mode eval, batch_norm uses the running statistics, which do not depend on this batch: ∂L/∂X = γ δ/√(σ² + ε)."
    in_terms = False

    def is_possible(self, at: Standardised) -> bool:
        return not at.layer.statistics_vary and super().is_possible(at)

    def has_terms(self, at: Standardised) -> bool:
        return True


def _running() -> tuple[type[RunningStatistics], ...]:
    found: list[type[RunningStatistics]] = []
    for constant in (True, False):
        for updated in (True, False):
            terms = r"G" if constant else r"\left( G - \overline{G} - \hat{X} \circ \overline{G \circ \hat{X}} \right)"
            when = "after" if updated else "before"
            fields = {
                "constant": constant,
                "updated": updated,
                "said": f"is divided by the running deviation of layer '$above' {when} this batch"
                + (", as a constant" if constant else ""),
                "wrong": rf"\frac{{\partial L}}{{\partial X}} = \frac{{1}}{{\sqrt{{v + \epsilon}}}} {terms}, \quad v "
                r"\text{ the running variance}",
            }
            found.append(type(f"RunningStatistics{when.title()}{constant:d}", (RunningStatistics,), fields))
    return tuple(found)


STATISTICS: tuple[type[NormalisationBackward], ...] = (*_running(), EvaluationAsTraining)
