"""penalty-strength: λ, ½ λ, λ/n."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from core.checking.equivalences.base import Equivalence, Reading
from core.checking.submission import SubmissionSpec
from core.problem import Problem


class PenaltyStrength(Equivalence):
    """The penalty as λ ‖W‖² or as λ/2n ‖W‖², in loss and gradient alike."""

    slug = "penalty-strength"

    def readings(self, reading: Reading) -> Iterator[tuple[Problem, SubmissionSpec, str]]:
        objective = reading.problem.objective
        if objective is None or not objective.loss.l2:
            return
        n = len(objective.coefficients)
        for factor, meaning in ((2.0, "λ ‖W‖²"), (1 / n, "λ/2n ‖W‖²"), (2 / n, "λ/n ‖W‖²")):
            if factor != 1:
                loss = replace(objective.loss, l2=objective.loss.l2 * factor)
                problem = replace(reading.problem, objective=replace(objective, loss=loss))
                yield problem, reading.sent, f"Your penalty is {meaning}; the request's is ½ λ ‖W‖²."
