"""matrix_power: a symmetric matrix to any real power."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Array
from core.layer_context import LayerContext
from core.layers.shared.matrix_function import MatrixFunction, refuse_unless_above_rounding
from core.linalg.functions import Power, SpectralFunction, WholePower
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixPower(MatrixFunction):
    """Power p of a symmetric matrix: the square root for p = 0.5, the inverse for p = −1, whitening for p = −0.5.

        Forward    X  = U Λ Uᵀ                          X (…, d, d) symmetric
                   Z  = U Λ^p Uᵀ                        Z (…, d, d)
        Backward   dX = U (F ∘ (Uᵀ sym(dZ) U)) Uᵀ       F_ij = (λ_i^p − λ_j^p)/(λ_i − λ_j), p λ_i^(p−1) if λ_i = λ_j

    Here sym(A) = (A + Aᵀ)/2. F is computed without cancellation, so the gradient is accurate at equal and nearly equal
    eigenvalues too. It is the gradient within the symmetric matrices: dX is symmetric, and X is read as (X + Xᵀ)/2.

    An integer p ≥ 0 accepts any symmetric matrix, a negative integer an invertible one, any other p a positive definite one.
    The layer reads one matrix per example, n x d x d (or stacks of matrices). A tensor of rank 2 is a single matrix, as sent.

    Source: Ionescu, Vantzos & Sminchisescu (2015), §5.1; Higham, Functions of Matrices (2008), §3.2, for F.
    """

    kind: Literal["matrix_power"] = "matrix_power"

    exponent: float = field(metadata=constraints(ge=-100, le=100, examples=[0.5]))
    """Exponent p, from −100 to 100."""

    equations: ClassVar[dict[str, str]] = {"any": "Z = A^p = U L^p U', A = U L U'"}

    @property
    def _whole(self) -> bool:
        return float(self.exponent).is_integer()

    def function(self) -> SpectralFunction:
        return WholePower(int(self.exponent)) if self._whole else Power(self.exponent)

    def formulas(self) -> tuple[str, str, str]:
        p = self.exponent
        return f"({{0}} ** {p!r})", f"{p!r} * {{0}} ** {p - 1!r}", rf"\Lambda^{{{p:g}}}"

    def refuse_values(self, context: LayerContext, values: Array) -> None:
        hint = "Add a multiple of the identity before it."
        if not self._whole:
            why = f"the power {self.exponent:g} takes a positive definite matrix"
            refuse_unless_above_rounding(context, values, why, hint)
        elif self.exponent < 0:
            why = f"the power {self.exponent:g} takes an invertible matrix"
            refuse_unless_above_rounding(context, np.abs(values.real), why, hint)
