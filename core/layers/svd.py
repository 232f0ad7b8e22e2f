"""svd: the singular values or singular vectors of a matrix."""

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
    describe_matrix,
    refuse_non_finite,
    refuse_unless_converging,
    refuse_unless_matrices,
    single_matrix,
    transposed,
)
from core.linalg.clusters import distinct
from core.linalg.gap import (
    depends_on_choice,
    differ_in_cluster,
    first_of,
    reaches_across,
    reaches_outside,
    small_gap,
    smallest_gap,
)
from core.linalg.singular import Singular, singular
from core.operations import CALL, count, multiplication, singular_values
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class Svd(Layer):
    """Singular values or singular vectors of a matrix X = U Σ Vᵀ of any shape m x n, with p = min(m, n).

        Forward    values    Z = σ (…, p), descending         X (…, m, n)
                   left      Z = U (…, m, p)                  a singular vector in each column, in the order of σ
                   right     Z = V (…, n, p)                  V, not Vᵀ
        Backward   values    dX = U diag(dσ) Vᵀ
                   left      dX = U (F ∘ (UᵀdU − dUᵀU)) Σ Vᵀ + (I − U Uᵀ) dU Σ⁻¹ Vᵀ
                   right     dX = U Σ (F ∘ (VᵀdV − dVᵀV)) Vᵀ + U Σ⁻¹ dVᵀ (I − V Vᵀ)

    Here F_ij = 1/(σ_j² − σ_i²), 0 on the diagonal. Layers that read the same X, one for each part, compute all factors.

    The sign of each pair (u, v) is chosen so that the first component of u of largest magnitude is positive; components
    within a thousandth of the largest count as equal to it. If two singular values are close, or the last one is close to 0
    and the vectors do not span their space, the vectors are ill-conditioned and the response warns (`small-gap`) with the
    size of the gap. If values are equal in working precision, a gradient exists only if it does not depend on the choice of
    a basis: dσ_i = dσ_j for the values, symmetric UᵀdU or VᵀdV between them for the vectors; at σ_i = 0, where |σ| has its
    kink, only if dσ_i = 0. In that case the gradient is exact; otherwise the request is refused.

    The layer reads one matrix per example, n x rows x columns (or stacks of matrices). A tensor of rank 2 is a single
    matrix, as sent.

    Source: Ionescu, Vantzos & Sminchisescu, Matrix Backpropagation for Deep Networks with Structured Layers (2015), §4;
    Townsend, Differentiating the Singular Value Decomposition (2016), for m > n and m < n.
    """

    kind: Literal["svd"] = "svd"

    part: Literal["values", "left", "right"] = field(default="values", metadata=constraints(strict=False))
    """Factor that is the layer's result: the singular values, the left or the right singular vectors."""

    operations_formula: ClassVar[str] = "6 m n² + 4 n³ for each matrix with m >= n, and 3,000 for each of its elements"
    equations: ClassVar[dict[str, str]] = {"any": "A = U diag(s) V'"}

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        *stack, rows, columns = refuse_unless_matrices(self.kind, inputs[0], column)
        count = min(rows, columns)
        if self.part == "values":
            return (*stack, count)
        return orient_shape((*stack, rows if self.part == "left" else columns, count), column)

    def couples_examples(self, *inputs: Shape, column: bool) -> bool:
        return len(inputs[0]) == 2

    def working_size(self, *inputs: Shape) -> int:
        *stack, rows, columns = inputs[0]
        return int(np.prod(stack)) * (rows + columns) * min(rows, columns)

    def derivation(self, layout: Layout) -> Derivation:
        T = written_out.T
        sign = written_out.sign_of("<left_free>")
        forward = [
            Equation(
                "left_free",
                r"\text{left vectors of } <X>",
                "np.linalg.svd(<X>, full_matrices=False)[0]",
                r"$X = U \Sigma V^\top$; each pair of left and right vectors is unique up to its sign.",
                "U'",
            ),
            Equation(
                "values",
                r"\text{singular values of } <X>",
                "np.linalg.svd(<X>, full_matrices=False)[1]",
                "In descending order.",
                r"\sigma",
            ),
            Equation(
                "left", r"<left_free> \operatorname{diag}(\pm 1)", f"<left_free> * ({sign})", written_out.WHY_SIGN, "U"
            ),
            Equation(
                "right",
                r"<X>^\top <left> \Sigma^{-1}",
                f"np.linalg.svd(<X>, full_matrices=False)[2]{T} * ({sign})",
                "The right singular vectors, with the same signs as the left ones.",
                "V",
            ),
        ]
        if self.part == "values":
            d_values = f"<left> * {layout.core('<dZ>', layout.result)}[..., None, :]"
            return Derivation(
                [
                    *forward,
                    Equation(
                        "Z",
                        "<values>",
                        layout.sent("<values> + 0", layout.result),
                        "The singular values are the result of the layer.",
                    ),
                ],
                [
                    Equation(
                        "dX",
                        r"<left> \operatorname{diag}(<dZ>) <right>^\top",
                        f"({d_values}) @ <right>{T}",
                        r"$d\sigma_i = u_i^\top \, dX \, v_i$. " + written_out.WHY_ADJOINT,
                    )
                ],
            )
        mine, other = ("<left>", "<right>") if self.part == "left" else ("<right>", "<left>")
        squares = written_out.inverse_differences("<values>**2")
        dX = f"({mine} @ (<F> * <turn>) * <values>[..., None, :] + <outside> / <values>[..., None, :]) @ {other}{T}"
        latex = rf"({mine} (<F> \circ <turn>) \Sigma + <outside> \Sigma^{{-1}}) {other}^\top"
        if self.part == "right":
            dX, latex = f"({dX}){T}", rf"\bigl({latex}\bigr)^\top"
        return Derivation(
            [*forward, Equation("Z", mine, f"{mine} + 0", "The vectors of this side are the result of the layer.")],
            [
                Equation(
                    "F",
                    r"\bigl[1 / (\sigma_j^2 - \sigma_i^2)\bigr]",
                    squares,
                    "Singular vectors turn towards each other, faster the nearer their values are; the diagonal is 0.",
                ),
                Equation(
                    "turn",
                    rf"{mine}^\top <dZ> - <dZ>^\top {mine}",
                    f"{mine}{T} @ <dZ> - <dZ>{T} @ {mine}",
                    "Only the antisymmetric part turns the vectors towards each other.",
                    "N",
                ),
                Equation(
                    "outside",
                    rf"(I - {mine} {mine}^\top) <dZ>",
                    f"<dZ> - {mine} @ ({mine}{T} @ <dZ>)",
                    "The component of the gradient orthogonal to the space that the vectors span.",
                    "P",
                ),
                Equation("dX", latex, dX, written_out.WHY_ADJOINT),
            ],
        )

    def operations(self, *inputs: Shape, result: Shape, column: bool) -> float:
        *stack, rows, columns = orient_shape(inputs[0], column)
        return AROUND * CALL + singular_values(rows, columns, count(tuple(stack)))

    def backward_operations(self, *inputs: Shape, result: Shape, column: bool) -> float:
        *stack, rows, columns = orient_shape(inputs[0], column)
        small = min(rows, columns)
        return AROUND * CALL + 4 * multiplication(max(rows, columns), small, small, count(tuple(stack)))

    def forward(self, context: LayerContext) -> Ops:
        X, result = context.as_sent(context.inputs[0]), context.new_result()
        Z, once = result if self.part == "values" else context.as_sent(result), single_matrix(context)
        rows, columns = X.shape[-2:]
        outside = rows > columns if self.part == "left" else columns >= rows
        context.warnings = once

        def op() -> None:
            refuse_non_finite(context, X)
            with refuse_unless_converging(context):
                at = singular(X)
            context.saved.update(left=at.left, values=at.values, right=at.right, cluster=at.cluster, zero=at.zero)
            np.copyto(Z, at.values if self.part == "values" else at.left if self.part == "left" else at.right)
            if self.part != "values":
                gap = smallest_gap(at.values, max(rows, columns), to_zero=outside)
                context.warnings = once + small_gap(
                    gap, lambda index: describe_matrix(context, index), "singular value"
                )

        return [op]

    def backward(self, context: LayerContext) -> Ops:
        (dX,), dZ = context.d_inputs, context.d_result
        if dX is None:
            return []
        into, d_vectors = context.as_sent(dX), context.as_sent(dZ)

        def op() -> None:
            at = Singular(*(context.saved[name] for name in ("left", "values", "right", "cluster", "zero")))
            if self.part == "values":
                _refuse(context, differ_in_cluster(at.cluster, dZ) | (at.zero & (dZ.real != 0)).any(axis=-1))
                np.matmul(at.left * dZ[..., np.newaxis, :], transposed(at.right), out=into)
            elif self.part == "left":
                np.copyto(into, _through(context, at, at.left, at.right, d_vectors))
            else:
                np.copyto(into, transposed(_through(context, at, at.right, at.left, d_vectors)))

        return [op]


def _through(context: LayerContext, at: Singular, U: Array, V: Array, dU: Array) -> Array:
    """dX of X = U Σ Vᵀ, given dU. For dV it is the same of Xᵀ = V Σ Uᵀ.

    (F ∘ A) Σ with A = UᵀdU − dUᵀU is ½ (1/(σ_j − σ_i) + 1/(σ_j + σ_i)) ∘ A, in which nothing is squared.
    """
    N = transposed(U) @ dU
    turn = (N - transposed(N)) / 2
    dependent, moved = reaches_across(distinct(at.cluster), turn, dU), at.inverse_differences + at.inverse_sums
    inside = U @ (moved * turn)
    if U.shape[-2] == U.shape[-1]:  # The vectors span the whole space.
        _refuse(context, dependent)
        return np.asarray(inside @ transposed(V))
    outside = dU - U @ N
    _refuse(context, dependent | reaches_outside(at.zero, outside, dU))
    return np.asarray((inside + outside * at.inverses[..., np.newaxis, :]) @ transposed(V))


def _refuse(context: LayerContext, dependent: Array) -> None:
    """Refuse a gradient that depends on the basis of a cluster, in any matrix."""
    if dependent.any():
        raise depends_on_choice(context, describe_matrix(context, first_of(dependent)), "singular values")
