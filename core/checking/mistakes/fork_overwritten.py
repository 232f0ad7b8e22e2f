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


class _OneReaderLost(_OneReaderOnly):
    """All readers of several but one."""

    slug = "branch-lost"
    wrong = r"\frac{\partial L}{\partial A} = \text{the sum over its readers without one of them}"

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        return len(trace.network.readers[quantity.layer]) > max(2, self.which)

    def arriving(self, trace: Trace, name: str) -> Array:
        found, readers = super(_OneReaderOnly, self).arriving(trace, name), trace.network.readers[name]
        if len(readers) <= max(2, self.which):
            return found
        reader = readers[self.which]
        return found - self.through_layer(trace, reader.layer, reader.position)


class _ReaderCountedTwice(_OneReaderOnly):
    """The gradient of one reader added once too often."""

    slug = "branch-counted-twice"
    wrong = r"\frac{\partial L}{\partial A} = \text{the sum over its readers, one of them twice}"
    why = (
        "A tensor receives one gradient from each layer that reads it. A backward pass that visits a layer twice, once "
        "for each way back to it, adds its gradient twice."
    )

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        return len(trace.network.readers[quantity.layer]) > max(1, self.which)

    def arriving(self, trace: Trace, name: str) -> Array:
        found, readers = super(_OneReaderOnly, self).arriving(trace, name), trace.network.readers[name]
        if len(readers) <= max(1, self.which):
            return found
        reader = readers[self.which]
        return found + self.through_layer(trace, reader.layer, reader.position)


ORDINALS = ("first", "second", "third", "fourth")
"""The readers that are tried, in the order of the network."""


def _of(base: type[_OneReaderOnly], which: int, said: str) -> type[_OneReaderOnly]:
    return type(f"{base.__name__[1:]}{which}", (base,), {"which": which, "said": said, "__doc__": base.__doc__})


BRANCHES_LOST = tuple(
    _of(_OneReaderLost, which, f"lacks the gradient from its {ordinal} reader; those of the others are there")
    for which, ordinal in enumerate(ORDINALS)
)
BRANCHES_TWICE = tuple(
    _of(_ReaderCountedTwice, which, f"contains the gradient from its {ordinal} reader twice")
    for which, ordinal in enumerate(ORDINALS)
)
