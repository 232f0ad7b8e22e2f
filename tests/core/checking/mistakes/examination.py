"""The examination of one rule: which of all mistakes reproduce the numbers that a program computed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.checking.comparison import Comparator
from core.checking.interpretation import Right
from core.checking.precision import criterion_for
from core.checking.quantity import Quantity
from core.checking.replay import findings
from core.problem import Problem

Array = NDArray[np.float64]


def named(problem: Problem, struck: Quantity, yours: Mapping[Quantity, Array]) -> set[str]:
    """The slugs of the mistakes in the rule of `struck` that reproduce all of these tensors."""
    with np.errstate(all="ignore"):
        right = Right(problem)
        criterion = criterion_for({"float64"}, yours, None, None)
        comparator = Comparator(right.network, criterion, right.trace, right.values)
        made = {quantity: quantity.by_rule for quantity in yours}
        return {finding.slug for finding in findings(comparator, right.trace, struck, yours, made)}


def right_values(problem: Problem) -> Mapping[Quantity, Array]:
    """The right value of every quantity, for a program that is right."""
    with np.errstate(all="ignore"):
        return Right(problem).values
