"""accumulated-over-calls, constant-factor: a factor that does not follow from the sizes of the problem."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.base import Fitted
from core.checking.mistakes.sizes import is_a_size
from core.checking.trace import Trace

INDEPENDENT = 3
"""Numbers of a delta from which on a factor that they share is no coincidence."""


class AccumulatedOverCalls(Fitted):
    """Gradients added to those of earlier calls: k times the gradient after k calls on one batch."""

    slug = "accumulated-over-calls"
    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    said = "is $factor times the gradient, as if it had been added up over $factor calls"
    wrong = r"\texttt{dW += } \frac{\partial L}{\partial W}"
    why = (
        "Gradients that are accumulated with += have to be set to 0 before every backward pass; otherwise they hold "
        "the sum over all calls."
    )
    separate = "Call your backward pass twice and send both: accumulated gradients grow from call to call."

    def accepts(self, trace: Trace, factor: float) -> bool:
        return 1.5 < factor < 1000 and abs(factor - round(factor)) < 1e-6 * factor

    def gradient(self, trace: Trace, layer: str, parameter: str) -> Array:
        return self.factor * super().gradient(trace, layer, parameter)


class UnknownFactor(Fitted):
    """The right rule times some constant."""

    slug = "constant-factor"
    strikes: ClassVar[tuple[str, ...]] = ("loss", "deltas", "gradients", "input_gradient")
    said = "is $factor times the right value, in every number"
    wrong = r"c \cdot \text{(the right value)}"
    why = (
        "All numbers are off by the same factor, so the formula is right up to a constant. Such a factor may be a "
        "learning rate that is already in the gradient, a weight of the loss, or a mean over something else."
    )
    separate = "Send the loss as well: it shows whether the factor is in the loss or only in the gradient."
    _layer: str = ""
    """The layer whose rule was run last."""

    def accepts(self, trace: Trace, factor: float) -> bool:
        """Return False for a factor with a name, and one that rests on too few numbers of a delta.

        Any other delta is a multiple of a single one: the gradients of a layer with one or two deltas are multiples of
        the right ones whatever they lack, f'(z) for instance. With a penalty, a factor of the whole gradient is another
        mistake than the named one, which has the penalty without it.
        """
        if trace.network.objective.loss.l2 == 0 and is_a_size(trace, self._layer, factor):
            return False
        delta = trace.deltas.get(self._layer)
        given = (self._layer, "deltas") in trace.given
        return delta is None or given or bool(np.count_nonzero(delta) >= INDEPENDENT)

    def loss(self, trace: Trace) -> Array:
        return self.factor * super().loss(trace)

    def delta(self, trace: Trace, layer: str) -> Array:
        self._layer = layer
        return self.factor * super().delta(trace, layer)

    def gradient(self, trace: Trace, layer: str, parameter: str) -> Array:
        self._layer = layer
        return self.factor * super().gradient(trace, layer, parameter)

    def input_gradient(self, trace: Trace, name: str) -> Array:
        return self.factor * super().input_gradient(trace, name)
