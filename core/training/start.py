"""What keeps a network from learning at the start of a training, on the first examples."""

from __future__ import annotations

import numpy as np

from core.derivatives import per_example
from core.diagnoses import diagnose_learning
from core.errors import Issue, Refusal
from core.plan import Retain
from core.problem import Problem
from core.training.examples import part_of

MOST = 256
"""Largest number of examples that are looked at."""


def diagnose_start(problem: Problem) -> list[Issue]:
    """Return the warnings about learning at the parameters of a problem; none where its numbers are not finite."""
    objective = problem.objective
    if objective is None:
        return []
    try:
        if len(objective.targets) > MOST and per_example.indivisible(problem) is None:
            problem = part_of(problem, np.arange(MOST))
        plan = problem.plan(retain=Retain(preactivations=True))
        with np.errstate(all="ignore"):
            plan.forward()
            plan.backward()
            return diagnose_learning(plan)
    except Refusal:  # The training refuses it, and says in which step.
        return []
