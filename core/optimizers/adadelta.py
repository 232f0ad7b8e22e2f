"""adadelta: steps in the units of the weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Array
from core.equations.equation import Equation
from core.optimizers.base import Memory, Optimizer, Rate
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class Adadelta(Optimizer):
    """Adadelta: steps scaled by running averages, in the units of the weights.

        s ← ρ s + (1 − ρ) g²
        Δ = √(u + ε) / √(s + ε) g
        u ← ρ u + (1 − ρ) Δ²
        θ ← θ − η Δ

    Here s is the running average of g² and u that of the squared steps Δ². Both variants are the same; Ruder's survey has
    the defaults η = 1 and ρ = 0.9.

    Source: Zeiler, ADADELTA (2012); torch.optim.Adadelta.
    """

    kind: Literal["adadelta"] = "adadelta"

    rho: float = field(default=0.9, metadata=constraints(ge=0, lt=1))
    """Decay rate ρ of both running averages."""

    epsilon: float = field(default=1e-6, metadata=constraints(ge=0))
    """ε, added to both running averages."""

    default_rate: ClassVar[float] = 1.0
    slots: ClassVar[tuple[str, ...]] = ("squares", "squared_steps")

    def derivation(self, t: int) -> list[Equation]:
        r, e = self.rho, self.epsilon
        return [
            Equation(
                "squares",
                rf"{r:g} <squares> + {1 - r:g} <g>^2",
                f"{r!r} * <squares> + {1 - r} * <g>**2",
                "The running mean of the squared gradients.",
                "s",
            ),
            Equation(
                "delta",
                rf"\sqrt{{<squared_steps> + {e:g}}} / \sqrt{{<squares> + {e:g}}} \circ <g>",
                f"np.sqrt(<squared_steps> + {e!r}) / np.sqrt(<squares> + {e!r}) * <g>",
                "The gradient, rescaled to the units of the parameter.",
                r"\Delta",
            ),
            Equation(
                "squared_steps",
                rf"{r:g} <squared_steps> + {1 - r:g} <delta>^2",
                f"{r!r} * <squared_steps> + {1 - r} * <delta>**2",
                "The running mean of the squared steps.",
                "u",
            ),
            Equation(
                "theta",
                "<theta> - <rate> <delta>",
                "<theta> - <rate> * <delta>",
                "The step is subtracted, times the learning rate.",
            ),
        ]

    def update(self, theta: Array, gradient: Array, rate: Rate, memory: Memory) -> None:
        g, s, u = self.add_weight_decay(theta, gradient), memory.slots["squares"], memory.slots["squared_steps"]
        s[...] = self.rho * s + (1 - self.rho) * g * g
        step = np.sqrt(u + self.epsilon) / np.sqrt(s + self.epsilon) * g
        u[...] = self.rho * u + (1 - self.rho) * step * step
        theta -= rate * step
