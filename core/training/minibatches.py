"""Minibatches: the examples of a batch in parts, in an order that depends only on the seed and the epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from core.arrays import Array, CheckDeadline, Op, extended_matrix
from core.derivatives import per_example
from core.layers.base import Layer
from core.plan import Plan, Retain
from core.problem import Problem
from core.training.examples import objective_of, part_of, shares_of
from core.training.part import Part, gather_of
from core.training.trainable import copy_arrays

Gradients = Mapping[str, Mapping[str, Array]]


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
        self.last = self.examples - (self.parts - 1) * self.size
        """Number of examples in the last part."""

        self.order = np.arange(self.examples)
        """The examples in the order of the last plan's epoch."""

        self.chosen = slice(0)
        """The slice of that order that the last plan holds."""

        self._targets = np.ascontiguousarray(self._objective.targets)
        coefficients = self._objective.coefficients
        self._uniform = bool(np.all(coefficients == coefficients[0]))
        self._one_hot = is_one_hot(self._targets)
        self._parts: dict[int, Part] = {}
        self._epoch, self._count = -1, 0

    def plan(self, step: int) -> Plan:
        """Return the plan for a step, counted from 0, with its examples in place."""
        epoch, part = divmod(step, self.parts)
        self.begin(epoch)
        self.chosen = slice(part * self.size, min((part + 1) * self.size, self.examples))
        chosen = self.order[self.chosen]
        self._count = len(chosen)
        built = self.part(self._count)
        built.place(chosen, step)
        return built.plan

    def begin(self, epoch: int) -> Array:
        """Return the order of the examples in an epoch, counted from 0."""
        if self._shuffle and epoch != self._epoch:
            self.order = np.random.Generator(np.random.PCG64([self._seed, epoch])).permutation(self.examples)
            self._epoch = epoch
        return self.order

    def part(self, count: int) -> Part:
        """Return the plan for that many examples with what belongs to it."""
        return self._parts.get(count) or self._build(count)

    def carry_state(self) -> None:
        """Copy the state that the last step wrote, such as running statistics, to where the next step reads it."""
        for op in self._parts[self._count].carry:
            op()

    @property
    def weight(self) -> float:
        """The weight of the last plan's loss in the loss of all examples: Σ of their shares, and 1 for a sum."""
        if self._objective.loss.reduction == "sum":
            return 1.0
        if self._uniform:
            return self._count / self.examples
        return float(self._objective.coefficients[self.order[self.chosen]].sum())

    def weights(self) -> list[float]:
        """Return the weight of each step's loss in the loss of the epoch whose order was drawn last."""
        size = self.size
        if self._objective.loss.reduction == "sum":
            return [1.0] * self.parts
        if self._uniform:
            return [size / self.examples] * (self.parts - 1) + [self.last / self.examples]
        shares = self._objective.coefficients[self.order]
        return [float(shares[start : start + size].sum()) for start in range(0, self.examples, size)]

    def _build(self, size: int) -> Part:
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
        gathers = [gather_of(self._examples_for(name, memory), memory) for name, memory in memories.items()]
        gathers.append(gather_of(self._targets, plan.loss.targets))
        if not self._uniform:
            gathers.append(partial(self._give_shares, plan.loss.coefficients))
        renewed = [
            (node.layer, context) for node, context in plan.contexts if type(node.layer).renew is not Layer.renew
        ]
        left = [
            (context.state.get(name), array)
            for _, context in plan.contexts
            for name, array in context.new_state.items()
        ]
        carry: list[Op] = [
            partial(np.copyto, found, array) for found, array in left if found is not None and found is not array
        ]
        built = self._parts[size] = Part(plan, gathers, renewed, carry)
        return built

    def _give_shares(self, coefficients: Array, chosen: Array) -> None:
        coefficients[...] = shares_of(self._objective, chosen)

    def _some(self, size: int) -> Problem:
        """Return the problem of a step with that many examples; each step fills in its own examples."""
        part = part_of(replace(self._problem, inputs=self._rows), np.arange(size))
        objective = replace(objective_of(part), one_hot=self._one_hot)
        if not self._uniform:
            # Uniform shares are folded into a plan when it is built. NaN != NaN, so placeholders select the general path.
            objective = replace(objective, coefficients=np.full(size, np.nan))
        return replace(part, objective=objective)

    def _examples_for(self, name: str, memory: Array) -> Array:
        """Return all examples in the layout of that memory: with a 1 after the features if it has that column."""
        rows = self._rows[name]
        if rows.shape[1:] == memory.shape[1:]:
            return rows
        if name not in self._extended:
            extended = self._extended[name] = extended_matrix(len(rows), rows.shape[1], rows.dtype, by_row=True)
            extended[:, :-1] = rows
        return self._extended[name]


def is_one_hot(targets: Array) -> bool:
    """Return whether the targets of each example, along the last axis, are 1 at one feature and 0 elsewhere."""
    if targets.ndim < 2 or not np.isin(targets, (0, 1)).all():
        return False
    return bool((np.count_nonzero(targets, axis=-1) == 1).all())
