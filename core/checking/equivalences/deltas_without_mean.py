"""deltas-without-mean: 1/n enters with the gradients and not with the deltas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from core.checking.equivalences.base import Equivalence, Reading
from core.checking.submission import SubmissionSpec
from core.problem import Problem


class DeltasWithoutMean(Equivalence):
    """dZ = A − Y and dW = 1/n Aᵀ dZ, as some courses define them: n times the deltas of this service."""

    slug = "deltas-without-mean"

    def readings(self, reading: Reading) -> Iterator[tuple[Problem, SubmissionSpec, str]]:
        objective, sent = reading.problem.objective, reading.sent
        if objective is None or objective.loss.reduction != "mean" or not sent.deltas:
            return
        n = len(objective.coefficients)
        if n > 1 and objective.loss.needs_targets:
            deltas = {layer: array / n for layer, array in sent.deltas.items()}
            said = (
                f"Your deltas are {n} times ∂L/∂Z: you apply the 1/n of the mean to the gradients, not to the deltas."
            )
            yield reading.problem, replace(sent, deltas=deltas), said
