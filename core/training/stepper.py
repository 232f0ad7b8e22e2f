"""Stepper: applies an optimizer to one problem."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.arrays import Array
from core.errors import Refusal
from core.nonfinite import all_finite
from core.optimizers import Memory, Optimizer
from core.plan import Plan
from core.training.trainable import Trainable, copy_arrays

Pairs = list[tuple[Array, Array]]


@dataclass(slots=True)
class OptimizerState:
    """The state of an optimizer between requests, batch-first and in x out."""

    step: int = 0
    """Number of finished steps."""

    slots: dict[str, dict[str, dict[str, Array]]] = field(default_factory=dict)
    """Arrays by slot, layer and name."""

    scalars: dict[str, float] = field(default_factory=dict)


class Stepper:
    """Moves the parameters of plans of one network, step by step.

    All trained parameters are views of one vector. A plan that is built with `parameters` and `gradients` reads views of
    that vector and writes into views of another, so that a step copies nothing; other arrays of a plan are copied.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        trainable: Trainable,
        parameters: Mapping[str, Mapping[str, Array]],
        dtype: np.dtype[Any],
        *,
        state: OptimizerState | None = None,
        rates: Mapping[str, Mapping[str, Array]] | None = None,
    ) -> None:
        """Start at `parameters`; `rates` are learning rates for single weights, by layer and name."""
        self._optimizer, self._trainable = optimizer, trainable
        self._copied: dict[Plan, tuple[Pairs, Pairs]] = {}
        state = state or OptimizerState()
        self.theta = trainable.gather(parameters, np.empty(trainable.size, dtype))
        self.gradient = np.zeros_like(self.theta)
        """The gradient of the last step, with noise, after clipping."""

        self.parameters = copy_arrays(parameters)
        """Views of the trained parameters, and copies of the others."""

        for layer, named in trainable.apart(self.theta).items():
            self.parameters[layer] |= named
        self.gradients = trainable.apart(self.gradient)
        """Memory for the gradients of the trained parameters."""

        slots = {}
        for name in optimizer.slots:
            slots[name] = np.zeros_like(self.theta)
            # A parameter that has been frozen so far has no state.
            trainable.gather(state.slots.get(name, {}), slots[name], known_only=True)
        self.memory = Memory(state.step, slots, {**optimizer.scalars, **state.scalars})
        default = optimizer.default_rate if not isinstance(optimizer.learning_rate, float) else optimizer.learning_rate
        self._rate: float | Array = default
        if rates is not None:
            every: dict[str, dict[str, Array]] = {layer: {} for layer, _, _ in trainable.entries}
            every |= {layer: dict(named) for layer, named in rates.items()}
            for layer, name, shape in trainable.entries:
                every[layer].setdefault(name, np.full(shape, default))
            self._rate = trainable.gather(every, np.empty(trainable.size, dtype))

    def step(self, plan: Plan) -> float:
        """Run a plan with the current parameters and update them. Return the loss before the update.

        Raises:
            Refusal: `non-finite` if the loss or a gradient is not finite, before any update; or if the update overflows.
        """
        memory, optimizer, theta, gradient = self.memory, self._optimizer, self.theta, self.gradient
        done, memory.step = memory.step, memory.step + 1
        parameters, gradients = self._copied.get(plan) or self._find_elsewhere(plan)
        ahead = optimizer.look_ahead(theta, memory)
        kept = None
        if ahead is not theta:
            kept, theta[...] = theta.copy(), ahead
        for array, part in parameters:
            array[...] = part
        plan.forward()
        plan.backward()
        loss = float(np.real(plan.loss.total))
        if not math.isfinite(loss):
            raise Refusal.of("non-finite", "The loss is not finite.", "loss")
        for array, part in gradients:
            part[...] = array
        if not all_finite(gradient):
            raise Refusal.of("non-finite", "The gradient is not finite.", "optimizer")
        if kept is not None:
            theta[...] = kept
        if optimizer.gradient_noise:
            gradient += optimizer.gradient_noise.draw(done, gradient.size).astype(gradient.dtype)
        limit = optimizer.gradient_clip_norm
        if limit is not None:
            gradient *= min(1.0, limit / (float(np.linalg.norm(gradient)) + 1e-6))
        optimizer.update(theta, gradient, self._rate * optimizer.factor(done), memory)
        if not all_finite(theta):
            raise self._divergence()
        for array, part in parameters:
            array[...] = part
        return loss

    @property
    def last_rate(self) -> float:
        """The learning rate of the last step; the largest one if weights have their own rates."""
        return float(np.max(self._rate, initial=0.0)) * self._optimizer.factor(max(self.memory.step - 1, 0))

    def _find_elsewhere(self, plan: Plan) -> tuple[Pairs, Pairs]:
        """Return the parameters and gradients of a plan that are not views of the vectors, paired with such views."""
        elsewhere = self._trainable.elsewhere
        found = elsewhere(self.theta, plan.parameters), elsewhere(self.gradient, plan.gradients.gradients)
        return self._copied.setdefault(plan, found)

    def _divergence(self) -> Refusal:
        apart = self._trainable.apart(np.isfinite(self.theta))
        layer, name = next(
            (layer, name) for layer, named in apart.items() for name, ok in named.items() if not ok.all()
        )
        return Refusal.of(
            "non-finite",
            f"Step {self.memory.step} moved the {name} of layer {layer!r} beyond all finite numbers.",
            "optimizer",
            hint='A smaller learning_rate, or "gradient_clip_norm".',
        )

    def state(self) -> OptimizerState:
        """The state of the optimizer, from which another stepper can continue."""
        slots = {name: self._trainable.apart(vector) for name, vector in self.memory.slots.items()}
        return OptimizerState(self.memory.step, slots, dict(self.memory.scalars))
