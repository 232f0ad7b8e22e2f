"""The base class of constant factors."""

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

    def multiplier(self, trace: Trace) -> float:
        """Return the factor."""
        raise NotImplementedError

    def multiplier_at(self, trace: Trace, layer: str) -> float:
        """Return the factor in the rules of a layer."""
        return self.multiplier(trace)

    def loss(self, trace: Trace) -> Array:
        return super().loss(trace) * self.multiplier(trace)

    def delta(self, trace: Trace, layer: str) -> Array:
        return super().delta(trace, layer) * self.multiplier(trace)

    def data_gradient(self, trace: Trace, layer: str, parameter: str) -> Array:
        return super().data_gradient(trace, layer, parameter) * self.multiplier(trace)

    def input_gradient(self, trace: Trace, name: str) -> Array:
        return super().input_gradient(trace, name) * self.multiplier(trace)
