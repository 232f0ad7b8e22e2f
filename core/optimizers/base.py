"""Optimizer: the interface of all kinds of optimizers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, ClassVar, Literal

import numpy as np

from core.arrays import Array, Op
from core.equations.equation import Equation
from core.optimizers.schedule import AnySchedule
from core.spec import Spec, constraints

Variant = Literal["torch", "ruder"]
Rate = float | Array
"""η: one number, or one for each weight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientNoise(Spec):
    """Gaussian noise added to every gradient: N(0, σ_t²) with σ_t² = η / (1 + t)^γ after t steps.

    Source: Neelakantan et al., Adding Gradient Noise Improves Learning for Very Deep Networks (2015).
    """

    eta: float = field(metadata=constraints(ge=0, examples=[0.01]))
    """Variance η in the first step."""

    gamma: float = field(default=0.55, metadata=constraints(ge=0))
    """Decay exponent γ of the variance."""

    seed: int = field(metadata=constraints(ge=0, lt=2**63, examples=[0]))
    """Seed of the noise. Each step draws from its own random stream."""

    def draw(self, steps_done: int, size: int) -> Array:
        """Return the noise of one step, shape (size,)."""
        generator = np.random.Generator(np.random.PCG64([self.seed, steps_done]))
        deviation = np.sqrt(self.eta / (1 + steps_done) ** self.gamma)
        return np.asarray(generator.normal(0.0, deviation, size))


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimizer(Spec):
    """Base of all optimizers: how parameters θ move against their gradient g.

    An optimizer is one file: the names of its slots, and `update`, which works on all parameters at once as vectors.
    Formulas are torch's where torch has the optimizer; `variant` "ruder" selects those of Ruder's survey where they differ.

    To add a kind, write its file and add its class to `AnyOptimizer` in ``core/optimizers/__init__.py``.

    Source of the variants: Ruder, An overview of gradient descent optimization algorithms (2016).
    """

    kind: str

    learning_rate: float | dict[str, dict[str, Any]] | None = field(
        default=None,
        metadata=constraints(
            strict=False,
            description="Learning rate η: one number, or a map shaped like `parameters` with a rate for each weight. "
            "Parameters missing from the map have the default rate, which is torch's: 0.001 for sgd, adam and adamw, "
            "0.01 for adagrad and rmsprop, 1 for adadelta, 0.002 for adamax and nadam, 0.0001 for lion.",
        ),
    )

    weight_decay: float = field(
        default=0.0,
        metadata=constraints(
            ge=0, description="Weight decay λ: adds λ θ to the gradient (adamw and lion: shrinks θ by η λ θ)."
        ),
    )

    schedule: AnySchedule | None = field(
        default=None,
        metadata=constraints(
            strict=False, discriminator="kind", description="Schedule of the learning rate. Default: constant."
        ),
    )

    warmup_steps: int = field(
        default=0,
        metadata=constraints(
            ge=0, description="Number of steps over which the learning rate rises linearly to its full value."
        ),
    )

    gradient_clip_norm: float | None = field(
        default=None,
        metadata=constraints(
            gt=0, description="Largest norm of all gradients together: larger gradients are scaled down to it."
        ),
    )

    gradient_noise: GradientNoise | None = field(
        default=None,
        metadata=constraints(strict=False, description="Gaussian noise added to every gradient. Default: none."),
    )

    variant: Variant = field(
        default="torch",
        metadata=constraints(
            strict=False,
            description="Source of the formulas: `torch`, or `ruder` for those of Ruder's survey (2016) where they differ.",
        ),
    )

    default_rate: ClassVar[float] = 0.001
    decouples_weight_decay: ClassVar[bool] = False
    """True if weight decay shrinks θ itself instead of adding λ θ to the gradient."""

    slots: ClassVar[tuple[str, ...]] = ()
    """Names of the vectors that the optimizer remembers, which start at 0."""

    scalars: ClassVar[Mapping[str, float]] = {}
    """Names and initial values of the numbers that the optimizer remembers."""

    def factor(self, steps_done: int) -> float:
        """Return the factor of the learning rate in the next step."""
        share = self.schedule.factor(steps_done) if self.schedule else 1.0
        return share * min(1.0, (steps_done + 1) / self.warmup_steps) if self.warmup_steps else share

    @property
    def looks_ahead(self) -> bool:
        """Whether the gradient is taken at another point than θ."""
        return False

    def look_ahead(self, theta: Array, memory: Memory) -> Array:
        """Return the point where the gradient is taken: θ, except in Ruder's form of Nesterov's method."""
        return theta

    def update(self, theta: Array, gradient: Array, rate: Rate, memory: Memory) -> None:
        """Update θ and the memory in place. `memory.step` counts from 1."""
        raise NotImplementedError

    def ops(self, theta: Array, gradient: Array, rate: Rate, memory: Memory) -> list[Op]:
        """Return `update` at a constant rate as operations, bound to these arrays."""
        return [partial(self.update, theta, gradient, rate, memory)]

    def derivation(self, t: int) -> list[Equation]:
        """Return step t as equations in <theta>, <g>, <rate> and the slots; one of them defines theta."""
        raise NotImplementedError

    def add_weight_decay(self, theta: Array, gradient: Array) -> Array:
        """Return g + λ θ."""
        return gradient + self.weight_decay * theta if self.weight_decay else gradient


@lru_cache(maxsize=256)
def number(value: float, dtype: np.dtype[Any]) -> Array:
    """Return a number as an array of rank 0, with which NumPy multiplies a short vector twice as fast as with a float."""
    return np.array(value, dtype)


@dataclass(slots=True)
class Memory:
    """State of an optimizer from step to step."""

    step: int
    """Number of steps, including the present one."""

    slots: dict[str, Array]
    scalars: dict[str, float]
