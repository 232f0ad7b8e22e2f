"""Minibatches: the examples of a batch in parts, in an order that depends only on the seed and the epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from core.arrays import Array, CheckDeadline, extended_matrix
from core.derivatives import per_example
from core.layer_context import LayerContext
from core.layers.base import Layer
from core.plan import Plan, Retain
from core.problem import Problem
from core.training.examples import objective_of, part_of, shares_of
from core.training.trainable import copy_arrays

Gradients = Mapping[str, Mapping[str, Array]]


@dataclass(frozen=True, slots=True)
class _Part:
    """A plan for one number of examples, and the memory of its examples."""

    plan: Plan
    inputs: list[tuple[Array, Array]]
    """Pairs of all examples and the memory for those of a step."""

    targets: Array
    renewed: list[tuple[Layer, LayerContext]]
    """Layers that draw random numbers for every step."""

    carried: list[tuple[Array, Array]]
    """Pairs of the state that a layer writes in a step and the memory from which the next step reads it."""


class Minibatches:
    """Plans for the parts of a problem's batch. Every epoch visits each example once; the last part may be smaller."""

    def __init__(
        self,
        problem: Problem,
        size: int,
        *,
        shuffle: bool,
        seed: int,
        backward: bool = True,
        gradients: Gradients | None = None,
        check_deadline: CheckDeadline | None = None,
    ) -> None:
        """Use the problem's parameters and the memory for `gradients` in place (aliased)."""
        self._problem, self._objective = problem, objective_of(problem)
        self._seed, self._check_deadline, self._backward, self._gradients = seed, check_deadline, backward, gradients
        # If a layer couples examples, rows cannot be chosen: every step uses the whole batch as sent.
        self._is_whole = per_example.indivisible(problem) is not None
        self._shuffle = shuffle and not self._is_whole
        self._rows = {name: np.ascontiguousarray(array) for name, array in problem.inputs.items()}
        self._extended: dict[str, Array] = {}
        self.examples = len(self._objective.targets)
        self.size = self.examples if self._is_whole else min(size, self.examples)
        self.parts = -(-self.examples // self.size)
        self.order = np.arange(self.examples)
        """The examples in the order of the last plan's epoch."""

        self.chosen = slice(0)
        """The slice of that order that the last plan holds."""

        self._targets = np.ascontiguousarray(self._objective.targets)
        coefficients = self._objective.coefficients
        self._uniform = bool(np.all(coefficients == coefficients[0]))
        self._parts: dict[int, _Part] = {}
        self._epoch, self._count = -1, 0

    def plan(self, step: int) -> Plan:
        """Return the plan for a step, counted from 0, with its examples in place."""
        epoch, part = divmod(step, self.parts)
        if self._shuffle and epoch != self._epoch:
            self.order = np.random.Generator(np.random.PCG64([self._seed, epoch])).permutation(self.examples)
            self._epoch = epoch
        self.chosen = slice(part * self.size, min((part + 1) * self.size, self.examples))
        chosen = self.order[self.chosen]
        count = self._count = len(chosen)
        built = self._parts.get(count) or self._build(count)
        plan = built.plan
        # mode="clip" avoids the copy that "raise" makes; every index is in range.
        for examples, memory in built.inputs:
            examples.take(chosen, 0, memory, "clip")
        for layer, context in built.renewed:
            layer.renew(context, step)
        built.targets[...] = self._targets.take(chosen, 0).reshape(built.targets.shape)
        if not self._uniform:
            plan.loss.coefficients[...] = shares_of(self._objective, chosen)
        return plan

    def carry_state(self) -> None:
        """Copy the state that the last step wrote, such as running statistics, to where the next step reads it."""
        for left, found in self._parts[self._count].carried:
            np.copyto(found, left)

    @property
    def weight(self) -> float:
        """The weight of the last plan's loss in the loss of all examples: Σ of their shares, and 1 for a sum."""
        if self._objective.loss.reduction == "sum":
            return 1.0
        if self._uniform:
            return self._count / self.examples
        return float(self._objective.coefficients[self.order[self.chosen]].sum())

    def _build(self, size: int) -> _Part:
        part = self._problem if self._is_whole else self._some(size)
        # Plans of two sizes share the state of the layers, which every step updates.
        if self._parts:
            contexts = next(iter(self._parts.values())).plan.contexts
            part = replace(part, state={node.name: context.state for node, context in contexts if context.state})
        else:
            part = replace(part, state=copy_arrays(self._problem.state))
        plan: Plan = part.plan(
            retain=Retain(),
            backward=self._backward,
            check_deadline=self._check_deadline,
            gradients=self._gradients,
            by_row=True,
        )
        memories = {} if self._is_whole else plan.input_memory
        pairs = [(self._examples_for(name, memory), memory) for name, memory in memories.items()]
        renewed = [
            (node.layer, context) for node, context in plan.contexts if type(node.layer).renew is not Layer.renew
        ]
        left = [
            (context.state.get(name), array)
            for _, context in plan.contexts
            for name, array in context.new_state.items()
        ]
        carried = [(array, found) for found, array in left if found is not None and found is not array]
        built = self._parts[size] = _Part(plan, pairs, plan.loss.targets, renewed, carried)
        return built

    def _some(self, size: int) -> Problem:
        """Return the problem of a step with that many examples; each step fills in its own examples."""
        part = part_of(replace(self._problem, inputs=self._rows), np.arange(size))
        if self._uniform:
            return part
        # Uniform shares are folded into a plan when it is built. NaN != NaN, so placeholders select the general path.
        unlike = replace(objective_of(part), coefficients=np.full(size, np.nan))
        return replace(part, objective=unlike)

    def _examples_for(self, name: str, memory: Array) -> Array:
        """Return all examples in the layout of that memory: with a 1 after the features if it has that column."""
        rows = self._rows[name]
        if rows.shape[1:] == memory.shape[1:]:
            return rows
        if name not in self._extended:
            extended = self._extended[name] = extended_matrix(len(rows), rows.shape[1], rows.dtype, by_row=True)
            extended[:, :-1] = rows
        return self._extended[name]
