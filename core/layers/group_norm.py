"""group_norm: every example standardised over groups of its channels."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Array, Op, Shape
from core.equations.equation import Derivation
from core.equations.group_norm import group_norm_derivation
from core.equations.layout import Layout
from core.layer_context import LayerContext
from core.layers.base import Layer, Ops, misfit
from core.layers.shared.along import Along
from core.layers.shared.normalisation import reduced_memory, spread, standardise, through_standardise
from core.parameters import Parameter
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupNorm(Layer):
    """Group normalisation: the channels of each example are standardised in groups, then scaled by γ and shifted by β.

    For the m numbers of one group of one example, with mean μ and variance σ² = (1/m) Σ (x − μ)²:

        Forward    X̂  = (X − μ) / √(σ² + ε)
                   Z  = γ ∘ X̂ + β
        Backward   dβ = Σ dZ                      over all axes but that of the channels
                   dγ = Σ dZ ∘ X̂
                   dX̂ = γ ∘ dZ
                   dX = (dX̂ − mean(dX̂) − X̂ ∘ mean(dX̂ ∘ X̂)) / √(σ² + ε)

    X is n x channels x …, and Z has the same shape; γ and β have a number for each channel. As many groups as channels make
    instance normalisation, one group standardises each example as a whole.

    Source: Wu & He, Group Normalization (2018), §3; Ulyanov, Vedaldi & Lempitsky, Instance Normalization (2016);
    torch.nn.GroupNorm with weight γ and bias β.
    """

    kind: Literal["group_norm"] = "group_norm"

    groups: int = field(metadata=constraints(ge=1, examples=[2]))
    """Number of groups into which the channels are divided, in their order. It divides the number of channels."""

    epsilon: float = field(default=1e-5, metadata=constraints(ge=0))
    """ε, added to the variance. 0 is allowed if the numbers of every group vary."""

    equations: ClassVar[dict[str, str]] = {"any": "Z = gamma * (A - mean) / sqrt(variance + epsilon) + beta"}

    def grouped(self, shape: Shape) -> Shape:
        """Return the shape n x groups x numbers in which statistics are those of the last axis."""
        return (shape[0], self.groups, math.prod(shape[1:]) // self.groups)

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        (x,) = inputs
        if len(x) < 2:
            misfit(f"group_norm runs over the channels of each example; it reads a tensor of shape {list(x)}.")
        if x[1] % self.groups:
            misfit(
                f"group_norm divides the channels into equal groups; {x[1]} channels are no multiple of {self.groups}.",
                "groups",
                expected=[number for number in range(1, min(x[1], 1000) + 1) if x[1] % number == 0][:20],
                got=self.groups,
            )
        return x

    def parameters(self, *inputs: Shape) -> dict[str, Parameter]:
        shape = inputs[0][1:2]
        return {"gamma": Parameter(shape=shape, initial="ones"), "beta": Parameter(shape=shape)}

    def working_size(self, *inputs: Shape) -> int:
        return 2 * math.prod(inputs[0])

    def derivation(self, layout: Layout) -> Derivation:
        return group_norm_derivation(layout, self.grouped(layout.core_shape(layout.inputs[0])), self.epsilon)

    def forward(self, context: LayerContext) -> Ops:
        (X,), Z, place = context.inputs, context.new_result(), Along(context.shape, (1,))
        gamma, beta = place.spread(context.parameters["gamma"]), place.spread(context.parameters["beta"])
        shape = self.grouped(X.shape)
        values = context.saved["standardised"] = np.empty(shape, Z.dtype)
        deviation = context.saved["deviation"] = reduced_memory(values, -1)

        def op() -> None:
            grouped = X.reshape(shape)
            if self.epsilon == 0:
                self._refuse_equal(grouped, context)
            standardise(grouped, -1, self.epsilon, values, deviation)
            np.multiply(values.reshape(X.shape), gamma, Z)
            np.add(Z, beta, Z)

        return [op]

    def _refuse_equal(self, grouped: Array, context: LayerContext) -> None:
        """Refuse a group whose numbers are all the same: X̂ would be 0/0."""
        equal = np.argwhere(spread(grouped, -1)[..., 0] == 0)
        if len(equal):
            example, group = equal[0].tolist()
            raise context.refusal(
                "non-finite",
                f"the numbers of group {group} of example {example} are all the same: σ² and ε are 0, and X̂ would be 0/0.",
                hint="Send an epsilon above 0.",
            )

    def backward(self, context: LayerContext) -> Ops:
        (dX,), dZ, place = context.d_inputs, context.d_result, Along(context.shape, (1,))
        values, deviation = context.saved["standardised"], context.saved["deviation"]
        gamma = place.spread(context.parameters["gamma"])
        d_gamma, d_beta = context.gradients["gamma"], context.gradients["beta"]
        ops: list[Op] = [
            lambda: np.copyto(d_beta, place.sums(dZ)),
            lambda: np.copyto(d_gamma, place.sums(dZ * values.reshape(dZ.shape))),
        ]
        if dX is None:
            return ops
        found, into = np.empty_like(values), dX

        def op() -> None:
            through_standardise((dZ * gamma).reshape(values.shape), values, deviation, -1, found)
            np.copyto(into, found.reshape(into.shape))

        return [*ops, op]

    def example_gradients(self, context: LayerContext) -> dict[str, Array]:
        dZ, place = context.d_result, Along(context.shape, (1,))
        by_gamma = dZ * context.saved["standardised"].reshape(dZ.shape)
        return {"gamma": place.sums_by_example(by_gamma), "beta": place.sums_by_example(dZ)}
