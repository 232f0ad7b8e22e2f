"""multiplied-by-…, divided-by-…: factors that are sizes of a layer or products of sizes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.quantity import Quantity
from core.checking.trace import Trace
from core.layers.conv1d import Conv1D

Size = Callable[[Trace, str], float]
"""A size of a layer; 1 where the layer has none."""


def _positions(trace: Trace, layer: str) -> float:
    """h·w of images and the length of sequences of a convolution."""
    node = trace.network.nodes.get(layer)
    images = node is not None and (len(node.shape) == 4 or isinstance(node.layer, Conv1D))
    return float(math.prod(trace.network.shapes[layer][2:])) if images else 1.0


def _steps(trace: Trace, layer: str) -> float:
    """T, the time steps of n × T × features."""
    node = trace.network.nodes.get(layer)
    if node is None or isinstance(node.layer, Conv1D):
        return 1.0
    read = trace.network.shapes[node.reads[0]]
    return float(read[1]) if len(read) == 3 else 1.0


def _heads(trace: Trace, layer: str) -> float:
    """The heads of an attention."""
    node: Any = trace.network.nodes.get(layer)
    return float(getattr(node.layer, "heads", 1)) if node is not None else 1.0


def _filters(trace: Trace, layer: str) -> float:
    """The filters of a convolution."""
    node: Any = trace.network.nodes.get(layer)
    return float(getattr(node.layer, "filters", 1)) if node is not None else 1.0


def _units(trace: Trace, layer: str) -> float:
    """The units of a hidden dense layer."""
    hidden = layer != trace.network.last and layer in trace.network.nodes
    return float(trace.network.shapes[layer][-1]) if hidden and trace.network.multiplies_by_weight(layer) else 1.0


def _examples(trace: Trace, layer: str) -> float:
    return float(trace.network.examples)


def _outputs(trace: Trace, layer: str) -> float:
    return float(trace.network.outputs)


class SizeFactor(Mistake):
    """The right rule times a size of the layer, or divided by it."""

    strikes: ClassVar[tuple[str, ...]] = ("deltas", "gradients", "input_gradient")
    plain: ClassVar[bool] = True
    alone: ClassVar[bool] = True
    sizes: ClassVar[tuple[Size, ...]]
    divides: ClassVar[bool]
    power: ClassVar[float] = 1.0
    separate: ClassVar[str] = (
        "Send a batch whose number of examples, positions, steps, classes and units are different primes; "
        "POST /v1/probe makes one."
    )

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        return all(size(trace, quantity.layer) > 1 for size in self.sizes)

    def delta(self, trace: Trace, layer: str) -> Array:
        return super().delta(trace, layer) * self.multiplier_at(trace, layer)

    def data_gradient(self, trace: Trace, layer: str, parameter: str) -> Array:
        return super().data_gradient(trace, layer, parameter) * self.multiplier_at(trace, layer)

    def input_gradient(self, trace: Trace, name: str) -> Array:
        return super().input_gradient(trace, name) * self.multiplier_at(trace, name)

    def multiplier_at(self, trace: Trace, layer: str) -> float:
        """Return the factor in the rules of a layer."""
        size = math.prod(size(trace, layer) for size in self.sizes) ** self.power
        return 1 / size if self.divides else size


_NAMED: tuple[tuple[str, str, str, tuple[Size, ...], float], ...] = (
    ("positions", "the number of positions", "hw", (_positions,), 1.0),
    ("batch-size-and-positions", "the number of examples times positions", "nhw", (_examples, _positions), 1.0),
    ("time-steps", "the number of time steps", "T", (_steps,), 1.0),
    ("batch-size-and-time-steps", "the number of examples times time steps", "nT", (_examples, _steps), 1.0),
    ("heads", "the number of heads", "h", (_heads,), 1.0),
    ("filters", "the number of filters", "O", (_filters,), 1.0),
    ("units", "the number of units", "m", (_units,), 1.0),
    ("batch-size-and-outputs", "the number of examples times outputs", "nK", (_examples, _outputs), 1.0),
    ("root-of-batch-size", "the square root of the number of examples", r"\sqrt{n}", (_examples,), 0.5),
)


def _of(name: str, words: str, symbol: str, sizes: tuple[Size, ...], power: float, divides: bool) -> type[SizeFactor]:
    verb = "divided" if divides else "multiplied"
    wrong = rf"\tfrac{{1}}{{{symbol}}}" if divides else rf"{symbol} \cdot"
    return type(
        f"{verb.title()}By{name.title().replace('-', '')}",
        (SizeFactor,),
        {
            "__doc__": f"The right value {verb} by {words}.",
            "slug": f"{verb}-by-{name}",
            "said": f"is {verb} by {words}",
            "wrong": rf"{wrong} \text{{(the right value)}}",
            "why": (
                "The rule sums, and the deltas contain the factor of the loss (1/n for a mean over examples) already. "
                f"{words[0].upper()}{words[1:]} does not enter it."
            ),
            "unseen": f"{words} is 1",
            "sizes": sizes,
            "power": power,
            "divides": divides,
        },
    )


SIZES = tuple(_of(*named, divides) for named in _NAMED for divides in (True, False))
"""One for each size and each direction."""


def is_a_size(trace: Trace, layer: str, factor: float) -> bool:
    """Return True if a factor is the sign, a 2, a number of examples or outputs, or a size of the layer: it has a name."""
    return any(math.isclose(factor, each, rel_tol=1e-6) for each in _factors(trace, layer) if each != 1)


def is_product_of_sizes(trace: Trace, layer: str, factor: float) -> bool:
    """Return True if a factor is the product of two that have names, so that two mistakes may have made it."""
    named = _factors(trace, layer)
    return any(math.isclose(factor, one * other, rel_tol=1e-6) for one in named for other in named)


def _factors(trace: Trace, layer: str) -> list[float]:
    """Every factor with a name, and its reciprocal."""
    n, K = trace.network.examples, trace.network.outputs
    named = [-1.0, 2.0, float(n), float(K)]
    named += [math.prod(size(trace, layer) for size in kind.sizes) ** kind.power for kind in SIZES if layer]
    return [each for size in dict.fromkeys(named) for each in (size, 1 / size)]
