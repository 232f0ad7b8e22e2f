"""adam: running moments, corrected for their start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.arrays import Array
from core.equations.equation import Equation
from core.optimizers.base import Memory, Rate
from core.optimizers.moments import ByMoments


@dataclass(frozen=True, slots=True, kw_only=True)
class Adam(ByMoments):
    """Adam: steps by running averages of the gradient and its square, with bias correction.

        m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
        θ ← θ − η m̂ / (√v̂ + ε),   m̂ = m / (1 − β₁^t),   v̂ = v / (1 − β₂^t)

    Here t counts the steps from 1. With `amsgrad`, v̂ is formed from v_max, the elementwise maximum of all v so far; the
    variant `ruder` then is θ ← θ − η m / (√v_max + ε), without bias correction.

    Source: Kingma & Ba, Adam (2015), §2; Reddi, Kale & Kumar, On the Convergence of Adam and Beyond (2018).
    """

    kind: Literal["adam"] = "adam"

    def derivation(self, t: int) -> list[Equation]:
        return self.derivation_from("<theta>", t)

    def update(self, theta: Array, gradient: Array, rate: Rate, memory: Memory) -> None:
        self.move(theta, self.add_weight_decay(theta, gradient), rate, memory)
