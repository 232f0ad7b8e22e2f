"""lion: steps of one size, by the sign of the momentum."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Array
from core.equations.equation import Equation
from core.optimizers.base import Memory, Optimizer, Rate
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class Lion(Optimizer):
    """Lion: steps of constant size, along the sign of the momentum.

        θ ← θ − η (sign(β₁ m + (1 − β₁) g) + λ θ)
        m ← β₂ m + (1 − β₂) g

    Source: Chen et al., Symbolic Discovery of Optimization Algorithms (2023), program 1.
    """

    kind: Literal["lion"] = "lion"

    beta1: float = field(default=0.9, metadata=constraints(ge=0, lt=1))
    """β₁: weight of the momentum in a step."""

    beta2: float = field(default=0.99, metadata=constraints(ge=0, lt=1))
    """Decay rate β₂ of the momentum."""

    default_rate: ClassVar[float] = 1e-4
    decouples_weight_decay: ClassVar[bool] = True
    slots: ClassVar[tuple[str, ...]] = ("first_moment",)

    def derivation(self, t: int) -> list[Equation]:
        b1, b2, decay = self.beta1, self.beta2, self.weight_decay
        direction = f"np.sign({b1!r} * <first_moment> + {1 - b1} * <g>)"
        return [
            Equation(
                "theta",
                rf"<theta> - <rate> \bigl(\operatorname{{sign}}({b1:g} <first_moment> + {1 - b1:g} <g>)"
                rf" + {decay:g} <theta>\bigr)",
                f"<theta> - <rate> * ({direction} + {decay!r} * <theta>)",
                "Only the sign counts: every parameter moves by the same amount.",
            ),
            Equation(
                "first_moment",
                rf"{b2:g} <first_moment> + {1 - b2:g} <g>",
                f"{b2!r} * <first_moment> + {1 - b2} * <g>",
                "The momentum for the next step.",
                "m",
            ),
        ]

    def update(self, theta: Array, gradient: Array, rate: Rate, memory: Memory) -> None:
        m = memory.slots["first_moment"]
        theta -= rate * (np.sign(self.beta1 * m + (1 - self.beta1) * gradient) + self.weight_decay * theta)
        m[...] = self.beta2 * m + (1 - self.beta2) * gradient
