"""subtract: the difference of two tensors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Op, Shape
from core.equations.equation import Derivation
from core.equations.layout import Layout
from core.layer_context import LayerContext
from core.layers.base import Layer, Steps
from core.layers.shared.arithmetic import stretched, stretched_derivation, summed_back


@dataclass(frozen=True, slots=True, kw_only=True)
class Subtract(Layer):
    """Difference of the two tensors it reads.

    Forward    Z    = X_1 − X_2
    Backward   dX_1 = dZ
               dX_2 = −dZ            summed over the axes along which X_k was stretched
    """

    kind: Literal["subtract"] = "subtract"
    reads: ClassVar[tuple[int, int]] = (2, 2)
    equations: ClassVar[dict[str, str]] = {"any": "Z = A_1 - A_2"}

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        return stretched("subtract", inputs, column)

    def derivation(self, scene: Layout) -> Derivation:
        because = "∂z/∂x₁ = 1 and ∂z/∂x₂ = −1."
        slopes = [("<dZ>", "<dZ>"), ("-<dZ>", "-<dZ>")]
        return stretched_derivation(scene, "<X1> - <X2>", " - ".join, slopes, because)

    def forward(self, place: LayerContext) -> Steps:
        first, second = place.inputs
        return [partial(np.subtract, first, second, place.new_result())]

    def backward(self, place: LayerContext) -> Steps:
        d_first, d_second = place.d_inputs
        steps: list[Op] = []
        if d_first is not None:
            steps.append(partial(summed_back, place.d_result, d_first))
        if d_second is not None:
            steps += [partial(summed_back, place.d_result, d_second), partial(np.negative, d_second, d_second)]
        return steps
