"""adamax: Adam with the largest gradient in place of the second moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Array
from core.equations.equation import Equation
from core.optimizers.base import Memory, Optimizer, Rate
from core.optimizers.moments import moments
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class Adamax(Optimizer):
    """AdaMax: Adam with a decaying maximum of the gradient's magnitude instead of the second moment.

        m ← β₁ m + (1 − β₁) g,   u ← max(β₂ u, |g| + ε)          `ruder`: without ε
        θ ← θ − η / (1 − β₁^t) m / u

    Source: Kingma & Ba, Adam (2015), §7.1; torch.optim.Adamax.
    """

    kind: Literal["adamax"] = "adamax"

    beta1: float = field(default=0.9, metadata=constraints(ge=0, lt=1))
    """Decay rate β₁ of the first moment."""

    beta2: float = field(default=0.999, metadata=constraints(ge=0, lt=1))
    """Decay rate β₂ of the maximum u."""

    epsilon: float = field(default=1e-8, metadata=constraints(ge=0))
    """ε, added to the gradient's magnitude."""

    default_rate: ClassVar[float] = 0.002
    slots: ClassVar[tuple[str, ...]] = ("first_moment", "largest_gradient")

    def derivation(self, t: int) -> list[Equation]:
        size = "np.abs(<g>)" if self.variant == "ruder" else f"np.abs(<g>) + {self.epsilon!r}"
        left = 1 - self.beta1**t
        return [
            moments(self.beta1, self.beta2)[0],
            Equation(
                "largest_gradient",
                rf"\max({self.beta2:g} <largest_gradient>, |<g>|)",
                f"np.maximum({self.beta2!r} * <largest_gradient>, {size})",
                "The largest gradient so far, with exponential decay.",
                "u",
            ),
            Equation(
                "theta",
                rf"<theta> - \frac{{<rate>}}{{{left:g}}} <first_moment> / <largest_gradient>",
                (
                    f"<theta> - <rate> / {left!r} * <first_moment> / np.where(<largest_gradient> == 0, 1, "
                    "<largest_gradient>)"
                ),
                "The first moment, corrected for its start at 0, divided by the largest gradient.",
            ),
        ]

    def update(self, theta: Array, gradient: Array, rate: Rate, memory: Memory) -> None:
        g, m, u = self.add_weight_decay(theta, gradient), memory.slots["first_moment"], memory.slots["largest_gradient"]
        m[...] = self.beta1 * m + (1 - self.beta1) * g
        size = np.abs(g) if self.variant == "ruder" else np.abs(g) + self.epsilon
        np.maximum(self.beta2 * u, size, out=u)
        step = np.divide(m, u, out=np.zeros_like(m), where=u != 0)  # Where no gradient ever was, nothing moves.
        theta -= rate / (1 - self.beta1**memory.step) * step
