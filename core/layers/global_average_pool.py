"""global_average_pool: the mean of every channel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Shape, constant
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.layer_context import LayerContext
from core.layers.base import Layer, Ops, misfit


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalAveragePool(Layer):
    """Global average pooling: the mean of each channel over all positions, n x channels x … -> n x channels.

        Forward    Z[n, c] = (1/K) Σ X[n, c, …] over the K positions
        Backward   dX[n, c, …] = dZ[n, c] / K

    Source: Lin, Chen & Yan, Network in Network (2014), §3.2.
    """

    kind: Literal["global_average_pool"] = "global_average_pool"
    equations: ClassVar[dict[str, str]] = {"any": "Z = mean of A over the positions of each channel"}

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        (x,) = inputs
        if len(x) < 3:
            sent = list(x[::-1] if column and len(x) == 2 else x)
            misfit(f"global_average_pool reads n x channels x positions; it reads a tensor of shape {sent}.")
        return x[:2]

    def derivation(self, layout: Layout) -> Derivation:
        x = layout.inputs[0]
        axes, K = tuple(range(2, len(x))), math.prod(x[2:])
        dZ = layout.core("<dZ>", layout.result)
        spread = f"{dZ}.reshape({(*x[:2], *[1] * (len(x) - 2))}) * np.ones({x}) / {K}"
        return Derivation(
            [
                Equation(
                    "Z",
                    r"\operatorname{mean}(<X>)",
                    layout.sent(f"<X>.mean(axis={axes})", layout.result),
                    "The mean of each channel over its positions.",
                )
            ],
            [
                Equation(
                    "dX",
                    rf"\tfrac{{1}}{{{K}}} <dZ> \otimes \mathbf{{1}}",
                    spread,
                    "Every position receives an equal share of the delta of its channel.",
                )
            ],
        )

    def forward(self, context: LayerContext) -> Ops:
        (X,), Z = context.inputs, context.new_result()
        share = constant(1 / math.prod(X.shape[2:]), Z)
        return [partial(np.sum, X, axis=tuple(range(2, X.ndim)), out=Z), partial(np.multiply, Z, share, Z)]

    def backward(self, context: LayerContext) -> Ops:
        (dX,), dZ = context.d_inputs, context.d_result
        if dX is None:
            return []
        share = constant(1 / math.prod(dX.shape[2:]), dZ)
        return [partial(np.multiply, dZ.reshape(*dZ.shape, *[1] * (dX.ndim - 2)), share, dX)]
