"""lion: steps of one size, by the sign of the momentum."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Array
from core.optimizers.base import Memory, Optimizer, Rate
from core.spec import limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Lion(Optimizer):
    """Lion.

        θ ← θ − η (sign(β₁ m + (1 − β₁) g) + λ θ)
        m ← β₂ m + (1 − β₂) g

    Source: Chen et al., Symbolic Discovery of Optimization Algorithms (2023), program 1.
    """

    kind: Literal["lion"] = "lion"

    beta1: float = field(default=0.9, metadata=limits(ge=0, lt=1))
    """β₁: share of the momentum in a step."""

    beta2: float = field(default=0.99, metadata=limits(ge=0, lt=1))
    """β₂: what is kept of the momentum."""

    default_rate: ClassVar[float] = 1e-4
    slots: ClassVar[tuple[str, ...]] = ("first_moment",)

    def update(self, theta: Array, gradient: Array, rate: Rate, memory: Memory) -> None:
        m = memory.slots["first_moment"]
        theta -= rate * (np.sign(self.beta1 * m + (1 - self.beta1) * gradient) + self.weight_decay * theta)
        m[...] = self.beta2 * m + (1 - self.beta2) * gradient
