"""average_pool2d: the mean of every window."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Op, constant
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.layer_context import LayerContext
from core.layers.base import Ops
from core.layers.shared.pooling import Pooling, selections


@dataclass(frozen=True, slots=True, kw_only=True)
class AveragePool2D(Pooling):
    """Average pooling: the mean of each window of K numbers, for every channel of an image.

        Forward    Z[w] = (1/K) Σ X[k] over the k in window w
        Backward   dX[k] = (1/K) Σ dZ[w] over the windows w that k is in

    X is n x channels x height x width. Padding counts as zeros; K is always the window's height times its width.

    Source: Zhang, Derivation of Backpropagation in Convolutional Neural Network (2016), §2; torch.nn.AvgPool2d.
    """

    kind: Literal["average_pool2d"] = "average_pool2d"
    equations: ClassVar[dict[str, str]] = {"any": "Z = mean of A over each window"}

    def derivation(self, layout: Layout) -> Derivation:
        rows, columns = self._windows(layout.inputs[0])
        K = rows.size * columns.size
        return Derivation(
            [
                *selections(rows, columns),
                Equation(
                    "Z",
                    rf"\tfrac{{1}}{{{K}}} \textstyle\sum_{{\text{{window}}}} <X>",
                    f"np.einsum('nchw,rhi,swj->ncrs', <X>, <R>, <S>, optimize=True) / {K}",
                    "The mean of each window.",
                ),
            ],
            [
                Equation(
                    "dX",
                    rf"\tfrac{{1}}{{{K}}} \textstyle\sum_{{\text{{windows}}}} <dZ>",
                    f"np.einsum('ncrs,rhi,swj->nchw', <dZ>, <R>, <S>, optimize=True) / {K}",
                    (
                        "The mean passes an equal share of its delta to every number of the window; the shares of "
                        "overlapping windows are added."
                    ),
                ),
            ],
        )

    def forward(self, context: LayerContext) -> Ops:
        (X,), Z = context.inputs, context.new_result()
        rows, columns = self._windows(X.shape)
        share = constant(1 / (rows.size * columns.size), Z)
        sums = [partial(np.add, windows, numbers, windows) for windows, numbers in self.offsets(Z, X)]
        return [lambda: Z.fill(0), *sums, partial(np.multiply, Z, share, Z)]

    def backward(self, context: LayerContext) -> Ops:
        (X,), (dX,), dZ = context.inputs, context.d_inputs, context.d_result
        if dX is None:
            return []
        rows, columns = self._windows(X.shape)
        share, shared = constant(1 / (rows.size * columns.size), dZ), np.empty_like(dZ)
        ops: list[Op] = [partial(dX.fill, 0), partial(np.multiply, dZ, share, shared)]
        return ops + [partial(np.add, numbers, windows, numbers) for windows, numbers in self.offsets(shared, dX)]
