"""The course of an optimization: the parameters where it starts, and what was submitted of each step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.arrays import Array
from core.checking.effort import Effort
from core.checking.precision import Criterion
from core.checking.steps.moment import Layout
from core.checking.steps.passes import PlannedPasses, RulePasses
from core.optimizers import Optimizer
from core.problem import Problem
from core.training.stepper import OptimizerState

Named = Mapping[str, Mapping[str, Array]]

PASS = 2
"""So many multiplications of a pass take as long as one array operation on a number."""


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
        effort: Effort,
    ) -> None:
        """Follow `steps` from the parameters of the problem, with the state `before` the first of them."""
        self.optimizer, self.layout, self.effort = optimizer, layout, effort
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
        self._planned = PlannedPasses(problem, layout, effort.check_deadline)
        self._by_rule = RulePasses(problem, layout)
        self._gradients: dict[tuple[object, ...], Array] = {}
        activations = sum(int(np.prod(node.shape)) for node in problem.nodes)
        self._cost = (size * layout.examples + activations) // PASS
        """The effort of a gradient, in array operations on a number."""

    @property
    def steps(self) -> int:
        """The number of steps from the start to the last submitted point."""
        return self.points[-1].step - self.first_step

    def gradient_at(self, theta: Array, t: int) -> Array:
        """Return the gradient of the loss at these parameters in step t, shape (parameters,)."""
        return self._once(("right", t, theta.tobytes()), lambda: self._planned.gradient(theta, t))

    def disturbed_gradient_at(self, theta: Array, t: int, criterion: Criterion, seed: int) -> Array:
        """Return the same gradient from disturbed passes, in the precision of the submission.

        1 − a² has lost all digits of a saturated a, so that the gradient may be no more than rounding. What the
        disturbance changes in the rules is added to the gradient of the passes, whose random numbers may be others.
        """
        key = theta.tobytes()
        apart = self._once(
            ("disturbed", seed, key),
            lambda: self._by_rule.disturbed(theta, criterion.unit, criterion.dtype, seed) - self._rule_by_rule(theta),
        )
        return np.asarray(self.gradient_at(theta, t) + apart)

    def gradient_sent_back_through(self, theta: Array, other: Array, t: int) -> Array:
        """Return the gradient at `theta` of a program that sends errors back through the weights of `other`."""
        apart = self._once(
            ("sent back", theta.tobytes(), other.tobytes()),
            lambda: self._by_rule.sent_back_through(theta, other) - self._rule_by_rule(theta),
        )
        return np.asarray(self.gradient_at(theta, t) + apart)

    def _rule_by_rule(self, theta: Array) -> Array:
        return self._once(("by rule", theta.tobytes()), lambda: self._by_rule.gradient(theta))

    def _once(self, key: tuple[object, ...], compute: Callable[[], Array]) -> Array:
        if key not in self._gradients:
            self.effort.spend(self._cost)
            self._gradients[key] = compute()
        return self._gradients[key]
