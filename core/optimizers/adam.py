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
    """Adam.

        m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
        θ ← θ − η m̂ / (√v̂ + ε),   m̂ = m / (1 − β₁^t),   v̂ = v / (1 − β₂^t)

    With `amsgrad` v̂ is formed from the largest v so far; `ruder`: θ − η m / (√v_max + ε), without correction.

    Source: Kingma & Ba, Adam (2015), §2; Reddi, Kale & Kumar, On the Convergence of Adam and Beyond (2018).
    """

    kind: Literal["adam"] = "adam"

    def derivation(self, t: int) -> list[Equation]:
        return self.derivation_from("<theta>", t)

    def update(self, theta: Array, gradient: Array, rate: Rate, memory: Memory) -> None:
        self.move(theta, self.add_weight_decay(theta, gradient), rate, memory)
