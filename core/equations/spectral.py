"""Decompositions as equations: eigenvalues, singular values, and the gradients that go through them (S16)."""

from __future__ import annotations

from core.equations.equation import Equation

T = ".swapaxes(-1, -2)"
"""The transpose of every matrix of a stack."""

WHY_ADJOINT = (
    r"$\partial L / \partial X$ follows from $\langle G, dZ \rangle = \langle \partial L / \partial X, dX \rangle$, "
    r"where $G = \partial L / \partial Z$ and $\langle A, B \rangle = \operatorname{tr}(A^\top B)$."
)


def eigen(matrix: str, *, signs: bool = False) -> list[Equation]:
    """Return λ and U of a symmetric matrix; with `signs`, U has the signs that the layer chooses."""
    vectors = f"np.linalg.eigh({matrix})[1]"
    found = [
        Equation(
            "values",
            r"\text{eigenvalues}",
            f"np.linalg.eigh({matrix})[0]",
            r"$X = U \Lambda U^\top$, with the eigenvalues in ascending order.",
            r"\lambda",
        ),
        Equation("vectors", r"\text{eigenvectors}", vectors, "The eigenvectors are orthonormal columns.", "U"),
    ]
    if signs:
        found[1] = Equation(
            "free",
            r"\text{eigenvectors}",
            vectors,
            "The eigenvectors are orthonormal columns, each unique up to its sign.",
            "U'",
        )
        found.append(
            Equation("vectors", r"<free> \operatorname{diag}(\pm 1)", f"<free> * ({sign_of('<free>')})", WHY_SIGN, "U")
        )
    return found


WHY_SIGN = "The sign is chosen so that the first of the largest components of each vector is positive."


def sign_of(vectors: str) -> str:
    """Return the sign of the first of the largest components of every column."""
    size = f"np.abs({vectors})"
    first = f"({size} >= 0.999 * {size}.max(axis=-2, keepdims=True)).argmax(axis=-2)[..., None, :]"
    return f"np.sign(np.take_along_axis({vectors}, {first}, axis=-2))"


def divided_differences(f: str, slope: str) -> Equation:
    """Return F_ij = (f(λ_i) − f(λ_j)) / (λ_i − λ_j), f' where both are equal; `f` and `slope` are templates in {0}."""
    one, other = "<values>[..., :, None]", "<values>[..., None, :]"
    apart, near = f"({one} - {other})", f"np.abs({one} - {other}) <= 1e-6 * np.abs(<values>).max()"
    quotient = f"({f.format(one)} - {f.format(other)}) / np.where({near}, 1, {apart})"
    middle = f"(({one} + {other}) / 2)"
    return Equation(
        "F",
        r"\Bigl[\tfrac{f(\lambda_i) - f(\lambda_j)}{\lambda_i - \lambda_j}\Bigr]",
        f"np.where({near}, {slope.format(middle)}, {quotient})",
        "Divided differences (Daleckii and Krein); where two eigenvalues are equal, the derivative $f'$.",
    )


def through_function(result: str, gradient: str, latex: str) -> Equation:
    """Return U (F ∘ (Uᵀ sym(G) U)) Uᵀ."""
    return Equation(
        result,
        rf"<vectors> \bigl(<F> \circ (<vectors>^\top \operatorname{{sym}}({latex}) <vectors>)\bigr) <vectors>^\top",
        f"<vectors> @ (<F> * (<vectors>{T} @ (({gradient} + {gradient}{T}) / 2) @ <vectors>)) @ <vectors>{T}",
        "In the basis of the eigenvectors, the derivative of a matrix function is an elementwise product with F. "
        + WHY_ADJOINT,
    )


def inverse_differences(values: str) -> str:
    """Return 1/(v_j − v_i), with 0 on the diagonal, as NumPy."""
    apart = f"(({values})[..., None, :] - ({values})[..., :, None])"
    return f"np.where({apart} == 0, 0, 1 / np.where({apart} == 0, 1, {apart}))"
