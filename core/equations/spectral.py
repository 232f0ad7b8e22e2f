"""Decompositions as equations: eigenvalues, singular values, and the gradients that go through them (S16)."""

from __future__ import annotations

from core.equations.equation import Equation

T = ".swapaxes(-1, -2)"
"""The transpose of every matrix of a stack."""

WHY_ADJOINT = "Of the variation dZ, written in terms of dX: ⟨G, dZ⟩ = ⟨∂L/∂X, dX⟩ with A : B = tr(AᵀB)."


def eigen(matrix: str, *, signs: bool = False) -> list[Equation]:
    """λ and U of a symmetric matrix; with the signs that the layer takes."""
    vectors = f"np.linalg.eigh({matrix})[1]"
    found = [
        Equation(
            "values",
            r"\text{eigenvalues}",
            f"np.linalg.eigh({matrix})[0]",
            "X = U Λ Uᵀ, in ascending order.",
            r"\lambda",
        ),
        Equation("vectors", r"\text{eigenvectors}", vectors, "Orthonormal columns.", "U"),
    ]
    if signs:
        found[1] = Equation("free", r"\text{eigenvectors}", vectors, "Orthonormal columns, each of either sign.", "U'")
        found.append(
            Equation("vectors", r"<free> \operatorname{diag}(\pm 1)", f"<free> * ({sign_of('<free>')})", WHY_SIGN, "U")
        )
    return found


WHY_SIGN = "The sign with which the first of a vector's largest components is positive."


def sign_of(vectors: str) -> str:
    """The sign of the first largest component of every column."""
    size = f"np.abs({vectors})"
    first = f"({size} >= 0.999 * {size}.max(axis=-2, keepdims=True)).argmax(axis=-2)[..., None, :]"
    return f"np.sign(np.take_along_axis({vectors}, {first}, axis=-2))"


def divided_differences(f: str, slope: str) -> Equation:
    """F_ij = (f(λ_i) − f(λ_j)) / (λ_i − λ_j), f' where the two are equal; `f` and `slope` are written in {0}."""
    one, other = "<values>[..., :, None]", "<values>[..., None, :]"
    apart, near = f"({one} - {other})", f"np.abs({one} - {other}) <= 1e-6 * np.abs(<values>).max()"
    quotient = f"({f.format(one)} - {f.format(other)}) / np.where({near}, 1, {apart})"
    middle = f"(({one} + {other}) / 2)"
    return Equation(
        "F",
        r"\Bigl[\tfrac{f(\lambda_i) - f(\lambda_j)}{\lambda_i - \lambda_j}\Bigr]",
        f"np.where({near}, {slope.format(middle)}, {quotient})",
        "Divided differences (Daleckii and Krein); where two eigenvalues are equal, the derivative f'.",
    )


def through_function(result: str, gradient: str, latex: str) -> Equation:
    """U (F ∘ (Uᵀ sym(G) U)) Uᵀ."""
    return Equation(
        result,
        rf"<vectors> \bigl(<F> \circ (<vectors>^\top \operatorname{{sym}}({latex}) <vectors>)\bigr) <vectors>^\top",
        f"<vectors> @ (<F> * (<vectors>{T} @ (({gradient} + {gradient}{T}) / 2) @ <vectors>)) @ <vectors>{T}",
        "In the basis of the eigenvectors the derivative of a matrix function multiplies element by element. "
        + WHY_ADJOINT,
    )


def inverse_differences(values: str) -> str:
    """1/(v_j − v_i), 0 on the diagonal."""
    apart = f"(({values})[..., None, :] - ({values})[..., :, None])"
    return f"np.where({apart} == 0, 0, 1 / np.where({apart} == 0, 1, {apart}))"
