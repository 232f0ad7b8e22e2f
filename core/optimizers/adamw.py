"""adamw: Adam with weight decay apart from the gradient."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from core.arrays import Array
from core.equations.equation import Equation
from core.optimizers.base import Memory, Rate
from core.optimizers.moments import ByMoments
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class AdamW(ByMoments):
    """AdamW: Adam with decoupled weight decay.

        θ ← θ − η λ θ
        m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
        θ ← θ − η m̂ / (√v̂ + ε),   m̂ = m / (1 − β₁^t),   v̂ = v / (1 − β₂^t)

    Here t counts the steps from 1. With `amsgrad`, v̂ is formed from v_max, the elementwise maximum of all v so far; the
    variant `ruder` then is θ ← θ − η m / (√v_max + ε), without bias correction.

    Source: Loshchilov & Hutter, Decoupled Weight Decay Regularization (2019); Reddi, Kale & Kumar, On the Convergence of
    Adam and Beyond (2018).
    """

    kind: Literal["adamw"] = "adamw"

    weight_decay: float = field(default=0.01, metadata=constraints(ge=0))
    """Weight decay λ: every step shrinks θ by η λ θ, apart from the gradient."""

    decouples_weight_decay: ClassVar[bool] = True

    def derivation(self, t: int) -> list[Equation]:
        latex, numpy = (
            rf"(1 - {self.weight_decay:g} <rate>) <theta>",
            f"<theta> * (1 - <rate> * {self.weight_decay!r})",
        )
        shrunk = Equation(
            "shrunk", latex, numpy, "Weight decay shrinks the parameter itself, apart from the gradient.", r"\theta'"
        )
        return [shrunk, *self.derivation_from("<shrunk>", t)]

    def update(self, theta: Array, gradient: Array, rate: Rate, memory: Memory) -> None:
        theta -= rate * self.weight_decay * theta
        self.move(theta, gradient, rate, memory)
