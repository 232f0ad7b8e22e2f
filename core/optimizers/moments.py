"""Running moments of Adam and its relatives, as equations and as updates of θ."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.equations.equation import Equation
from core.optimizers.base import Memory, Optimizer, Rate, number
from core.spec import constraints


def moments(beta1: float, beta2: float) -> list[Equation]:
    """Return the equations of m and v."""
    return [
        Equation(
            "first_moment",
            rf"{beta1:g} <first_moment> + {1 - beta1:g} <g>",
            f"{beta1!r} * <first_moment> + {1 - beta1} * <g>",
            "The running mean of the gradients.",
            "m",
        ),
        Equation(
            "second_moment",
            rf"{beta2:g} <second_moment> + {1 - beta2:g} <g>^2",
            f"{beta2!r} * <second_moment> + {1 - beta2} * <g>**2",
            "The running mean of the squared gradients.",
            "v",
        ),
    ]


def update_moments(g: Array, beta1: float, beta2: float, memory: Memory) -> tuple[Array, Array, Array]:
    """Update m ← β₁ m + (1 − β₁) g and v ← β₂ v + (1 − β₂) g² in place; return m, v and scratch memory of their size."""
    m, v = memory.slots["first_moment"], memory.slots["second_moment"]
    free = number(1 - beta1, g.dtype) * g
    m *= number(beta1, m.dtype)
    m += free
    np.multiply(g, g, free)
    free *= number(1 - beta2, free.dtype)
    v *= number(beta2, v.dtype)
    v += free
    return m, v, free


@dataclass(frozen=True, slots=True, kw_only=True)
class ByMoments(Optimizer):
    """Base of Adam and AdamW, which differ in weight decay."""

    beta1: float = field(default=0.9, metadata=constraints(ge=0, lt=1))
    """Decay rate β₁ of the first moment."""

    beta2: float = field(default=0.999, metadata=constraints(ge=0, lt=1))
    """Decay rate β₂ of the second moment."""

    epsilon: float = field(default=1e-8, metadata=constraints(ge=0))
    """ε, added to the denominator."""

    amsgrad: bool = field(default=False, metadata=constraints())
    """Whether to use the elementwise maximum of all second moments so far in place of the second moment."""

    slots: ClassVar[tuple[str, ...]] = ("first_moment", "second_moment", "largest_second_moment")

    def derivation_from(self, start: str, t: int) -> list[Equation]:
        """Return step t as equations, of which the last moves θ from `start`."""
        found = moments(self.beta1, self.beta2)
        moment = "<second_moment>"
        if self.amsgrad:
            largest = "np.maximum(<largest_second_moment>, <second_moment>)"
            latex = r"\max(<largest_second_moment>, <second_moment>)"
            found.append(
                Equation(
                    "largest_second_moment",
                    latex,
                    largest,
                    "The largest second moment so far; it never decreases.",
                    r"\hat v",
                )
            )
            moment = "<largest_second_moment>"
        first, second = self._corrections(t)
        root = f"(np.sqrt({moment}) / {second**0.5!r} + {self.epsilon!r})"
        theta = Equation(
            "theta",
            rf"{start} - \frac{{<rate>}}{{{first:g}}} <first_moment>"
            rf" / \bigl(\sqrt{{{moment} / {second:g}}} + {self.epsilon:g}\bigr)",
            f"{start} - <rate> / {first!r} * <first_moment> / {root}",
            r"The moments start at 0; dividing by $1 - \beta^t$ corrects that bias.",
        )
        return [*found, theta]

    def move(self, theta: Array, g: Array, rate: Rate, memory: Memory) -> None:
        """θ ← θ − η m̂ / (√v̂ + ε), formed as η √c₂ / c₁ · m / (√v + ε √c₂), which spares an array."""
        m, v, step = update_moments(g, self.beta1, self.beta2, memory)
        if self.amsgrad:
            largest = memory.slots["largest_second_moment"]
            v = np.maximum(largest, v, out=largest)
        first, second = self._corrections(memory.step)
        root = math.sqrt(second)
        np.sqrt(v, step)
        step += self.epsilon * root
        np.divide(m, step, step)
        step *= rate * (root / first)
        theta -= step

    def _corrections(self, t: int) -> tuple[float, float]:
        """c₁ = 1 − β₁^t and c₂ = 1 − β₂^t; Ruder's form of amsgrad has none."""
        if self.amsgrad and self.variant == "ruder":
            return 1.0, 1.0
        return 1 - self.beta1**t, 1 - self.beta2**t
