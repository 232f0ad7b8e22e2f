"""The network that grows as the layers of a Keras model are translated, and the order of the axes of every tensor.

Keras writes images as n x height x width x channels; here they are n x channels x height x width. A tensor of the network
is Keras' tensor with its axes in another order, which is kept beside its name, so that a layer that counts on an order
gets it, by a transpose layer where the tensor has another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from app.models.formats.keras.graph import KerasGraph, KerasNode
from core.arrays import Array
from core.errors import Issue

Order = tuple[int, ...]


class Untranslatable(Exception):
    """A layer of Keras has no counterpart; the message says why."""


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor of the network: axis i of it is axis `order[i]` of Keras' tensor."""

    name: str
    shape: tuple[int | None, ...]
    """Keras' shape, with None for the number of examples and for lengths that the file leaves open."""

    order: Order
    channels: int | None = None
    """Of a flattened tensor whose channels came first: their number, where the order of the features is not Keras'."""

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.shape)


@dataclass(slots=True)
class Builder:
    """The layers so far, their parameters and what had to be assumed."""

    graph: KerasGraph
    arrays: dict[str, list[Array]]
    """The arrays of every layer by its name, in Keras' order."""

    layers: list[dict[str, Any]] = field(default_factory=list)
    parameters: dict[str, dict[str, Array]] = field(default_factory=dict)
    state: dict[str, dict[str, Array]] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def add(self, name: str, sources: Sequence[Value], kind: str, **fields: Any) -> None:
        """Add a layer that reads these tensors."""
        given = {key: value for key, value in fields.items() if value is not None}
        self.layers.append({"kind": kind, "name": name, "inputs": [source.name for source in sources], **given})

    def inputs(self, node: KerasNode, count: int = 1) -> list[Value]:
        """Return the tensors that a layer reads.

        Raises:
            Untranslatable: if there are others than `count`; 0 takes any number from two on.
        """
        if (len(node.inputs) != count) if count else len(node.inputs) < 2:
            raise Untranslatable(f"it reads {len(node.inputs)} tensors")
        return [self.values[name] for name in node.inputs]

    def ordered(self, value: Value, order: Order) -> Value:
        """Return the tensor with its axes in this order; a transpose layer brings it there, once."""
        if value.channels is not None:
            raise Untranslatable("it reads flattened features whose order cannot be followed")
        if value.order == order:
            return value
        axes = [value.order.index(axis) for axis in order]
        name = f"{value.name[:80]}.{''.join(map(str, axes))}"
        if all(layer["name"] != name for layer in self.layers):
            self.add(name, [value], "transpose", axes=axes)
        return replace(value, name=name, order=order)

    def plain(self, value: Value) -> Value:
        """Return the tensor with its axes as in Keras."""
        return self.ordered(value, tuple(range(value.rank)))

    def take(self, node: KerasNode, *shapes: tuple[int | None, ...]) -> list[Array]:
        """Return the arrays of a layer, which have these shapes; None fits any length.

        Raises:
            Untranslatable: if they are others.
        """
        found = self.arrays.get(node.name, [])
        if len(found) != len(shapes) or any(
            not _fits(array.shape, shape) for array, shape in zip(found, shapes, strict=True)
        ):
            got = ", ".join(str(list(array.shape)) for array in found[:6]) or "none"
            wanted = ", ".join(str(["any" if n is None else n for n in shape]) for shape in shapes)
            raise Untranslatable(f"it should have arrays of the shapes {wanted}; the file has {got}")
        return found

    def warnings(self, *, moved: bool) -> list[Issue]:
        """Return what had to be assumed."""
        issues = []
        if moved:
            detail = (
                "Keras' tensors of images are n x height x width x channels, and those of convolutions over time n x time x "
                "channels; this model reads and gives them with the channels after the examples."
            )
            hint = (
                "numpy.moveaxis(X, -1, 1) is X as this model reads it. Kernels and dense layers are rearranged to fit."
            )
            issues.append(Issue(code="assumed-channels", path=("network", "layers"), detail=detail, hint=hint))
        if self.left_out:
            detail = f"Left out, as Keras does where a model predicts: {', '.join(self.left_out[:20])}."
            issues.append(Issue(code="assumed-evaluation", path=("network", "layers"), detail=detail[:500]))
        return issues


def channels_first(rank: int, axis: int = -1) -> Order:
    """Return the order in which an axis of Keras comes after the examples."""
    axis %= rank
    return (0, axis, *(other for other in range(1, rank) if other != axis))


def rows_for(weight: Array, channels: int) -> Array:
    """Return a dense kernel with its rows in the order of features whose channels come first."""
    return np.ascontiguousarray(weight.reshape(-1, channels, weight.shape[1]).swapaxes(0, 1).reshape(weight.shape))


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(shape) == len(wanted) and all(b in (None, a) for a, b in zip(shape, wanted, strict=True))
