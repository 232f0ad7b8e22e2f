"""The loss as a surface over all numbers that it depends on, evaluated at points near the given one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np

from core.arrays import Array, CheckDeadline
from core.checking.numerical.entry import Entry
from core.checking.quantity import Quantity
from core.plan import Retain
from core.problem import Problem


class Surface:
    """L(θ) and its gradient, in float64."""

    def __init__(self, problem: Problem, check_deadline: CheckDeadline) -> None:
        self._check_deadline = check_deadline
        self._plan = problem.plan(
            inputs={name: array.astype(np.float64) for name, array in problem.inputs.items()},
            parameters={
                layer: {name: array.astype(np.float64) for name, array in named.items()}
                for layer, named in problem.parameters.items()
            },
            dtype=np.dtype(np.float64),
            retain=Retain(input_gradients=True),
        )
        self._plan.forward()
        self.here = float(self._plan.loss.total)
        """The loss at the given point."""
        self.runs = 1
        """The number of forward passes so far."""

    def loss(self, entry: Entry, step: float, moved: Mapping[Quantity, Array] | None = None) -> float:
        """Return the loss with one number moved by a step, and others by what `moved` says."""
        with self._at(entry, step, moved or {}):
            return float(self._plan.loss.total)

    def gradients(self, entry: Entry, step: float, wanted: Mapping[Quantity, Array]) -> dict[Quantity, Array]:
        """Return the wanted gradients with one number moved by a step."""
        with self._at(entry, step, {}):
            self._plan.backward()
            computed = self._plan.gradients
            return {
                quantity: np.array(
                    computed.gradients[quantity.layer][quantity.name]
                    if quantity.part == "gradients"
                    else computed.input_gradients[quantity.layer]
                )
                for quantity in wanted
            }

    @contextmanager
    def _at(self, entry: Entry, step: float, moved: Mapping[Quantity, Array]) -> Iterator[None]:
        """Run the forward pass at a point nearby, and return to the given point afterwards."""
        self._check_deadline()
        self.runs += 1
        arrays = {quantity: self._array(quantity) for quantity in (*moved, entry.quantity)}
        kept = {quantity: array.copy() for quantity, array in arrays.items()}
        for quantity, distance in moved.items():
            arrays[quantity] += distance
        arrays[entry.quantity][entry.at] += step
        self._plan.forward()
        try:
            yield
        finally:
            for quantity, array in arrays.items():
                array[...] = kept[quantity]

    def _array(self, quantity: Quantity) -> Array:
        if quantity.part == "gradients":
            return self._plan.parameters[quantity.layer][quantity.name]
        return self._plan.inputs[quantity.layer]
