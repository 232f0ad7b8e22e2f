"""adam: running moments, corrected for their start."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Array
from core.explaining.equation import Equation
from core.optimizers.base import Memory, Optimizer, Rate
from core.optimizers.moments import moments
from core.spec import limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Adam(Optimizer):
    """Adam.

        m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
        θ ← θ − η m̂ / (√v̂ + ε),   m̂ = m / (1 − β₁^t),   v̂ = v / (1 − β₂^t)

    With `amsgrad` v̂ is formed from the largest v so far; `ruder`: θ − η m / (√v_max + ε), without correction.

    Source: Kingma & Ba, Adam (2015), §2; Reddi, Kale & Kumar, On the Convergence of Adam and Beyond (2018).
    """

    kind: Literal["adam"] = "adam"

    beta1: float = field(default=0.9, metadata=limits(ge=0, lt=1))
    """β₁: what is kept of the first moment."""

    beta2: float = field(default=0.999, metadata=limits(ge=0, lt=1))
    """β₂: what is kept of the second moment."""

    epsilon: float = field(default=1e-8, metadata=limits(ge=0))
    """ε."""

    amsgrad: bool = field(default=False, metadata=limits())
    """Whether the second moment may not fall."""

    slots: ClassVar[tuple[str, ...]] = ("first_moment", "second_moment", "largest_second_moment")

    def derivation(self, t: int) -> list[Equation]:
        first, second = 1 - self.beta1**t, 1 - self.beta2**t
        found = moments(self.beta1, self.beta2)
        moment, latex = "<second_moment>", "<second_moment>"
        if self.amsgrad:
            largest = "np.maximum(<largest_second_moment>, <second_moment>)"
            found.append(
                Equation(
                    "largest_second_moment",
                    r"\max(<largest_second_moment>, <second_moment>)",
                    largest,
                    "It never falls.",
                    r"\hat v",
                )
            )
            moment = latex = "<largest_second_moment>"
            if self.variant == "ruder":
                first = second = 1.0
        root = f"(np.sqrt({moment}) / {second**0.5!r} + {self.epsilon!r})"
        return [
            *found,
            Equation(
                "theta",
                rf"<theta> - \frac{{<rate>}}{{{first:g}}} <first_moment>"
                rf" / \bigl(\sqrt{{{latex} / {second:g}}} + {self.epsilon:g}\bigr)",
                f"<theta> - <rate> / {first!r} * <first_moment> / {root}",
                "The moments start at 0; dividing by 1 − β^t undoes that.",
            ),
        ]

    def update(self, theta: Array, gradient: Array, rate: Rate, memory: Memory) -> None:
        g, m, v = self.decayed(theta, gradient), memory.slots["first_moment"], memory.slots["second_moment"]
        m[...] = self.beta1 * m + (1 - self.beta1) * g
        v[...] = self.beta2 * v + (1 - self.beta2) * g * g
        first, second = 1 - self.beta1**memory.step, 1 - self.beta2**memory.step
        if self.amsgrad:
            largest = memory.slots["largest_second_moment"]
            np.maximum(largest, v, out=largest)
            if self.variant == "ruder":
                first = second = 1.0
            v = largest
        theta -= rate / first * m / (np.sqrt(v) / np.sqrt(second) + self.epsilon)
