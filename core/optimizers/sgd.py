"""sgd: gradient descent, with momentum where asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Array, Op
from core.equations.equation import Equation
from core.optimizers.base import Memory, Optimizer, Rate
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class Sgd(Optimizer):
    """Gradient descent, optionally with momentum or with Nesterov's accelerated gradient.

        v ← μ v + (1 − d) g          v = g in the first step
        θ ← θ − η v                  with `nesterov`: θ ← θ − η (g + μ v)

    Without momentum, θ ← θ − η g. The variant `ruder` is v ← μ v + η g, θ ← θ − v; with `nesterov`, the gradient is taken
    at θ − μ v.

    Source: torch.optim.SGD; Sutskever et al., On the importance of initialization and momentum (2013).
    """

    kind: Literal["sgd"] = "sgd"

    momentum: float = field(default=0.0, metadata=constraints(ge=0))
    """Momentum μ."""

    dampening: float = field(default=0.0, metadata=constraints(ge=0, le=1))
    """Dampening d of the gradient in the momentum; not with `nesterov`."""

    nesterov: bool = field(default=False, metadata=constraints())
    """Whether to use Nesterov's accelerated gradient, which looks ahead along the momentum."""

    slots: ClassVar[tuple[str, ...]] = ("velocity",)

    @property
    def looks_ahead(self) -> bool:
        return self.variant == "ruder" and self.nesterov

    def look_ahead(self, theta: Array, memory: Memory) -> Array:
        return np.asarray(theta - self.momentum * memory.slots["velocity"]) if self.looks_ahead else theta

    def derivation(self, t: int) -> list[Equation]:
        mu, damped = self.momentum, 1 - self.dampening
        if not mu:
            return [Equation("theta", "<theta> - <rate> <g>", "<theta> - <rate> * <g>", "A step against the gradient.")]
        if self.variant == "ruder":
            return [
                Equation(
                    "velocity",
                    rf"{mu:g} <velocity> + <rate> <g>",
                    f"{mu!r} * <velocity> + <rate> * <g>",
                    "The velocity: the momentum times the last velocity, plus the learning rate times the gradient.",
                    "v",
                ),
                Equation("theta", "<theta> - <velocity>", "<theta> - <velocity>", "A step against the velocity."),
            ]
        latex, numpy = (
            ("<g>", "<g> + 0")
            if t == 1
            else (rf"{mu:g} <velocity> + {damped:g} <g>", f"{mu!r} * <velocity> + {damped!r} * <g>")
        )
        step = (
            (rf"(<g> + {mu:g} <velocity>)", f"(<g> + {mu!r} * <velocity>)")
            if self.nesterov
            else ("<velocity>", "<velocity>")
        )
        return [
            Equation("velocity", latex, numpy, "The velocity; at the first step it is the gradient.", "v"),
            Equation(
                "theta", f"<theta> - <rate> {step[0]}", f"<theta> - <rate> * {step[1]}", "A step against the velocity."
            ),
        ]

    def ops(self, theta: Array, gradient: Array, rate: Rate, memory: Memory) -> list[Op]:
        if self.momentum or self.weight_decay:
            return Optimizer.ops(self, theta, gradient, rate, memory)
        step, eta = np.empty_like(theta), np.asarray(rate, theta.dtype)
        return [partial(np.multiply, gradient, eta, step), partial(np.subtract, theta, step, theta)]

    def update(self, theta: Array, gradient: Array, rate: Rate, memory: Memory) -> None:
        g, v = self.add_weight_decay(theta, gradient), memory.slots["velocity"]
        if not self.momentum:
            theta -= rate * g
        elif self.variant == "ruder":
            v *= self.momentum
            v += rate * g
            theta -= v
        else:
            v *= self.momentum if memory.step > 1 else 0
            v += (1 - self.dampening) * g if memory.step > 1 else g
            theta -= rate * (g + self.momentum * v if self.nesterov else v)
