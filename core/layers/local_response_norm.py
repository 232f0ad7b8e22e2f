"""local_response_norm: every number divided by a power of the sum of squares around it, across channels."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Array, Shape
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.layer_context import LayerContext
from core.layers.base import Layer, Ops, misfit
from core.operations import CALL, ELEMENT, FUNCTION, count
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalResponseNorm(Layer):
    """Local response normalisation: each number divided by a power of the mean square of the k channels around it.

    Σ sums over the window of a channel, in which channels beyond the first and the last are 0:

        Forward    S  = bias + (α/k) Σ X ∘ X
                   Z  = X ∘ S^(−β)
        Backward   dX = dZ ∘ S^(−β) − (2 α β / k) X ∘ Σᵀ (dZ ∘ X ∘ S^(−β−1))

    The window of channel c is c − ⌊(k − 1)/2⌋ … c + ⌈(k − 1)/2⌉ as in ONNX; for even k, torch's has its additional channel on
    the other side. Σᵀ sums over the channels in whose windows c is. X is n x channels x …, and Z has the same shape.

    Source: Krizhevsky, Sutskever & Hinton, ImageNet Classification with Deep Convolutional Neural Networks (2012), §3.3, with
    α for α/k and k for the bias; LRN of ONNX; torch.nn.LocalResponseNorm.
    """

    kind: Literal["local_response_norm"] = "local_response_norm"

    size: int = field(metadata=constraints(ge=1, examples=[5]))
    """k: number of channels that are summed over."""

    alpha: float = field(default=1e-4, metadata=constraints(ge=0))
    """α: factor of the mean of squares."""

    beta: float = field(default=0.75, metadata=constraints())
    """β: exponent of the divisor."""

    bias: float = field(default=1.0, metadata=constraints(gt=0))
    """Added to the mean of squares; k in the paper."""

    operations_formula: ClassVar[str] = "40 size (elements), and 300 for each power"
    equations: ClassVar[dict[str, str]] = {"any": "Z = A / (bias + alpha * mean of A * A over near channels)^beta"}

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        if len(inputs[0]) < 2:
            misfit(
                f"local_response_norm runs over the channels of each example; it reads a tensor of shape {list(inputs[0])}."
            )
        return inputs[0]

    def working_size(self, *inputs: Shape) -> int:
        return 3 * math.prod(inputs[0])

    @property
    def before(self) -> int:
        """The number of channels before each that are in its window."""
        return (self.size - 1) // 2

    def window_sums(self, values: Array, *, transposed: bool = False) -> Array:
        """Return the sums over the window of each channel, or over the channels in whose windows it is.

        They are formed term by term: differences of running sums would lose the digits of small numbers.
        """
        before, channels = self.before, values.shape[1]
        sums = np.zeros_like(values)
        for offset in range(-before, self.size - before):
            shift = -offset if transposed else offset
            if abs(shift) < channels:
                sums[:, max(0, -shift) : channels - max(0, shift)] += values[
                    :, max(0, shift) : channels + min(0, shift)
                ]
        return sums

    def derivation(self, layout: Layout) -> Derivation:
        shape = layout.core_shape(layout.inputs[0])
        X, dZ, c = layout.core("<X>", layout.inputs[0]), layout.core("<dZ>", layout.result), shape[1]
        near = f"np.arange({c}) - np.arange({c})[:, None]"
        after = self.size - 1 - self.before
        share = f"{self.alpha!r} / {self.size}"
        back = f"np.moveaxis(np.tensordot({dZ} * {X} * <S>**{-self.beta - 1!r}, <window>, axes=(1, 0)), -1, 1)"
        return Derivation(
            [
                Equation(
                    "window",
                    r"[\text{channel in window}]",
                    f"(({near} >= {-self.before}) & ({near} <= {after})).astype(float)",
                    "A row for each channel: 1 at the channels of its window, 0 elsewhere.",
                    "R",
                ),
                Equation(
                    "S",
                    rf"{self.bias:g} + \tfrac{{{self.alpha:g}}}{{{self.size}}} <window> <X>^2",
                    f"{self.bias!r} + {share} * np.moveaxis(np.tensordot({X}**2, <window>, axes=(1, 1)), -1, 1)",
                    "The mean of squares over the window of each channel, scaled.",
                ),
                Equation(
                    "Z",
                    rf"<X> \circ <S>^{{-{self.beta:g}}}",
                    layout.sent(f"{X} * <S>**{-self.beta!r}", layout.result),
                    "Divided by a power of it.",
                ),
            ],
            [
                Equation(
                    "dX",
                    rf"<dZ> \circ <S>^{{-{self.beta:g}}} - \tfrac{{{2 * self.alpha * self.beta:g}}}{{{self.size}}} <X> \circ "
                    rf"<window>^\top (<dZ> \circ <X> \circ <S>^{{-{self.beta + 1:g}}})",
                    layout.sent(
                        f"{dZ} * <S>**{-self.beta!r} - {2 * self.alpha * self.beta!r} / {self.size} * {X} * {back}",
                        layout.inputs[0],
                    ),
                    "$x$ acts directly, and through the sum of every window that it is in.",
                )
            ],
        )

    def operations(self, *inputs: Shape, result: Shape, column: bool) -> float:
        elements = count(result)
        return CALL * (self.size + 8) + elements * (2 * ELEMENT * (self.size + 6) + 2 * FUNCTION)

    def forward(self, context: LayerContext) -> Ops:
        (X,), Z = context.inputs, context.new_result()
        base, power = np.empty_like(Z), np.empty_like(Z)
        context.saved.update(base=base, power=power)

        def op() -> None:
            np.multiply(self.window_sums(X * X), self.alpha / self.size, base)
            np.add(base, self.bias, base)
            np.power(base, -self.beta, out=power)
            np.multiply(X, power, Z)

        return [op]

    def backward(self, context: LayerContext) -> Ops:
        (X,), (dX,), dZ = context.inputs, context.d_inputs, context.d_result
        if dX is None:
            return []
        base, power, into = context.saved["base"], context.saved["power"], dX

        def op() -> None:
            through = self.window_sums(dZ * X * power / base, transposed=True)
            np.multiply(X, through, into)
            np.multiply(into, -2 * self.alpha * self.beta / self.size, into)
            np.add(into, dZ * power, into)

        return [op]
