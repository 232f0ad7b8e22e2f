"""matrix_log: the logarithm of a symmetric positive definite matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from core.arrays import Array
from core.layer_context import LayerContext
from core.layers.shared.matrix_function import MatrixFunction, refuse_unless_above_rounding
from core.linalg.functions import Logarithm, SpectralFunction


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixLog(MatrixFunction):
    """Logarithm of a symmetric positive definite matrix: the symmetric Z with exp(Z) = X.

        Forward    X  = U Λ Uᵀ                          X (…, d, d) symmetric, Λ > 0
                   Z  = U log(Λ) Uᵀ                     Z (…, d, d)
        Backward   dX = U (F ∘ (Uᵀ sym(dZ) U)) Uᵀ       F_ij = (log λ_i − log λ_j)/(λ_i − λ_j), 1/λ_i if λ_i = λ_j

    Here sym(A) = (A + Aᵀ)/2. F is computed without cancellation, so the gradient is accurate at equal and nearly equal
    eigenvalues too. It is the gradient within the symmetric matrices: dX is symmetric, and X is read as (X + Xᵀ)/2.

    The layer reads one matrix per example, n x d x d (or stacks of matrices). A tensor of rank 2 is a single matrix, as sent.
    A matrix is refused if it is not symmetric or if its smallest eigenvalue does not exceed the rounding of the largest.

    Source: Ionescu, Vantzos & Sminchisescu (2015), §5.1; Daleckii & Krein (1965), for F.
    """

    kind: Literal["matrix_log"] = "matrix_log"
    equations: ClassVar[dict[str, str]] = {"any": "Z = log(A) = U log(L) U', A = U L U'"}

    def function(self) -> SpectralFunction:
        return Logarithm()

    def formulas(self) -> tuple[str, str, str]:
        return "np.log({0})", "1 / {0}", r"\log(\Lambda)"

    def refuse_values(self, context: LayerContext, values: Array) -> None:
        why = "a logarithm takes a positive definite matrix"
        refuse_unless_above_rounding(
            context, values, why, "Add a multiple of the identity, as second_order_pooling does."
        )
