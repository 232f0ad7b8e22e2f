"""Functions of a symmetric matrix: f(X) = U f(Λ) Uᵀ and its gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from core.arrays import Array, Shape, real
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
from core.linalg.eigen import Eigen, eigen
from core.linalg.functions import SpectralFunction
from core.operations import CALL, count, eigenvalues, multiplication

ONE_VALUE = 1e-8
"""Eigenvalues closer than this share of the largest count as equal when a complex step rotates their vectors. The derivative
of f(X) does not need the vectors' derivatives; that of its gradient does, and has about this relative error."""


def function_of(at: Eigen, function: SpectralFunction, step: Array | None) -> Array:
    """Return f(X), given Re X decomposed. A complex step i B passes through divided differences, not the vectors."""
    U = at.vectors
    Z = (U * function.value(at.values)[..., np.newaxis, :]) @ transposed(U)
    if step is None:
        return np.asarray(Z)
    F = function.divided_differences(at.values)
    return np.asarray(Z + 1j * (U @ (F * (transposed(U) @ step @ U)) @ transposed(U)))


def through_function(at: Eigen, function: SpectralFunction, dZ: Array) -> Array:
    """Return dX = U (F ∘ (Uᵀ sym(dZ) U)) Uᵀ with F_ij = f[λ_i, λ_j]."""
    U = at.vectors
    G = transposed(U) @ ((dZ + transposed(dZ)) / 2) @ U
    return np.asarray(U @ (function.divided_differences(at.values) * G) @ transposed(U))


def refuse_unless_above_rounding(
    context: LayerContext, values: Array, what: str, hint: str, rounding: float = 1.0
) -> None:
    """Refuse eigenvalues that do not exceed `rounding` times eps times the largest by magnitude.

    Raises:
        Refusal: `non-finite`, with the matrix and the value.
    """
    spectra = real(values)
    least, largest = spectra.min(axis=-1), np.abs(spectra).max(axis=-1)
    wrong = least <= rounding * np.finfo(spectra.dtype).eps * largest
    if not wrong.any():
        return
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    raise context.refusal(
        "non-finite",
        f"{describe_matrix(context, index)} has an eigenvalue of {least[index]:.6g}, beside a largest of "
        f"{largest[index]:.6g} by magnitude; {what}.",
        got=float(least[index]),
        hint=hint,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixFunction(Layer):
    """Base of the layers that apply a function to the eigenvalues of a symmetric matrix."""

    operations_formula: ClassVar[str] = (
        "4 n³ for each matrix, 3,000 for each of its elements, and the products of its vectors"
    )

    def function(self) -> SpectralFunction:
        """Return f."""
        raise NotImplementedError

    def refuse_values(self, context: LayerContext, values: Array) -> None:
        """Refuse eigenvalues at which f or its gradient does not exist."""
        raise NotImplementedError

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        refuse_unless_square(self.kind, inputs[0], column)
        return inputs[0]

    def couples_examples(self, *inputs: Shape, column: bool) -> bool:
        return len(inputs[0]) == 2

    def working_size(self, *inputs: Shape) -> int:
        return int(np.prod(inputs[0]))

    def formulas(self) -> tuple[str, str, str]:
        """Return f and f' as NumPy expressions in {0}, and f in LaTeX."""
        raise NotImplementedError

    def derivation(self, layout: Layout) -> Derivation:
        f, slope, latex = self.formulas()
        value = f"(<vectors> * {f.format('<values>')}[..., None, :]) @ <vectors>{written_out.T}"
        return Derivation(
            [
                *written_out.eigen(f"(<X> + <X>{written_out.T}) / 2"),
                Equation(
                    "Z",
                    rf"<vectors> {latex} <vectors>^\top",
                    value,
                    "A function of a symmetric matrix is taken of its eigenvalues; the eigenvectors stay.",
                ),
            ],
            [written_out.divided_differences(f, slope), written_out.through_function("dX", "<dZ>", "<dZ>")],
        )

    def operations(self, *inputs: Shape, result: Shape, column: bool) -> float:
        *stack, rows, _ = inputs[0]
        matrices = count(tuple(stack))
        return AROUND * CALL + eigenvalues(rows, matrices) + 2 * multiplication(rows, rows, rows, matrices)

    def backward_operations(self, *inputs: Shape, result: Shape, column: bool) -> float:
        *stack, rows, _ = inputs[0]
        return AROUND * CALL + 4 * multiplication(rows, rows, rows, count(tuple(stack)))

    def forward(self, context: LayerContext) -> Ops:
        Z, function = context.as_sent(context.new_result()), self.function()
        context.warnings = single_matrix(context)

        def op() -> None:
            X = symmetric(context)
            with refuse_unless_converging(context):
                at = eigen(X.real)
                moved = eigen(X, ONE_VALUE) if np.iscomplexobj(X) else at
            self.refuse_values(context, at.values)
            context.saved.update(values=moved.values, vectors=moved.vectors, cluster=moved.cluster)
            np.copyto(Z, function_of(at, function, X.imag if np.iscomplexobj(X) else None))

        return [op]

    def backward(self, context: LayerContext) -> Ops:
        (dX,), dZ, function = context.d_inputs, context.as_sent(context.d_result), self.function()
        if dX is None:
            return []
        into = context.as_sent(dX)

        def op() -> None:
            at = Eigen(context.saved["values"], context.saved["vectors"], context.saved["cluster"])
            np.copyto(into, through_function(at, function, dZ))

        return [op]
