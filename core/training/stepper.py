"""Stepper: applies an optimizer to one problem."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from core.arrays import Array, Op
from core.errors import Refusal
from core.nonfinite import all_finite
from core.optimizers import GradientNoise, Memory, Optimizer
from core.plan import Plan
from core.training.trainable import Trainable, copy_arrays


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
        self._ops: dict[tuple[Plan, bool], list[Op]] = {}
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
        for op in self.ops(plan, checked=True):
            op()
        return float(np.real(plan.loss.total))

    def ops(self, plan: Plan, *, checked: bool = False) -> list[Op]:
        """Return the operations of a step with that plan; with `checked` they refuse what is not finite, as `step` does."""
        known = self._ops.get((plan, checked))
        if known is None:
            known = self._ops[plan, checked] = list(self._build(plan, checked=checked))
        return known

    def _build(self, plan: Plan, *, checked: bool) -> Iterator[Op]:
        """Yield the operations of a step in order; only what this optimizer and this plan need."""
        theta, gradient, memory, optimizer = self.theta, self.gradient, self.memory, self._optimizer
        kept = theta.copy() if optimizer.looks_ahead else theta
        # What a plan does not read from θ or write into the gradient is copied.
        fetch = [partial(np.copyto, *pair) for pair in self._trainable.elsewhere(theta, plan.parameters)]
        written = self._trainable.elsewhere(gradient, plan.gradients.gradients)

        def begin() -> None:
            memory.step += 1

        def look_ahead() -> None:
            np.copyto(kept, theta)
            np.copyto(theta, optimizer.look_ahead(theta, memory))

        yield begin
        if optimizer.looks_ahead:
            yield look_ahead
        yield from fetch
        yield from plan.ops
        if checked:
            yield lambda: _refuse_infinite_loss(plan)
        for array, part in written:
            yield partial(np.copyto, part, array)
        if checked:
            yield self._refuse_infinite_gradient
        if optimizer.looks_ahead:
            yield partial(np.copyto, theta, kept)
        if optimizer.gradient_noise:
            yield partial(self._add_noise, optimizer.gradient_noise)
        if optimizer.gradient_clip_norm is not None:
            yield partial(self._clip, optimizer.gradient_clip_norm)
        yield from self._update()
        if checked:
            yield self._refuse_infinite_parameters
        yield from fetch

    def _update(self) -> list[Op]:
        """Return the operations that update θ at the learning rate of their step."""
        optimizer, theta, gradient, memory = self._optimizer, self.theta, self.gradient, self.memory
        rate = self._rate
        if optimizer.schedule is None and not optimizer.warmup_steps:
            return optimizer.ops(theta, gradient, rate, memory)
        return [lambda: optimizer.update(theta, gradient, rate * optimizer.factor(memory.step - 1), memory)]

    def _add_noise(self, noise: GradientNoise) -> None:
        gradient = self.gradient
        gradient += noise.draw(self.memory.step - 1, gradient.size).astype(gradient.dtype)

    def _clip(self, limit: float) -> None:
        self.gradient *= min(1.0, limit / (float(np.linalg.norm(self.gradient)) + 1e-6))

    @property
    def last_rate(self) -> float:
        """The learning rate of the last step; the largest one if weights have their own rates."""
        return float(np.max(self._rate, initial=0.0)) * self._optimizer.factor(max(self.memory.step - 1, 0))

    def is_finite(self) -> bool:
        """Return whether θ and all that the optimizer remembers are finite.

        A gradient that is not leaves its trace here: in θ, or in the memory of an optimizer that takes only its sign.
        """
        return all_finite(self.theta) and all(all_finite(slot) for slot in self.memory.slots.values())

    def _refuse_infinite_gradient(self) -> None:
        if not all_finite(self.gradient):
            raise Refusal.of("non-finite", "The gradient is not finite.", "optimizer")

    def _refuse_infinite_parameters(self) -> None:
        if all_finite(self.theta):
            return
        apart = self._trainable.apart(np.isfinite(self.theta))
        layer, name = next(
            (layer, name) for layer, named in apart.items() for name, ok in named.items() if not ok.all()
        )
        raise Refusal.of(
            "non-finite",
            f"Step {self.memory.step} moved the {name} of layer {layer!r} beyond all finite numbers.",
            "optimizer",
            hint='A smaller learning_rate, or "gradient_clip_norm".',
        )

    def state(self) -> OptimizerState:
        """The state of the optimizer, from which another stepper can continue."""
        slots = {name: self._trainable.apart(vector) for name, vector in self.memory.slots.items()}
        return OptimizerState(self.memory.step, slots, dict(self.memory.scalars))

    def snapshot(self) -> Callable[[], None]:
        """Return the function that takes the stepper back to where it is now."""
        memory, theta = self.memory, self.theta.copy()
        step, scalars = memory.step, dict(memory.scalars)
        slots = {name: slot.copy() for name, slot in memory.slots.items()}

        def restore() -> None:
            np.copyto(self.theta, theta)
            for name, slot in slots.items():
                np.copyto(memory.slots[name], slot)
            memory.step, memory.scalars = step, scalars

        return restore


def _refuse_infinite_loss(plan: Plan) -> None:
    if not math.isfinite(float(np.real(plan.loss.total))):
        raise Refusal.of("non-finite", "The loss is not finite.", "loss")
