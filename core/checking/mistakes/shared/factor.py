"""What the constant factors share."""

from __future__ import annotations

from typing import ClassVar

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.trace import Trace


class ConstantFactor(Mistake):
    """A rule whose result is multiplied by a number that follows from the sizes of the problem."""

    strikes: ClassVar[tuple[str, ...]] = ("loss", "deltas", "gradients", "input_gradient")
    plain: ClassVar[bool] = True
    separate: ClassVar[str] = (
        "Send a batch whose number of examples, number of classes and numbers of units are different primes; "
        "POST /v1/probe makes one."
    )

    def multiplier(self, scene: Trace) -> float:
        """The number."""
        raise NotImplementedError

    def loss(self, scene: Trace) -> Array:
        return super().loss(scene) * self.multiplier(scene)

    def delta(self, scene: Trace, layer: str) -> Array:
        return super().delta(scene, layer) * self.multiplier(scene)

    def data_gradient(self, scene: Trace, layer: str, parameter: str) -> Array:
        return super().data_gradient(scene, layer, parameter) * self.multiplier(scene)

    def input_gradient(self, scene: Trace, name: str) -> Array:
        return super().input_gradient(scene, name) * self.multiplier(scene)
