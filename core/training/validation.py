"""Evaluation of a network during training: validation loss, metrics and dead units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from core.arrays import Array, CheckDeadline, Op
from core.derivatives import per_example
from core.diagnoses.units import by_unit
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
            outputs.keeper(plan.output)(minibatches.chosen.start)
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
        self._slopes: dict[str, tuple[Op, Array, tuple[int, ...]]] = {}
        mortal = [number for number, node in enumerate(problem.nodes) if node.function.units_may_die]
        if mortal and not per_example.coupling(for_evaluation(problem)):
            part = for_evaluation(part_of(problem, np.arange(min(PROBED, _examples(problem)))))
            # Neither the layers behind the last of them nor the loss are needed.
            self._problem = replace(part, nodes=part.nodes[: mortal[-1] + 1], objective=None)

    def of(self, parameters: Arrays, state: Arrays) -> dict[str, int]:
        """The number of dead units, by layer."""
        if self._problem is None:
            return {}
        if self._plan is None:
            self._plan = self._build(self._problem, parameters, state)
        set_to(self._plan, parameters, state)
        self._plan.forward()
        found = {}
        for name, (differentiate, slopes, examples) in self._slopes.items():
            differentiate()
            alive = slopes.any(axis=examples)
            found[name] = int(alive.size - np.count_nonzero(alive))
        return found

    def _build(self, problem: Problem, parameters: Arrays, state: Arrays) -> Plan:
        """Build the plan, and bind the derivative of each function whose units may die to its results."""
        own = replace(problem, parameters=copy_arrays(parameters), state=copy_arrays(state))
        plan = own.plan(backward=False, retain=Retain(preactivations=True))
        for node, context in plan.contexts:
            Z = context.result
            if node.function.units_may_die and Z.ndim >= 2:
                slopes, ones = np.empty_like(Z), np.ones_like(Z)
                differentiate = node.function.backward(Z, plan.activations[node.name], ones, slopes)
                self._slopes[node.name] = differentiate, slopes, by_unit(Z)
        return plan


def _examples(problem: Problem) -> int:
    return len(objective_of(problem).targets)


def set_to(plan: Plan, parameters: Arrays, state: Arrays) -> None:
    """Copy those parameters and that state into a plan."""
    for layer, named in plan.parameters.items():
        for name, array in parameters.get(layer, {}).items():
            np.copyto(named[name], array)
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
