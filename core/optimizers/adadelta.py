"""adadelta: steps in the units of the weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Array
from core.optimizers.base import Memory, Optimizer, Rate
from core.spec import limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Adadelta(Optimizer):
    """Adadelta.

        s ← ρ s + (1 − ρ) g²
        Δ = √(u + ε) / √(s + ε) g
        u ← ρ u + (1 − ρ) Δ²
        θ ← θ − η Δ

    The survey's form is the same with η = 1 and ρ = 0.9, the defaults.

    Source: Zeiler, ADADELTA (2012); torch.optim.Adadelta.
    """

    kind: Literal["adadelta"] = "adadelta"

    rho: float = field(default=0.9, metadata=limits(ge=0, lt=1))
    """ρ: what is kept of the averages."""

    epsilon: float = field(default=1e-6, metadata=limits(ge=0))
    """ε."""

    default_rate: ClassVar[float] = 1.0
    slots: ClassVar[tuple[str, ...]] = ("squares", "squared_steps")

    def update(self, theta: Array, gradient: Array, rate: Rate, memory: Memory) -> None:
        g, s, u = self.decayed(theta, gradient), memory.slots["squares"], memory.slots["squared_steps"]
        s[...] = self.rho * s + (1 - self.rho) * g * g
        step = np.sqrt(u + self.epsilon) / np.sqrt(s + self.epsilon) * g
        u[...] = self.rho * u + (1 - self.rho) * step * step
        theta -= rate * step
