"""Evaluation of a network during training: validation loss, metrics and dead units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from core.arrays import Array, CheckDeadline
from core.derivatives import per_example
from core.diagnoses.silent_units import largest_slopes
from core.errors import Refusal
from core.plan import Plan, Retain
from core.problem import Problem
from core.training.examples import for_evaluation, objective_of, part_of
from core.training.minibatches import Minibatches
from core.training.outputs import Outputs
from core.training.trainable import copy_arrays

AT_ONCE = 512
"""Number of examples that are evaluated together."""

PROBED = 256
"""Number of training examples in which dead units are searched for."""

Arrays = Mapping[str, Mapping[str, Array]]


class Validation:
    """Evaluates parameters on the examples that were held back."""

    def __init__(self, problem: Problem, batch_size: int, check_deadline: CheckDeadline | None) -> None:
        self._problem = problem = for_evaluation(problem)
        self._size = _examples(problem) if per_example.coupling(problem) else max(AT_ONCE, batch_size)
        self._check_deadline = check_deadline or (lambda: None)
        self._outputs: tuple[Minibatches, Outputs] | None = None

    def of(self, parameters: Arrays, state: Arrays) -> tuple[float, dict[str, float]]:
        """Return the loss and the metrics with those parameters. The loss may be non-finite."""
        minibatches, outputs = self._outputs = self._outputs or self._build(parameters, state)
        total = 0.0
        for number in range(minibatches.parts):
            plan = minibatches.plan(number)
            set_to(plan, parameters, state)
            plan.forward()
            total += minibatches.weight * float(np.real(plan.loss.total))
            outputs.keep(minibatches.chosen.start, plan.output)
            self._check_deadline()
        return total, outputs.measure(minibatches.order)

    def _build(self, parameters: Arrays, state: Arrays) -> tuple[Minibatches, Outputs]:
        """Layers that evaluate by running statistics cannot be built before there are any."""
        problem = replace(self._problem, parameters=copy_arrays(parameters), state=state)
        minibatches = Minibatches(problem, self._size, shuffle=False, seed=0, backward=False)
        return minibatches, Outputs(problem)


class DeadUnits:
    """Counts dead units, which cannot move: f'(z) = 0 at each of the first training examples."""

    def __init__(self, problem: Problem) -> None:
        self._plan: Plan | None = None
        self._problem: Problem | None = None
        if any(node.function.units_may_die for node in problem.nodes) and not per_example.coupling(
            for_evaluation(problem)
        ):
            self._problem = for_evaluation(part_of(problem, np.arange(min(PROBED, _examples(problem)))))

    def of(self, parameters: Arrays, state: Arrays) -> dict[str, int]:
        """The number of dead units, by layer."""
        if self._problem is None:
            return {}
        if self._plan is None:
            own = replace(self._problem, parameters=copy_arrays(parameters), state=copy_arrays(state))
            self._plan = own.plan(backward=False, retain=Retain(preactivations=True))
        plan = self._plan
        set_to(plan, parameters, state)
        plan.forward()
        return {
            node.name: int(np.sum(largest_slopes(plan, node, context) == 0))
            for node, context in plan.contexts
            if node.function.units_may_die and context.result.ndim >= 2
        }


def _examples(problem: Problem) -> int:
    return len(objective_of(problem).targets)


def set_to(plan: Plan, parameters: Arrays, state: Arrays) -> None:
    """Copy those parameters and that state into a plan."""
    for layer, named in parameters.items():
        for name, array in named.items():
            np.copyto(plan.parameters[layer][name], array)
    for node, context in plan.contexts:
        for name, array in state.get(node.name, {}).items():
            np.copyto(context.state[name], array)


def locate(watched: Plan, plan: Plan, refusal: Refusal) -> Refusal:
    """Repeat a refused step on a plan with finite checks; return its refusal, which names the first layer concerned."""
    set_to(watched, plan.parameters, {node.name: context.state for node, context in plan.contexts})
    try:
        watched.forward()
        watched.backward()
    except Refusal as found:
        return found
    return refusal
