"""fork-overwritten: only one of the gradients that arrive at a tensor."""

from __future__ import annotations

from typing import ClassVar

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.quantity import Quantity
from core.checking.trace import Trace


class _OneReaderOnly(Mistake):
    """= instead of += where a tensor is read more than once."""

    slug = "fork-overwritten"
    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient")
    wrong = r"\frac{\partial L}{\partial A} = \text{one of its readers' gradients alone}"
    why = (
        "A tensor that several layers read receives a gradient from each of them, and its own gradient is their sum. "
        "Assigning with = keeps only one of them; so does a backward pass that goes on before all readers are done."
    )
    which: ClassVar[int]

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        return len(trace.network.readers[quantity.layer]) > 1

    def arriving(self, trace: Trace, name: str) -> Array:
        readers = trace.network.readers[name]
        if len(readers) < 2:
            return super().arriving(trace, name)
        reader = readers[self.which]
        return self.through_layer(trace, reader.layer, reader.position)


class ForkKeepsFirst(_OneReaderOnly):
    """The reader that comes first in the network, which a backward pass visits last."""

    which = 0
    said = "contains only the gradient from its first reader, '$above'; those of the other readers are missing"


class ForkKeepsLast(_OneReaderOnly):
    """The reader that comes last in the network, which a backward pass visits first."""

    which = -1
    said = "contains only the gradient from its last reader; those of the other readers are missing"
