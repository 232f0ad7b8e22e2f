"""eigh: the eigenvalues or eigenvectors of a symmetric matrix."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Array, Shape
from core.equations import spectral as written_out
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.layer_context import LayerContext
from core.layers.base import Layer, Ops
from core.layers.shared.matrices import (
    AROUND,
    describe_matrix,
    refuse_unless_converging,
    refuse_unless_square,
    single_matrix,
    symmetric,
    transposed,
)
from core.linalg.clusters import distinct, inverse_differences
from core.linalg.eigen import eigen
from core.linalg.gap import depends_on_choice, differ_in_cluster, first_of, reaches_across, small_gap, smallest_gap
from core.operations import CALL, count, eigenvalues, multiplication
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class Eigh(Layer):
    """Eigenvalues or eigenvectors of a symmetric matrix X = U Λ Uᵀ.

        Forward    values    Z = λ (…, d), ascending       X (…, d, d) symmetric
                   vectors   Z = U (…, d, d), an eigenvector in each column, in the order of λ
        Backward   values    dX = U diag(dλ) Uᵀ
                   vectors   dX = U sym(K ∘ (Uᵀ dU)) Uᵀ     K_ij = 1/(λ_j − λ_i), 0 on the diagonal

    Here sym(A) = (A + Aᵀ)/2; dX is the gradient within the symmetric matrices, and X is read as (X + Xᵀ)/2. Two layers that
    read the same X, one for each part, compute both factors, as Ionescu et al.'s layer does.

    The sign of each eigenvector is chosen so that its first component of largest magnitude is positive; components within
    a thousandth of the largest count as equal to it. If two eigenvalues are close, their eigenvectors are ill-conditioned
    and the response warns (`small-gap`) with the size of the gap. If eigenvalues are equal in working precision, a gradient
    exists only if it does not depend on the choice of a basis: dλ_i = dλ_j for the values, (Uᵀ dU)_ij = (Uᵀ dU)_ji for the
    vectors. In that case the gradient is exact; otherwise the request is refused.

    The layer reads one matrix per example, n x d x d (or stacks of matrices). A tensor of rank 2 is a single matrix, as sent.

    Source: Ionescu, Vantzos & Sminchisescu, Matrix Backpropagation for Deep Networks with Structured Layers (2015), §4.
    """

    kind: Literal["eigh"] = "eigh"

    part: Literal["values", "vectors"] = field(default="values", metadata=constraints(strict=False))
    """Factor that is the layer's result: the eigenvalues or the eigenvectors."""

    operations_formula: ClassVar[str] = (
        "4 n³ for each matrix, 3,000 for each of its elements, and the products of its vectors"
    )
    equations: ClassVar[dict[str, str]] = {"any": "A = U diag(l) U'"}

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        seen = refuse_unless_square(self.kind, inputs[0], column)
        return seen[:-1] if self.part == "values" else inputs[0]

    def couples_examples(self, *inputs: Shape, column: bool) -> bool:
        return len(inputs[0]) == 2

    def working_size(self, *inputs: Shape) -> int:
        return int(np.prod(inputs[0]))

    def derivation(self, layout: Layout) -> Derivation:
        T = written_out.T
        forward = written_out.eigen(f"(<X> + <X>{T}) / 2", signs=True)
        if self.part == "values":
            Z = Equation(
                "Z",
                "<values>",
                layout.sent("<values> + 0", layout.result),
                "The eigenvalues are the result of the layer.",
            )
            d_values = f"<vectors> * {layout.core('<dZ>', layout.result)}[..., None, :]"
            latex = r"<vectors> \operatorname{diag}(<dZ>) <vectors>^\top"
            dX = Equation(
                "dX",
                latex,
                f"({d_values}) @ <vectors>{T}",
                r"$d\lambda_i = u_i^\top \, dX \, u_i$. " + written_out.WHY_ADJOINT,
            )
            return Derivation([*forward, Z], [dX])
        turn = f"(<vectors>{T} @ <dZ> - <dZ>{T} @ <vectors>) / 2"
        return Derivation(
            [*forward, Equation("Z", "<vectors>", "<vectors> + 0", "The eigenvectors are the result of the layer.")],
            [
                Equation(
                    "K",
                    r"\bigl[1 / (\lambda_j - \lambda_i)\bigr]",
                    written_out.inverse_differences("<values>"),
                    (
                        "An eigenvector turns towards the others, faster the nearer their eigenvalues are; the "
                        "diagonal is 0."
                    ),
                ),
                Equation(
                    "turn",
                    r"\tfrac{1}{2} (<vectors>^\top <dZ> - <dZ>^\top <vectors>)",
                    turn,
                    r"$U^\top dU$ is antisymmetric, because the eigenvectors stay orthonormal.",
                    "N",
                ),
                Equation(
                    "dX",
                    r"<vectors> (<K> \circ <turn>) <vectors>^\top",
                    f"<vectors> @ (<K> * <turn>) @ <vectors>{T}",
                    written_out.WHY_ADJOINT,
                ),
            ],
        )

    def operations(self, *inputs: Shape, result: Shape, column: bool) -> float:
        *stack, rows, _ = inputs[0]
        matrices = count(tuple(stack))
        return AROUND * CALL + eigenvalues(rows, matrices) + 2 * multiplication(rows, rows, rows, matrices)

    def backward_operations(self, *inputs: Shape, result: Shape, column: bool) -> float:
        *stack, rows, _ = inputs[0]
        return AROUND * CALL + 4 * multiplication(rows, rows, rows, count(tuple(stack)))

    def forward(self, context: LayerContext) -> Ops:
        result = context.new_result()
        Z, once = context.as_sent(result) if self.part == "vectors" else result, single_matrix(context)
        context.warnings = once

        def op() -> None:
            X = symmetric(context)
            with refuse_unless_converging(context):
                at = eigen(X)
            context.saved.update(values=at.values, vectors=at.vectors, cluster=at.cluster)
            np.copyto(Z, at.values if self.part == "values" else at.vectors)
            if self.part == "vectors":
                gap = smallest_gap(at.values, X.shape[-1])
                context.warnings = once + small_gap(gap, lambda index: describe_matrix(context, index), "eigenvalue")

        return [op]

    def backward(self, context: LayerContext) -> Ops:
        (dX,), dZ = context.d_inputs, context.d_result
        if dX is None:
            return []
        into, d_vectors = context.as_sent(dX), context.as_sent(dZ)

        def through_values() -> None:
            U = context.saved["vectors"]
            _refuse(context, differ_in_cluster(context.saved["cluster"], dZ))
            np.matmul(U * dZ[..., np.newaxis, :], transposed(U), out=into)

        def through_vectors() -> None:
            values, U, cluster = (context.saved[name] for name in ("values", "vectors", "cluster"))
            apart = distinct(cluster)
            N = transposed(U) @ d_vectors
            turn = (N - transposed(N)) / 2
            _refuse(context, reaches_across(apart, turn, d_vectors))
            np.matmul(U @ (inverse_differences(values, apart) * turn), transposed(U), out=into)

        return [through_values if self.part == "values" else through_vectors]


def _refuse(context: LayerContext, dependent: Array) -> None:
    """Refuse a gradient that depends on the basis of a cluster, in any matrix."""
    if dependent.any():
        raise depends_on_choice(context, describe_matrix(context, first_of(dependent)), "eigenvalues")
