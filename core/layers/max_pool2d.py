"""max_pool2d: the largest number of every window."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Array, Op, Shape, real
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.layer_context import LayerContext
from core.layers.base import Ops
from core.layers.shared.pooling import Pooling, selections
from core.layers.shared.windows import Windows, along


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxPool2D(Pooling):
    """Max pooling: the largest number of each window, for every channel of an image.

        Forward    Z[w] = max X[k] over the k in window w
        Backward   dX[k] = Σ dZ[w] over the windows w whose largest number is X[k]

    X is n x channels x height x width. If several numbers of a window are the largest, the first one in row-major order
    receives the gradient. Padding is never the maximum.

    Both directions go along one axis at a time: the largest number of each row of a window, then the largest of these. The
    first number in row-major order is the first one of the first row that has it.

    Source: torch.nn.MaxPool2d, for the rule for ties; LeCun et al. use averages.
    """

    kind: Literal["max_pool2d"] = "max_pool2d"
    has_kinks: ClassVar[bool] = True
    equations: ClassVar[dict[str, str]] = {"any": "Z = largest A in each window"}

    def derivation(self, layout: Layout) -> Derivation:
        rows, columns = self._windows(layout.inputs[0])
        shape = (*layout.result, rows.size * columns.size)
        numbers = "np.einsum('nchw,rhi,swj->ncrsij', <X>, <R>, <S>, optimize=True)"
        inside = f"np.einsum('rhi,swj->rsij', <R>, <S>).reshape({(*shape[2:],)}) > 0"
        apart = (*layout.result, rows.size, columns.size)
        return Derivation(
            [
                *selections(rows, columns),
                Equation(
                    "V",
                    r"\text{windows of } <X>",
                    f"np.where({inside}, {numbers}.reshape({shape}), -np.inf)",
                    "The numbers of each window, row by row; padding is never the largest.",
                ),
                Equation("Z", r"\max_{\text{window}} <X>", "<V>.max(axis=-1)", "The largest number of each window."),
            ],
            [
                Equation(
                    "first",
                    r"\operatorname{argmax} <V>",
                    f"(<V>.argmax(axis=-1)[..., None] == np.arange({shape[-1]})).astype(float).reshape({apart})",
                    "1 at the largest number of the window; of equal ones, at the first, row by row.",
                    r"\text{first}",
                ),
                Equation(
                    "dX",
                    r"\textstyle\sum_{\text{windows}} <first> \circ <dZ>",
                    "np.einsum('ncrs,ncrsij,rhi,swj->nchw', <dZ>, <first>, <R>, <S>, optimize=True)",
                    "The largest number of a window receives its delta; the deltas of overlapping windows are added.",
                ),
            ],
        )

    def working_size(self, *inputs: Shape) -> int:
        (x,) = inputs
        rows, columns = self._windows(x)
        return math.prod(x[:2]) * columns.count * (4 * x[2] + 2 * rows.count)

    def forward(self, context: LayerContext) -> Ops:
        (X,), Z = context.inputs, context.new_result()
        context.fresh = False  # The way back compares with it: no activation is computed in its place.
        rows, columns = self._windows(X.shape)
        across = context.saved["across"] = context.scratch((*X.shape[:3], columns.count))
        return [*_largest(columns, 3, across, X), *_largest(rows, 2, Z, across)]

    def backward(self, context: LayerContext) -> Ops:
        (X,), (dX,), dZ, Z = context.inputs, context.d_inputs, context.d_result, context.result
        if dX is None:
            return []
        (rows, columns), across = self._windows(X.shape), context.saved["across"]
        left, d_across = np.empty_like(dZ), np.empty_like(across)
        route = [*_route(rows, 2, (Z, across), left, d_across), *_route(columns, 3, (across, X), d_across, dX)]
        return [partial(np.copyto, left, dZ), *route]


def _largest(windows: Windows, axis: int, Z: Array, X: Array) -> Ops:
    """Return the operations that write the largest number of each window along an axis into Z."""
    largest = np.maximum if Z.dtype.kind == "f" else _larger
    (_, first), *others = places = along(windows, axis, Z, X)
    if windows.is_padded:
        return [partial(Z.fill, -np.inf), *(partial(largest, *place, out=place[0]) for place in places)]
    return [partial(np.copyto, Z, first), *(partial(largest, *place, out=place[0]) for place in others)]


def _larger(largest: Array, numbers: Array, out: Array) -> None:
    """The maximum by real parts, the first of equal ones: a complex step passes through the number that wins."""
    np.copyto(out, numbers, where=real(numbers) > real(largest))


def _route(windows: Windows, axis: int, compared: tuple[Array, Array], left: Array, dX: Array) -> Ops:
    """Return the operations that let the deltas of windows along an axis arrive at their largest number, the first of equal.

    Args:
        windows: the windows along that axis.
        axis: its number.
        compared: the largest number of each window, and the numbers.
        left: the deltas; a run reduces them by what has arrived.
        dX: receives the deltas; those of overlapping windows are added.
    """
    here, equal = np.empty_like(left), np.empty_like(left, bool)
    offsets = zip(
        *(along(windows, axis, Z, X) for Z, X in (compared, (left, dX), (here, dX), (equal, dX))), strict=True
    )
    *others, last = offsets
    ops: list[Op] = [] if windows.tile else [partial(dX.fill, 0)]
    for (largest, numbers), (rest, into), (part, _), (mask, _) in others:
        ops += [
            partial(np.equal, numbers, largest, out=mask),
            partial(np.multiply, _bits(rest), mask, out=_bits(part)),
            _arrive(windows, part, into),
            partial(np.subtract, rest, part, out=rest),
        ]
    return [*ops, _arrive(windows, *last[1])]  # Where the last number is not the largest, nothing is left.


def _arrive(windows: Windows, deltas: Array, into: Array) -> Op:
    """Return the operation that lets deltas arrive: only overlapping windows reach the same number twice."""
    return partial(np.add, into, deltas, out=into) if windows.overlap else partial(np.copyto, into, deltas)


def _bits(array: Array) -> Array:
    """Return real numbers as integers of the same bits, which times 0 are never −0."""
    return array.view(f"i{array.itemsize}") if array.dtype.kind == "f" else array
