"""Minibatches: the examples of a batch in parts, in an order that the seed and the epoch decide alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from core.arrays import Array, Step
from core.plan import Keep, Objective, Plan
from core.problem import Problem
from core.survey import survey


class Minibatches:
    """Plans for the parts of a problem's batch. Every epoch goes once over all examples; the last part may be smaller."""

    def __init__(self, problem: Problem, size: int, *, shuffle: bool, seed: int, interrupt: Step | None = None) -> None:
        if problem.objective is None:
            raise LookupError("training needs a loss")
        self._problem, self._objective = problem, problem.objective
        self._shuffle, self._seed, self._interrupt = shuffle, seed, interrupt
        self.examples = len(self._objective.targets)
        self.size = min(size, self.examples)
        self.parts = -(-self.examples // self.size)
        self._plans: dict[int, Plan] = {}
        self._order: tuple[int, Array] = (-1, np.empty(0, int))

    def plan(self, step: int) -> Plan:
        """The plan for a step, counted from 0, with its examples in place."""
        epoch, part = divmod(step, self.parts)
        if self._order[0] != epoch:
            generator = np.random.Generator(np.random.PCG64([self._seed, epoch]))
            order = generator.permutation(self.examples) if self._shuffle else np.arange(self.examples)
            self._order = epoch, order
        chosen = self._order[1][part * self.size : (part + 1) * self.size]
        plan = self._plans.get(len(chosen)) or self._laid(len(chosen))
        for name, array in self._problem.inputs.items():
            plan.inputs[name][...] = array[chosen]
        for node, place in plan.places:
            node.layer.renew(place, step)
        plan.loss.targets[...] = self._objective.targets[chosen].reshape(plan.loss.targets.shape)
        plan.loss.coefficients[...] = self._shares(chosen)
        return plan

    def _shares(self, chosen: Array) -> Array:
        """Under "mean" the shares of a part sum to 1, as those of the whole batch do."""
        shares = self._objective.coefficients[chosen]
        loss = self._objective.loss
        if loss.reduction == "sum" or not loss.needs_targets:
            return shares
        total = shares.sum()
        return np.asarray(shares / total if total else shares)

    def _laid(self, size: int) -> Plan:
        problem, objective = self._problem, self._objective
        shapes = {name: (size, *array.shape[1:]) for name, array in problem.inputs.items()}
        found = survey([node.layer for node in problem.nodes], shapes, {}, problem.convention, seeded=True)
        nodes = [replace(node, name=own.name) for node, own in zip(found.nodes, problem.nodes, strict=True)]
        uniform = bool(np.all(objective.coefficients == objective.coefficients[0]))
        first = np.arange(size)
        # A plan is laid for shares that are all the same, or for shares that are not.
        coefficients = self._shares(first) if uniform else np.linspace(1, 2, size)
        part = replace(
            problem,
            nodes=nodes,
            inputs={name: np.empty(shape, problem.dtype) for name, shape in shapes.items()},
            objective=Objective(objective.loss, objective.targets[first], coefficients),
        )
        # Plans of two sizes share the layers' state, which each step moves on.
        if self._plans:
            places = next(iter(self._plans.values())).places
            part = replace(part, state={node.name: place.state for node, place in places if place.state})
        else:
            part = replace(part, state=_copied(problem.state))
        plan: Plan = part.plan(keep=Keep(), interrupt=self._interrupt)
        self._plans[size] = plan
        return plan


def _copied(arrays: Mapping[str, Mapping[str, Array]]) -> dict[str, dict[str, Array]]:
    return {layer: {name: array.copy() for name, array in named.items()} for layer, named in arrays.items()}


def carry_state(plan: Plan) -> None:
    """Let what a step left be what the next one finds: running statistics."""
    for _, place in plan.places:
        for name, array in place.new_state.items():
            if array is not place.state.get(name):
                np.copyto(place.state[name], array)
