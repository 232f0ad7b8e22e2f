"""The course of an optimization: the parameters where it starts, and what was submitted of each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from core.arrays import Array, CheckDeadline
from core.checking.steps.moment import Layout
from core.errors import Refusal
from core.optimizers import Optimizer
from core.problem import Problem
from core.training.minibatches import Minibatches
from core.training.stepper import OptimizerState
from core.training.trainable import copy_arrays

Named = Mapping[str, Mapping[str, Array]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedStep:
    """What a user's program has after a step, in the core's layout: weights in x out. Any part may be missing."""

    step: int
    """Number of steps completed."""

    parameters: Named = field(default_factory=dict)
    slots: Mapping[str, Named] = field(default_factory=dict)
    """The state of the optimizer after the step, by slot."""

    gradients: Named = field(default_factory=dict)
    """The gradients that the program used in this step."""


class Vector:
    """A vector of all parameters of which some elements were submitted."""

    def __init__(self, layout: Layout, named: Named) -> None:
        self.values = np.zeros(layout.trainable.size)
        self.known = np.zeros(layout.trainable.size, bool)
        for (layer, name), part in layout.slices.items():
            if name in named.get(layer, {}):
                self.values[part], self.known[part] = np.ravel(named[layer][name]), True

    def over(self, computed: Array) -> Array:
        """Return a computed vector with the submitted elements in place of its own."""
        return np.where(self.known, self.values, computed)


@dataclass(frozen=True, slots=True)
class Point:
    """The submitted numbers after one step, as vectors."""

    step: int
    theta: Vector
    slots: Mapping[str, Vector]
    gradient: Vector


class Course:
    """The submitted steps of one problem, and the gradients at any parameters on the way."""

    def __init__(
        self,
        problem: Problem,
        optimizer: Optimizer,
        layout: Layout,
        before: OptimizerState,
        steps: Sequence[SubmittedStep],
        rates: Named | None,
        check_deadline: CheckDeadline,
    ) -> None:
        """Follow `steps` from the parameters of the problem, with the state `before` the first of them."""
        self.optimizer, self.layout, self.check_deadline = optimizer, layout, check_deadline
        size = layout.trainable.size
        self.start = layout.trainable.gather(problem.parameters, np.empty(size))
        self.first_step = before.step
        self.slots = {name: Vector(layout, before.slots.get(name, {})).values for name in optimizer.slots}
        self.scalars = {**optimizer.scalars, **before.scalars}
        self.points = [
            Point(
                each.step,
                Vector(layout, each.parameters),
                {name: Vector(layout, named) for name, named in each.slots.items()},
                Vector(layout, each.gradients),
            )
            for each in steps
        ]
        self.rate: Array | None = None
        if rates is not None:
            default = optimizer.default_rate
            self.rate = Vector(layout, rates).over(np.full(size, default))
        self._gradients: dict[tuple[int, bool, bytes], Array] = {}
        self._problem = problem
        self._passes: dict[bool, _Passes] = {}

    def gradient_at(self, theta: Array, t: int, *, single: bool = False) -> Array:
        """Return the gradient of the loss at these parameters in step t, shape (parameters,).

        With `single` it is computed in float32, as the gradients of the submission may have been.
        """
        key = (t, single, theta.tobytes())
        if key not in self._gradients:
            self.check_deadline()
            if single not in self._passes:
                self._passes[single] = _Passes(self._problem, self.layout, single, self.check_deadline)
            self._gradients[key] = self._passes[single].gradient(theta, t)
        return self._gradients[key]


class _Passes:
    """The passes that compute gradients: those of POST /v1/step for the whole batch."""

    def __init__(self, problem: Problem, layout: Layout, single: bool, check_deadline: CheckDeadline) -> None:
        self._trainable, dtype = layout.trainable, np.dtype(np.float32 if single else np.float64)
        self._theta, self._gradient = (np.zeros(self._trainable.size, dtype) for _ in range(2))
        parameters = copy_arrays(problem.parameters)
        for layer, named in self._trainable.apart(self._theta).items():
            parameters[layer] |= named
        self._batches = Minibatches(
            replace(
                problem,
                inputs={name: array.astype(dtype) for name, array in problem.inputs.items()},
                parameters=parameters,
                state={
                    layer: {name: array.astype(dtype) for name, array in named.items()}
                    for layer, named in problem.state.items()
                },
                dtype=dtype,
            ),
            layout.examples,
            shuffle=True,
            seed=0,
            gradients=self._trainable.apart(self._gradient),
            check_deadline=check_deadline,
        )

    def gradient(self, theta: Array, t: int) -> Array:
        """Return the gradient; NaN where it is not finite, as on the way of a wrong rule that diverges."""
        plan = self._batches.plan(t - 1)
        self._theta[...] = theta
        for array, part in self._trainable.elsewhere(self._theta, plan.parameters):
            array[...] = part
        try:
            plan.forward()
            plan.backward()
        except Refusal:
            return np.full_like(theta, np.nan)
        for array, part in self._trainable.elsewhere(self._gradient, plan.gradients.gradients):
            part[...] = array
        return self._gradient.astype(np.float64)
