"""dropout: a random part of the features left out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import ClassVar, Literal, Self

import numpy as np

from core.arrays import Array, Shape
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.layer_context import LayerContext
from core.layers.base import Layer, Ops
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropout(Layer):
    """Inverted dropout: each element is set to 0 with probability p, the others are scaled by 1/(1 − p).

        Forward    Z  = X ∘ M         M: 0 with probability p, else 1/(1 − p), in the shape of X
        Backward   dX = dZ ∘ M

    The expected value of Z is X; for evaluation, use p = 0. The mask M depends only on `seed`, the layer's position in the
    network and the shape of X: the same request has the same mask, and two layers with the same seed have different masks.
    The response returns M under `reported`, so that the computation can be repeated elsewhere.

    Source: Srivastava et al., Dropout (2014), §10, for the scaling in training.
    """

    kind: Literal["dropout"] = "dropout"

    drop_probability: float = field(metadata=constraints(ge=0, lt=1, examples=[0.5]))
    """Probability p with which an element is set to 0: 0 ≤ p < 1."""

    seed: int = field(metadata=constraints(ge=0, lt=2**63, examples=[0]))
    """Seed of the random mask."""

    equations: ClassVar[dict[str, str]] = {"any": "Z = A * mask"}

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        return inputs[0]

    def mask(self, shape: Shape, position: int, step: int = 0) -> Array:
        """M for a layer that stands at a position: NumPy's PCG64 draws a number from [0, 1) for each element."""
        drawn = np.random.Generator(np.random.PCG64([self.seed, position, *([step] if step else [])])).random(shape)
        return (drawn >= self.drop_probability) / (1 - self.drop_probability)

    def derivation(self, layout: Layout) -> Derivation:
        because = "The mask is a constant factor: a number that was dropped has the gradient 0."
        return Derivation(
            [
                Equation(
                    "Z",
                    r"<X> \circ <mask>",
                    "<X> * <mask>",
                    "The mask is 0 where a number is dropped and $1/(1 - p)$ elsewhere.",
                )
            ],
            [Equation("dX", r"<dZ> \circ <mask>", "<dZ> * <mask>", because)],
        )

    def forward(self, context: LayerContext) -> Ops:
        (X,), Z = context.inputs, context.new_result()
        mask = context.saved["mask"] = np.empty_like(Z)
        mask[...] = self.mask(context.shape, context.position)
        context.reported["mask"] = context.as_sent(mask)
        return [partial(np.multiply, X, mask, Z)]

    def at_evaluation(self) -> Self:
        return replace(self, drop_probability=0.0)

    def renew(self, context: LayerContext, step: int) -> None:
        context.saved["mask"][...] = self.mask(context.shape, context.position, step)

    def backward(self, context: LayerContext) -> Ops:
        (dX,) = context.d_inputs
        return [] if dX is None else [partial(np.multiply, context.d_result, context.saved["mask"], dX)]
