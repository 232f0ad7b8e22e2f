"""Minibatches: the examples of a batch in parts, in an order that the seed and the epoch decide alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from core.arrays import Array, Step
from core.plan import Keep, Objective, Plan
from core.problem import Problem
from core.training.examples import nodes_for, objective_of, shares_of


@dataclass(frozen=True, slots=True)
class _Part:
    """A plan for one number of examples, and where they go."""

    plan: Plan
    inputs: list[tuple[Array, Array]]
    """All examples, and memory for those of a step."""

    targets: Array


class Minibatches:
    """Plans for the parts of a problem's batch. Every epoch goes once over all examples; the last part may be smaller."""

    def __init__(
        self,
        problem: Problem,
        size: int,
        *,
        shuffle: bool,
        seed: int,
        backward: bool = True,
        interrupt: Step | None = None,
    ) -> None:
        self._problem, self._objective = problem, objective_of(problem)
        self._shuffle, self._seed, self._interrupt, self._backward = shuffle, seed, interrupt, backward
        self.examples = len(self._objective.targets)
        self.size = min(size, self.examples)
        self.parts = -(-self.examples // self.size)
        self.chosen = np.empty(0, int)
        """Which examples the last plan has."""

        coefficients = self._objective.coefficients
        self._uniform = bool(np.all(coefficients == coefficients[0]))
        self._laid_parts: dict[int, _Part] = {}
        self._order: tuple[int, Array] = (-1, np.empty(0, int))

    def plan(self, step: int) -> Plan:
        """The plan for a step, counted from 0, with its examples in place."""
        epoch, part = divmod(step, self.parts)
        if self._order[0] != epoch:
            generator = np.random.Generator(np.random.PCG64([self._seed, epoch]))
            order = generator.permutation(self.examples) if self._shuffle else np.arange(self.examples)
            self._order = epoch, order
        chosen = self.chosen = self._order[1][part * self.size : (part + 1) * self.size]
        laid = self._laid_parts.get(len(chosen)) or self._laid(len(chosen))
        plan = laid.plan
        # mode="clip" spares the copy that "raise" makes; every number is in range.
        for source, place in laid.inputs:
            source.take(chosen, 0, place, "clip")
        for node, around in plan.places:
            node.layer.renew(around, step)
        laid.targets[...] = self._objective.targets[chosen].reshape(laid.targets.shape)
        if not self._uniform:
            plan.loss.coefficients[...] = shares_of(self._objective, chosen)
        return plan

    @property
    def weight(self) -> float:
        """What the loss of the last plan counts for in the loss of all examples: Σ of their shares, and 1 for a sum."""
        if self._objective.loss.reduction == "sum":
            return 1.0
        if self._uniform:
            return len(self.chosen) / self.examples
        return float(self._objective.coefficients[self.chosen].sum())

    def _laid(self, size: int) -> _Part:
        problem, objective = self._problem, self._objective
        first = np.arange(size)
        # A plan is laid for shares that are all the same, or for shares that are not.
        coefficients = shares_of(objective, first) if self._uniform else np.linspace(1, 2, size)
        inputs = {name: np.empty((size, *array.shape[1:]), problem.dtype) for name, array in problem.inputs.items()}
        part = replace(
            problem,
            nodes=nodes_for(problem, size),
            inputs=inputs,
            # A plan uses large parameters where they lie, and training moves them.
            parameters=copied(problem.parameters),
            objective=Objective(objective.loss, objective.targets[first], coefficients),
        )
        # Plans of two sizes share the layers' state, which each step moves on.
        if self._laid_parts:
            places = next(iter(self._laid_parts.values())).plan.places
            part = replace(part, state={node.name: place.state for node, place in places if place.state})
        else:
            part = replace(part, state=copied(problem.state))
        plan: Plan = part.plan(keep=Keep(), backward=self._backward, interrupt=self._interrupt)
        pairs = [(array, plan.inputs[name]) for name, array in problem.inputs.items()]
        laid = self._laid_parts[size] = _Part(plan, pairs, plan.loss.targets)
        return laid


def copied(arrays: Mapping[str, Mapping[str, Array]]) -> dict[str, dict[str, Array]]:
    """The same arrays in memory of their own."""
    return {layer: {name: array.copy() for name, array in named.items()} for layer, named in arrays.items()}


def carry_state(plan: Plan) -> None:
    """Let what a step left be what the next one finds: running statistics."""
    for _, place in plan.places:
        for name, array in place.new_state.items():
            if array is not place.state.get(name):
                np.copyto(place.state[name], array)
