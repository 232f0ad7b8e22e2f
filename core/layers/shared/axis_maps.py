"""Maps of axes: layers whose result is R X Sᵀ for every channel, with a matrix for each axis of an image or a sequence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from core.arrays import Array, Op, Shape
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.layer_context import LayerContext
from core.layers.base import Layer, Ops, misfit
from core.layers.shared.lowering import by_rows
from core.layers.shared.strides import AxisMap


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisMaps(Layer):
    """Base of layers that apply a linear map to every axis behind the channels, the last axis first."""

    because: ClassVar[str]
    """What the matrices do, in a sentence."""

    def maps(self, x: Shape) -> list[AxisMap]:
        """Return the map of each axis for an input of this shape.

        Raises:
            Refusal: if the fields do not fit it.
        """
        raise NotImplementedError

    def lengths(self, x: Shape) -> list[int]:
        """Return the length of each axis of the result."""
        return [axis.after for axis in self.maps(x)]

    def edge(self) -> float:
        """Return the number at the edges of a result."""
        return 0.0

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        (x,) = inputs
        if len(x) not in (3, 4):
            sent = list(x[::-1] if column and len(x) == 2 else x)
            misfit(
                f"{self.kind} reads images, n x channels x height x width, or sequences, n x channels x time, in every "
                f"convention; it reads a tensor of shape {sent}.",
                hint='Put a reshape layer before it: {"kind": "reshape", "shape": [1, 28, 28]}.',
            )
        return (*x[:2], *self.lengths(x))

    def working_size(self, *inputs: Shape) -> int:
        (x,) = inputs
        after = self.lengths(x)
        return math.prod(x) + math.prod(x[:-1]) * after[-1] + 2 * math.prod([*x[:2], *after])

    def derivation(self, layout: Layout) -> Derivation:
        maps = self.maps(layout.inputs[0])
        letters, x, z = (("R", "S"), "hw", "rs") if len(maps) == 2 else (("S",), "w", "s")
        matrices = ",".join(f"{after}{before}" for after, before in zip(z, x, strict=True))
        operands = ", ".join(f"<{letter}>" for letter in letters)
        there, back = (r"<R> <X> <S>^\top", r"<R>^\top <dZ> <S>") if len(maps) == 2 else (r"<X> <S>^\top", "<dZ> <S>")
        edge = self.edge()
        inside = " * ".join(
            f"<{letter}>.sum(axis=1)[{', '.join([':', *['None'] * (len(maps) - 1 - axis)])}]"
            for axis, letter in enumerate(letters)
        )
        added = f" + {edge!r} * (1 - {inside})" if edge else ""
        return Derivation(
            [
                *(
                    Equation(letter, r"[\text{weight of a number in a result}]", axis.matrix, self.because)
                    for letter, axis in zip(letters, maps, strict=True)
                ),
                Equation(
                    "Z",
                    there + (rf" + {edge:g} \cdot [\text{{edge}}]" if edge else ""),
                    f"np.einsum('nc{x},{matrices}->nc{z}', <X>, {operands}, optimize=True){added}",
                    "Each axis of every channel is multiplied by its matrix.",
                ),
            ],
            [
                Equation(
                    "dX",
                    back,
                    f"np.einsum('nc{z},{matrices}->nc{x}', <dZ>, {operands}, optimize=True)",
                    "The map is linear, so the gradient goes back through the transposed matrices: every number receives the "
                    "deltas of all results that it is in, with its weight there.",
                )
            ],
        )

    def forward(self, context: LayerContext) -> Ops:
        (X,), target = context.inputs, context.new_result()
        moved, ops = self._moved(X.shape), list[Op]()
        for number, (axis, one) in enumerate(moved):  # From the last map to the first.
            if one.embeds:
                source = target[_at(axis, one.strides[0].result)]
            else:
                last = number + 1 == len(moved) and _in_order(X)
                source = X if last else self._between(context, X.shape, moved[number + 1 :])
            edges = [partial(target[_at(axis, edge)].fill, self.edge()) for edge in one.edges]
            ops = [*edges, *_there(one, axis, source, target), *ops]
            target = source
        return ops if target is X else [partial(np.copyto, target, X), *ops]

    def backward(self, context: LayerContext) -> Ops:
        (dX,), source = context.d_inputs, context.d_result
        if dX is None:
            return []
        moved, ops = self._moved(dX.shape), list[Op]()
        if not _in_order(source) and not all(one.embeds for _, one in moved):
            ordered = context.scratch(source.shape)
            ops, source = [partial(np.copyto, ordered, source)], ordered
        for number, (axis, one) in enumerate(moved):
            if one.embeds and len(one.strides) == 1:  # Nothing but constants around it.
                source = source[_at(axis, one.strides[0].result)]
                continue
            last = number + 1 == len(moved) and _in_order(dX)
            target = dX if last else self._between(context, dX.shape, moved[number + 1 :])
            ops += _back(one, axis, source, target)
            source = target
        return ops if source is dX else [*ops, partial(np.copyto, dX, source)]

    def _moved(self, x: Shape) -> list[tuple[int, AxisMap]]:
        return [(axis, one) for axis, one in enumerate(self.maps(x), 2) if not one.is_identity]

    def _between(self, context: LayerContext, x: Shape, done: Sequence[tuple[int, AxisMap]]) -> Array:
        """Allocate memory for the tensor between two maps, which both directions use."""
        shape = list(x)
        for axis, one in done:
            shape[axis] = one.after
        name = f"axes {[axis for axis, _ in done]}"
        if name not in context.saved:
            context.saved[name] = context.scratch(tuple(shape))
        return context.saved[name]


def _at(axis: int, part: slice) -> tuple[slice, ...]:
    return (*[slice(None)] * axis, part)


def _in_order(tensor: Array) -> bool:
    """Return whether a tensor lies in memory as `tensor_memory` has it; the numbers of a request may lie otherwise."""
    return bool((by_rows(tensor) if tensor.ndim == 4 else tensor).flags.c_contiguous)


def _there(one: AxisMap, axis: int, X: Array, Z: Array) -> Ops:
    """Return the operations that write the map of X into Z, where X itself is already if the map embeds it."""
    ops: list[Op] = []
    memory: dict[Shape, Array] = {}
    for stride in one.strides[one.embeds :]:
        target, source = Z[_at(axis, stride.result)], X[_at(axis, stride.numbers)]
        if not stride.adds:
            ops.append(_scaled(source, stride.weight, target))
            continue
        product = memory.setdefault(source.shape, np.empty_like(source))
        ops += [_scaled(source, stride.weight, product), partial(np.add, target, product, target)]
    return ops


def _back(one: AxisMap, axis: int, dZ: Array, dX: Array) -> Ops:
    """Return the operations that write the transposed map of dZ into dX."""
    ops: list[Op] = []
    memory: dict[Shape, Array] = {}
    for number, stride in enumerate(one.strides):
        source, target = dZ[_at(axis, stride.result)], dX[_at(axis, stride.numbers)]
        if number == 0 and target.shape == dX.shape == source.shape and stride.source_step > 0:
            ops.append(_scaled(source, stride.weight, target))
            continue
        if number == 0:
            ops.append(partial(dX.fill, 0))
        product = memory.setdefault(target.shape, np.empty_like(target))
        if stride.source_step == 0 and stride.count > 1:
            ops.append(partial(np.sum, source, axis=axis, keepdims=True, out=product))
            ops += [] if stride.weight == 1 else [_scaled(product, stride.weight, product)]
        elif stride.weight == 1:
            product = source
        else:
            ops.append(_scaled(source, stride.weight, product))
        ops.append(partial(np.add, target, product, target))
    return ops


def _scaled(source: Array, weight: float, target: Array) -> Op:
    return partial(np.copyto, target, source) if weight == 1 else partial(np.multiply, source, weight, target)
