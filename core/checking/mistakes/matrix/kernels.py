"""The mistakes in the kernel of a decomposition, in its symmetrisation and in its basis."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.matrix.spectral import Spectral, SpectralBackward
from core.layers.second_order_pooling import SecondOrderPooling
from core.layers.shared.matrices import transposed

_WHY_GAP = (
    "The kernel divides by the differences of eigenvalues: K_ij = 1/(λ_j − λ_i) for the eigenvectors, F_ij = (f(λ_j) − "
    "f(λ_i))/(λ_j − λ_i) for a function of the matrix."
)


class GapSign(SpectralBackward):
    """1/(λ_i − λ_j)."""

    slug = "eigenvalue-gap-sign"
    said = "has the eigenvalues of layer '$above' the wrong way round in their differences"
    wrong = r"1/(\lambda_i - \lambda_j)"
    why = _WHY_GAP
    unseen = "the gradient has no component off the diagonal"

    def kernel(self, at: Spectral) -> Array:
        return self.divided(at, -at.gaps)


class GapSum(SpectralBackward):
    """1/(λ_i + λ_j)."""

    slug = "eigenvalue-gap-sum"
    said = "divides by the sums of the eigenvalues of layer '$above' instead of their differences"
    wrong = r"1/(\lambda_i + \lambda_j)"
    why = _WHY_GAP
    unseen = "the gradient has no component off the diagonal"

    def kernel(self, at: Spectral) -> Array:
        return self.divided(at, at.sums)


class GapNotInverted(SpectralBackward):
    """λ_j − λ_i."""

    slug = "eigenvalue-gap-not-inverted"
    said = "multiplies by the differences of the eigenvalues of layer '$above' instead of dividing by them"
    wrong = r"\lambda_j - \lambda_i"
    why = _WHY_GAP
    unseen = "every difference is 1 or −1"

    def kernel(self, at: Spectral) -> Array:
        return self.divided(at, np.asarray(1 / np.where(at.apart, at.gaps, 1)))


class OfFunction(SpectralBackward):
    """A mistake in F, which eigh does not have."""

    def is_possible(self, at: Spectral) -> bool:
        return at.function is not None


class EqualValuesZero(OfFunction):
    """F_ij = 0 at equal eigenvalues i ≠ j."""

    slug = "equal-eigenvalues-zero"
    said = "contains 0 instead of the derivative where two eigenvalues of layer '$above' are equal"
    wrong = r"F_{ij} = 0 \quad \text{if } \lambda_i = \lambda_j"
    why = (
        "The quotient (f(λ_i) − f(λ_j))/(λ_i − λ_j) is 0/0 at equal eigenvalues; its limit is f'(λ_i). Setting NaN and "
        "infinity to 0 loses these components."
    )
    unseen = "no two eigenvalues are equal"

    def kernel(self, at: Spectral) -> Array:
        one = np.eye(at.values.shape[-1], dtype=bool)
        return np.asarray(np.where(at.apart | one, super().kernel(at), 0))


class DiagonalOnly(OfFunction):
    """F without its numbers off the diagonal."""

    slug = "eigenvalue-part-only"
    said = "contains the part through the eigenvalues of layer '$above' alone, not that through the eigenvectors"
    wrong = r"F = \operatorname{diag}(f'(\lambda))"
    why = "The eigenvectors change with the matrix too: off the diagonal F holds the quotients (f(λ_i) − f(λ_j))/(λ_i − λ_j)."
    unseen = "the gradient is diagonal in the basis of the eigenvectors"

    def kernel(self, at: Spectral) -> Array:
        return np.asarray(super().kernel(at) * np.eye(at.values.shape[-1]))


class DiagonalMissing(OfFunction):
    """F with 0 on its diagonal."""

    slug = "eigenvalue-part-missing"
    said = "lacks the part through the eigenvalues of layer '$above'"
    wrong = r"F_{ii} = 0"
    why = "The eigenvalues change with the matrix too: on the diagonal F holds f'(λ_i)."
    unseen = "the gradient has no diagonal in the basis of the eigenvectors"

    def kernel(self, at: Spectral) -> Array:
        return np.asarray(super().kernel(at) * (1 - np.eye(at.values.shape[-1])))


class SlopeOffDiagonal(OfFunction):
    """F_ij = f' off the diagonal too."""

    slug = "derivative-off-the-diagonal"
    why = (
        "Off the diagonal F_ij is the quotient (f(λ_i) − f(λ_j))/(λ_i − λ_j), not the derivative f', 1/λ for the logarithm: "
        "a matrix function does not act on each number by itself."
    )
    unseen = "all eigenvalues are equal"
    weights: ClassVar[tuple[float, float]]
    """The shares of f'(λ_i) and f'(λ_j)."""

    def kernel(self, at: Spectral) -> Array:
        first, second = self.weights
        slopes = at.slopes
        return np.asarray(first * slopes[..., :, np.newaxis] + second * slopes[..., np.newaxis, :])


class NotSymmetrised(SpectralBackward):
    """A instead of (A + Aᵀ)/2."""

    slug = "not-symmetrised"
    said = "is not symmetrised in layer '$above'"
    wrong = r"A \quad \text{instead of} \quad \tfrac{1}{2} (A + A^\top)"
    why = (
        "The layer reads a symmetric matrix: X_ij and X_ji are one number, so the gradient is symmetric, (A + Aᵀ)/2. For "
        "eigenvectors, only the antisymmetric part of Uᵀ dU turns them."
    )
    unseen = "the gradient that comes from above is symmetric"

    def symmetrised(self, A: Array) -> Array:
        return A


class BasisTransposed(SpectralBackward):
    """Uᵀ (…) U."""

    slug = "eigenvectors-transposed"
    said = "has the eigenvectors of layer '$above' transposed"
    wrong = r"U^\top (\ldots) U"
    why = "X = U Λ Uᵀ with an eigenvector in each column of U, so the gradient is U (…) Uᵀ."
    unseen = "the matrix of eigenvectors is symmetric"

    def is_possible(self, at: Spectral) -> bool:
        return not isinstance(at.layer, SecondOrderPooling)  # It leaves the order of the eigenvectors open.

    def basis(self, at: Spectral) -> Array:
        return transposed(at.vectors)


_SLOPES = (
    ("Row", (1.0, 0.0), "f'(λ_i)", r"f'(\lambda_i)"),
    ("Column", (0.0, 1.0), "f'(λ_j)", r"f'(\lambda_j)"),
    ("Mean", (0.5, 0.5), "the mean of f'(λ_i) and f'(λ_j)", r"\tfrac{1}{2} (f'(\lambda_i) + f'(\lambda_j))"),
)


def _slopes() -> tuple[type[SlopeOffDiagonal], ...]:
    found: list[type[SlopeOffDiagonal]] = []
    for name, weights, words, latex in _SLOPES:
        fields = {
            "weights": weights,
            "said": f"contains {words} of layer '$above' off the diagonal too, not the quotients of differences",
            "wrong": f"F_{{ij}} = {latex}",
        }
        found.append(type(f"SlopeOffDiagonal{name}", (SlopeOffDiagonal,), fields))
    return tuple(found)


SPECTRAL: tuple[type[SpectralBackward], ...] = (
    GapSign,
    GapSum,
    GapNotInverted,
    EqualValuesZero,
    DiagonalOnly,
    DiagonalMissing,
    *_slopes(),
    NotSymmetrised,
    BasisTransposed,
)
