"""max_pool2d: the largest number of every window."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Array, real
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.layer_context import LayerContext
from core.layers.base import Ops
from core.layers.shared.pooling import Pooling, selections


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxPool2D(Pooling):
    """Max pooling: the largest number of each window, for every channel of an image.

        Forward    Z[w] = max X[k] over the k in window w
        Backward   dX[k] = Σ dZ[w] over the windows w whose largest number is X[k]

    X is n x channels x height x width. If several numbers of a window are the largest, the first one in row-major order
    receives the gradient. Padding is never the maximum.

    Source: torch.nn.MaxPool2d, for the rule for ties; LeCun et al. use averages.
    """

    kind: Literal["max_pool2d"] = "max_pool2d"
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

    def forward(self, context: LayerContext) -> Ops:
        (X,), Z = context.inputs, context.new_result()
        context.fresh = False  # The way back compares with it: no activation is computed in its place.
        largest = np.maximum if Z.dtype.kind == "f" else _larger
        return [
            partial(Z.fill, -np.inf),
            *(partial(largest, windows, numbers, out=windows) for windows, numbers in self.offsets(Z, X)),
        ]

    def backward(self, context: LayerContext) -> Ops:
        (X,), (dX,), dZ, Z = context.inputs, context.d_inputs, context.d_result, context.result
        if dX is None:
            return []
        left = np.empty_like(dZ)  # What has not arrived anywhere yet.
        offsets = zip(self.offsets(Z, X), self.offsets(left, dX), strict=True)
        return [
            partial(dX.fill, 0),
            partial(np.copyto, left, dZ),
            *(partial(_route, numbers, largest, *arriving) for (largest, numbers), arriving in offsets),
        ]


def _larger(largest: Array, numbers: Array, out: Array) -> None:
    """The maximum by real parts, the first of equal ones: a complex step passes through the number that wins."""
    np.copyto(out, numbers, where=real(numbers) > real(largest))


def _route(numbers: Array, largest: Array, left: Array, dX: Array) -> None:
    """Let what is left of the deltas arrive at one offset, in the windows whose largest number is there."""
    here = left * (numbers == largest)
    np.add(dX, here, dX)
    np.subtract(left, here, left)
