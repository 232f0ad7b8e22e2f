"""rmsprop: gradients divided by their running size."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Array
from core.equations.equation import Equation
from core.optimizers.base import Memory, Optimizer, Rate
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class Rmsprop(Optimizer):
    """RMSprop: gradients divided by the running root mean square of their size.

        s ← α s + (1 − α) g²
        v ← μ v + g / (√s + ε)       `ruder`: g / √(s + ε) instead of g / (√s + ε)
        θ ← θ − η v                  v = g / (√s + ε) without momentum

    With `centered`, the square of the running mean of g is subtracted from s, which gives the variance.

    Source: Hinton, Neural Networks for Machine Learning, lecture 6 (2012); torch.optim.RMSprop.
    """

    kind: Literal["rmsprop"] = "rmsprop"

    alpha: float = field(default=0.99, metadata=constraints(ge=0, lt=1))
    """Decay rate α of the running averages. Ruder's survey has 0.9."""

    epsilon: float = field(default=1e-8, metadata=constraints(ge=0))
    """ε, added to the denominator."""

    momentum: float = field(default=0.0, metadata=constraints(ge=0))
    """Momentum μ."""

    centered: bool = field(default=False, metadata=constraints())
    """Whether to divide by the root of the variance instead of that of the mean square."""

    default_rate: ClassVar[float] = 0.01
    slots: ClassVar[tuple[str, ...]] = ("squares", "mean", "velocity")

    def derivation(self, t: int) -> list[Equation]:
        a, e, mu = self.alpha, self.epsilon, self.momentum
        found = [
            Equation(
                "squares",
                rf"{a:g} <squares> + {1 - a:g} <g>^2",
                f"{a!r} * <squares> + {1 - a} * <g>**2",
                "The running mean of the squared gradients.",
                "s",
            )
        ]
        size, latex = "<squares>", "<squares>"
        if self.centered:
            mean = Equation(
                "mean",
                rf"{a:g} <mean> + {1 - a:g} <g>",
                f"{a!r} * <mean> + {1 - a} * <g>",
                "The running mean of the gradients.",
                r"\bar g",
            )
            found, size, latex = [*found, mean], "(<squares> - <mean>**2)", r"<squares> - <mean>^2"
        root = (rf"\sqrt{{{latex} + {e:g}}}", f"np.sqrt({size} + {e!r})")
        if self.variant == "torch":
            root = (rf"\sqrt{{{latex}}} + {e:g}", f"np.sqrt({size}) + {e!r}")
        step = (rf"<g> / ({root[0]})", f"<g> / ({root[1]})")
        if mu:
            found.append(
                Equation(
                    "velocity",
                    rf"{mu:g} <velocity> + {step[0]}",
                    f"{mu!r} * <velocity> + {step[1]}",
                    "The velocity: the momentum times the last velocity, plus the scaled gradient.",
                    "v",
                )
            )
            step = ("<velocity>", "<velocity>")
        return [
            *found,
            Equation(
                "theta",
                f"<theta> - <rate> {step[0]}",
                f"<theta> - <rate> * {step[1]}",
                "The step is subtracted, times the learning rate.",
            ),
        ]

    def update(self, theta: Array, gradient: Array, rate: Rate, memory: Memory) -> None:
        g, s, mean = self.add_weight_decay(theta, gradient), memory.slots["squares"], memory.slots["mean"]
        s[...] = self.alpha * s + (1 - self.alpha) * g * g
        size = s
        if self.centered:
            mean[...] = self.alpha * mean + (1 - self.alpha) * g
            size = s - mean * mean
        step = g / (np.sqrt(size + self.epsilon) if self.variant == "ruder" else np.sqrt(size) + self.epsilon)
        if self.momentum:
            v = memory.slots["velocity"]
            v[...] = self.momentum * v + step
            step = v
        theta -= rate * step
