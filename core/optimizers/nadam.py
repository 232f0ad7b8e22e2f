"""nadam: Adam with Nesterov's momentum."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Array
from core.equations.equation import Equation
from core.optimizers.base import Memory, Optimizer, Rate
from core.optimizers.moments import moments, update_moments
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class Nadam(Optimizer):
    """Nadam: Adam with Nesterov's momentum.

        μ_t = β₁ (1 − ½ · 0.96^(ψ t)),   m, v as in Adam,   v̂ = v / (1 − β₂^t)
        θ ← θ − η ((1 − μ_t) / (1 − Π μ) g + μ_{t+1} / (1 − Π μ · μ_{t+1}) m) / (√v̂ + ε)

    Here t counts the steps from 1 and Π μ is the product of μ_1 … μ_t. The variant `ruder` is
    θ ← θ − η (β₁ m̂ + (1 − β₁) g / (1 − β₁^t)) / (√v̂ + ε) with m̂ = m / (1 − β₁^t), without the schedule of μ.

    Source: Dozat, Incorporating Nesterov Momentum into Adam (2016); torch.optim.NAdam.
    """

    kind: Literal["nadam"] = "nadam"

    beta1: float = field(default=0.9, metadata=constraints(ge=0, lt=1))
    """Decay rate β₁ of the first moment."""

    beta2: float = field(default=0.999, metadata=constraints(ge=0, lt=1))
    """Decay rate β₂ of the second moment."""

    epsilon: float = field(default=1e-8, metadata=constraints(ge=0))
    """ε, added to the denominator."""

    momentum_decay: float = field(default=4e-3, metadata=constraints(ge=0))
    """ψ: how fast the momentum μ_t approaches its limit β₁."""

    default_rate: ClassVar[float] = 0.002
    slots: ClassVar[tuple[str, ...]] = ("first_moment", "second_moment")
    scalars: ClassVar[dict[str, float]] = {"momentum_product": 1.0}

    def derivation(self, t: int) -> list[Equation]:
        left, second = 1 - self.beta1**t, 1 - self.beta2**t
        now, after = self._momentum(t), self._momentum(t + 1)
        product = math.prod(self._momentum(k) for k in range(1, t + 1))
        g, m = (1 - now) / (1 - product), after / (1 - product * after)
        if self.variant == "ruder":
            g, m = (1 - self.beta1) / left, self.beta1 / left
        root = f"(np.sqrt(<second_moment> / {second!r}) + {self.epsilon!r})"
        return [
            *moments(self.beta1, self.beta2),
            Equation(
                "theta",
                rf"<theta> - <rate> ({g:.4g} <g> + {m:.4g} <first_moment>)"
                rf" / \bigl(\sqrt{{<second_moment> / {second:g}}} + {self.epsilon:g}\bigr)",
                f"<theta> - <rate> * ({g!r} * <g> + {m!r} * <first_moment>) / {root}",
                "Nesterov momentum: the first moment, one step ahead.",
            ),
        ]

    def _momentum(self, t: int) -> float:
        return float(self.beta1 * (1 - 0.5 * 0.96 ** (t * self.momentum_decay)))

    def update(self, theta: Array, gradient: Array, rate: Rate, memory: Memory) -> None:
        g, t = self.add_weight_decay(theta, gradient), memory.step
        m, v, _ = update_moments(g, self.beta1, self.beta2, memory)
        size = np.sqrt(v / (1 - self.beta2**t)) + self.epsilon
        if self.variant == "ruder":
            left = 1 - self.beta1**t
            theta -= rate * (self.beta1 * m / left + (1 - self.beta1) * g / left) / size
            return
        now, after = self._momentum(t), self._momentum(t + 1)
        product = memory.scalars["momentum_product"] = memory.scalars["momentum_product"] * now
        theta -= rate * (1 - now) / (1 - product) * g / size
        theta -= rate * after / (1 - product * after) * m / size
