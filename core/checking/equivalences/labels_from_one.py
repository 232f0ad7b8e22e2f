"""labels-from-another-number: class numbers counted from 1 where the request counts from 0, or the other way round."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from core.checking.equivalences.base import Equivalence, Reading
from core.checking.submission import SubmissionSpec
from core.problem import Problem


class LabelsFromAnotherNumber(Equivalence):
    """Every one-hot target is one class too high or too low."""

    slug = "labels-from-another-number"

    def readings(self, reading: Reading) -> Iterator[tuple[Problem, SubmissionSpec, str]]:
        objective = reading.problem.objective
        if objective is None or not objective.loss.takes_class_indices or objective.targets.ndim != 2:
            return
        Y = objective.targets
        if Y.shape[1] < 2 or not np.all((Y == 0) | (Y == 1)) or not np.all(Y.sum(axis=1) == 1):
            return
        for shift, unused, said in (
            (-1, 0, 'Your program counts the classes from a number that is one higher: send "first_label": 1.'),
            (1, -1, 'Your program counts the classes from a number that is one lower: send "first_label": 0.'),
        ):
            if not Y[:, unused].any():
                moved = replace(objective, targets=np.roll(Y, shift, axis=1))
                yield replace(reading.problem, objective=moved), reading.sent, said
