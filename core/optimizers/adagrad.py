"""adagrad: a rate for each weight that falls with its squared gradients."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Array
from core.equations.equation import Equation
from core.optimizers.base import Memory, Optimizer, Rate
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class Adagrad(Optimizer):
    """Adagrad: a rate for each weight, which decreases with the sum of its squared gradients.

        s ← s + g²
        θ ← θ − η g / (√s + ε)       `ruder`: θ − η g / √(s + ε)

    Here s is the sum of all squared gradients.

    Source: Duchi, Hazan & Singer, Adaptive Subgradient Methods (2011); torch.optim.Adagrad.
    """

    kind: Literal["adagrad"] = "adagrad"

    epsilon: float = field(default=1e-10, metadata=constraints(ge=0))
    """ε, added to the denominator. Ruder's survey has 1e-8."""

    default_rate: ClassVar[float] = 0.01
    slots: ClassVar[tuple[str, ...]] = ("squares",)

    def derivation(self, t: int) -> list[Equation]:
        e = self.epsilon
        latex, numpy = (rf"\sqrt{{<squares>}} + {e:g}", f"np.sqrt(<squares>) + {e!r}")
        if self.variant == "ruder":
            latex, numpy = (rf"\sqrt{{<squares> + {e:g}}}", f"np.sqrt(<squares> + {e!r})")
        return [
            Equation(
                "squares", "<squares> + <g>^2", "<squares> + <g>**2", "The sum of all squared gradients so far.", "s"
            ),
            Equation(
                "theta",
                rf"<theta> - <rate> <g> / ({latex})",
                f"<theta> - <rate> * <g> / ({numpy})",
                "Each parameter is divided by the root of its own sum.",
            ),
        ]

    def update(self, theta: Array, gradient: Array, rate: Rate, memory: Memory) -> None:
        g, s = self.add_weight_decay(theta, gradient), memory.slots["squares"]
        s += g * g
        theta -= rate * g / (np.sqrt(s + self.epsilon) if self.variant == "ruder" else np.sqrt(s) + self.epsilon)
