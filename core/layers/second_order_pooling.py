"""second_order_pooling: the logarithm of the features' second moments."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Array, Shape
from core.convention import orient_shape
from core.equations import spectral as written_out
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.layer_context import LayerContext
from core.layers.base import Layer, Ops
from core.layers.shared.matrices import (
    AROUND,
    refuse_non_finite,
    refuse_unless_converging,
    refuse_unless_matrices,
    single_matrix,
    transposed,
)
from core.layers.shared.matrix_function import ONE_VALUE, function_of, refuse_unless_above_rounding
from core.linalg.eigen import gram_eigen, gram_step
from core.linalg.functions import Logarithm
from core.operations import CALL, count, multiplication, singular_values
from core.spec import constraints


def rounding_of_squares(F: Array) -> float:
    """The rounding of σ² for the smallest σ, in units of eps times the largest: that of σ, squared."""
    eps = float(np.finfo(F.dtype).eps)
    return float((16 * max(F.shape[-2:])) ** 2 * eps)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondOrderPooling(Layer):
    """Second-order pooling: the matrix logarithm of the features' second moments over all positions.

        Forward    A  = FᵀF + εI = V Λ Vᵀ               F (…, m, d): d features at each of m positions
                   C  = log A = V log(Λ) Vᵀ             C (…, d, d)
        Backward   dA = V (K ∘ (Vᵀ sym(dC) V)) Vᵀ       K_ij = (log λ_i − log λ_j)/(λ_i − λ_j), 1/λ_i if λ_i = λ_j
                   dF = 2 F dA                          (…, m, d)

    Here sym(A) = (A + Aᵀ)/2. K is computed without cancellation, so the gradient is accurate also for m < d, where the
    eigenvalue ε is repeated. The layer reads one matrix per example, n x positions x features (or stacks of matrices); put
    reshape and transpose layers between images and this layer. A tensor of rank 2 is a single matrix, as sent.

    Source: Ionescu, Vantzos & Sminchisescu (2015), §5.1 (O2P layer); Daleckii & Krein (1965), for K.
    """

    kind: Literal["second_order_pooling"] = "second_order_pooling"

    epsilon: float = field(default=1e-3, metadata=constraints(ge=0))
    """ε, added to every eigenvalue. 0 is allowed if FᵀF is invertible."""

    operations_formula: ClassVar[str] = "that of an svd of each example, and 2 d² (positions + d)"
    equations: ClassVar[dict[str, str]] = {"any": "C = log(F'F + epsilon I)"}

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        *stack, _, features = refuse_unless_matrices(self.kind, inputs[0], column)
        refuse_unless_matrices(self.kind, (*stack, features, features), column=False)
        return orient_shape((*stack, features, features), column)

    def couples_examples(self, *inputs: Shape, column: bool) -> bool:
        return len(inputs[0]) == 2

    def working_size(self, *inputs: Shape) -> int:
        *stack, _, features = inputs[0]
        return int(np.prod(stack)) * features * (features + inputs[0][-2])

    def derivation(self, layout: Layout) -> Derivation:
        moments = f"<X>{written_out.T} @ <X> + {self.epsilon!r} * np.eye(<X>.shape[-1])"
        log = f"(<vectors> * np.log(<values>)[..., None, :]) @ <vectors>{written_out.T}"
        return Derivation(
            [
                Equation(
                    "M",
                    rf"<X>^\top <X> + {self.epsilon:g} I",
                    moments,
                    "The products of every two features, summed over the positions: a positive definite matrix.",
                ),
                *written_out.eigen("<M>"),
                Equation(
                    "Z",
                    r"<vectors> \log(\Lambda) <vectors>^\top",
                    log,
                    "The logarithm of a symmetric matrix is taken of its eigenvalues; the eigenvectors stay.",
                ),
            ],
            [
                written_out.divided_differences("np.log({0})", "1 / {0}"),
                written_out.through_function("dM", "<dZ>", "<dZ>"),
                Equation(
                    "dX",
                    "2 <X> <dM>",
                    "2 * <X> @ <dM>",
                    r"$d(X^\top X) = dX^\top X + X^\top dX$, so the gradient is $2 X$ times the symmetric part.",
                ),
            ],
        )

    def operations(self, *inputs: Shape, result: Shape, column: bool) -> float:
        *stack, positions, features = orient_shape(inputs[0], column)
        matrices = count(tuple(stack))
        products = multiplication(features, features, features + positions, matrices)
        return AROUND * CALL + singular_values(positions, features, matrices) + products

    def backward_operations(self, *inputs: Shape, result: Shape, column: bool) -> float:
        *stack, positions, features = orient_shape(inputs[0], column)
        return AROUND * CALL + 3 * multiplication(features, features, features + positions, count(tuple(stack)))

    def forward(self, context: LayerContext) -> Ops:
        F, C = context.as_sent(context.inputs[0]), context.as_sent(context.new_result())
        context.warnings = single_matrix(context)

        def op() -> None:
            refuse_non_finite(context, F)
            with refuse_unless_converging(context):
                at, projected = gram_eigen(F.real, self.epsilon)
                moved = at
                if np.iscomplexobj(F):
                    moved, projected = gram_eigen(F, self.epsilon, ONE_VALUE)
            why, rounding = "FᵀF + εI has to be positive definite", rounding_of_squares(F)
            refuse_unless_above_rounding(context, at.values, why, "Send a larger epsilon.", rounding)
            context.saved.update(values=moved.values, vectors=moved.vectors, projected=projected)
            np.copyto(C, function_of(at, Logarithm(), gram_step(F)))

        return [op]

    def backward(self, context: LayerContext) -> Ops:
        (dF,), dC = context.d_inputs, context.as_sent(context.d_result)
        if dF is None:
            return []
        into = context.as_sent(dF)

        def op() -> None:
            V, FV = context.saved["vectors"], context.saved["projected"]
            K = Logarithm().divided_differences(context.saved["values"])
            G = transposed(V) @ (dC + transposed(dC)) @ V
            np.matmul(FV, (K * G) @ transposed(V), out=into)

        return [op]
