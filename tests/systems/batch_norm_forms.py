"""Five published forms of the backward pass of batch normalisation. They agree to rounding.

Forward, for a batch X (N x D), each column by itself, 1 a column of N ones:

    μ = Xᵀ 1 / N     σ² = ((X − 1 μᵀ) ∘ (X − 1 μᵀ))ᵀ 1 / N     X̂ = (X − 1 μᵀ) / √(σ² + ε)     Y = γ ∘ X̂ + β

Backward, from dY = ∂L/∂Y (N x D) to dX (N x D), dγ (D) and dβ (D).

Sources, in the order of the functions:

    Yeh, Deriving Batch-Norm Backprop Equations (2017): whole matrices, and the Jacobian of a column.
    Costa, Efficient Batch Normalization (2016): row by row.
    Zakka, Deriving the Gradient for the Backward Pass of Batch Normalization (2016): row by row, with sums.
    Kratzert, Understanding the backward pass through Batch Normalization Layer (2016).
    Cross Validated, question 328242, Matrix form of backpropagation with batch normalization (2018): γ = 1, ε = 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.arrays import Array


@dataclass(frozen=True, slots=True)
class Gradients:
    """What every form arrives at."""

    dX: Array
    """∂L/∂X, N x D."""

    dgamma: Array
    """∂L/∂γ, D numbers."""

    dbeta: Array
    """∂L/∂β, D numbers."""


@dataclass(frozen=True, slots=True)
class Staged(Gradients):
    """The same, with all that the staged form passes on its way: nine values, and the gradient at each."""

    values: dict[str, Array]
    """Forward: mu, xmu, sq, var, sqrtvar, ivar, xhat, gammax, out."""

    gradients: dict[str, Array]
    """Backward: ∂L/∂(each of them), under the same names, in the order in which they are found."""


def standardised(X: Array, epsilon: float) -> tuple[Array, Array]:
    """X̂ (N x D) and √(σ² + ε) (D numbers)."""
    deviation = np.sqrt(X.var(axis=0) + epsilon)
    return (X - X.mean(axis=0)) / deviation, deviation


def by_matrices(X: Array, dY: Array, gamma: Array, epsilon: float) -> Gradients:
    """Yeh's matrix form, the cheapest: the sums that dX needs are dβ and dγ. The layer computes this one.

    dX = γ / (N √(σ² + ε)) ∘ (N dY − 1 dβᵀ − X̂ ∘ 1 dγᵀ)
    """
    N = len(X)
    X_hat, deviation = standardised(X, epsilon)
    dbeta = dY.sum(axis=0)
    dgamma = (dY * X_hat).sum(axis=0)
    dX = gamma / (N * deviation) * (N * dY - dbeta - X_hat * dgamma)
    return Gradients(dX, dgamma, dbeta)


def by_jacobian(X: Array, dY: Array, gamma: Array, epsilon: float) -> Gradients:
    """Yeh's column form: the N x N Jacobian of each column. It is symmetric; it takes 1 to 0 and, if ε = 0, x̂ to 0.

    dx = (σ² + ε)^(−½) (I − 1 1ᵀ/N − x̂ x̂ᵀ/N) γ dy
    """
    N, D = X.shape
    X_hat, deviation = standardised(X, epsilon)
    one = np.ones((N, 1))
    dX = np.empty_like(X)
    for j in range(D):
        x_hat = X_hat[:, [j]]
        jacobian = (np.eye(N) - one @ one.T / N - x_hat @ x_hat.T / N) / deviation[j]
        dX[:, j] = jacobian @ (gamma[j] * dY[:, j])
    return Gradients(dX, (dY * X_hat).sum(axis=0), dY.sum(axis=0))


def by_rows(X: Array, dY: Array, gamma: Array, epsilon: float) -> Gradients:
    """Row by row, after Costa: an example influences every example, through μ and σ.

    dx_i = γ/√(σ² + ε) ∘ (dy_i − (1/N) Σ_j (1 + x̂_i ∘ x̂_j) ∘ dy_j)
    """
    N = len(X)
    X_hat, deviation = standardised(X, epsilon)
    dX, dgamma, dbeta = np.empty_like(X), np.zeros_like(gamma), np.zeros_like(gamma)
    for i in range(N):
        through_statistics = sum((1 + X_hat[i] * X_hat[j]) * dY[j] for j in range(N))
        dX[i] = gamma / deviation * (dY[i] - through_statistics / N)
        dgamma += dY[i] * X_hat[i]
        dbeta += dY[i]
    return Gradients(dX, dgamma, dbeta)


def by_sums(X: Array, dY: Array, gamma: Array, epsilon: float) -> Gradients:
    """Zakka's form: first the gradient at X̂, then its sums.

    dx̂_i = γ ∘ dy_i
    dx_i = (N dx̂_i − Σ_j dx̂_j − x̂_i ∘ Σ_j dx̂_j ∘ x̂_j) / (N √(σ² + ε))
    """
    N = len(X)
    X_hat, deviation = standardised(X, epsilon)
    dX_hat = dY * gamma
    dX = (N * dX_hat - dX_hat.sum(axis=0) - X_hat * (dX_hat * X_hat).sum(axis=0)) / (N * deviation)
    return Gradients(dX, (dY * X_hat).sum(axis=0), dY.sum(axis=0))


def by_stages(X: Array, dY: Array, gamma: Array, epsilon: float, beta: Array | float = 0.0) -> Staged:
    """Kratzert's form: nine steps with one operation each, then their gradients from the ninth to the first.

    The names are his. xmu is read by two steps and X by two, so that two gradients are added up there.
    """
    N = len(X)
    mu = X.mean(axis=0)
    xmu = X - mu
    sq = xmu**2
    var = sq.mean(axis=0)
    sqrtvar = np.sqrt(var + epsilon)
    ivar = 1 / sqrtvar
    xhat = xmu * ivar
    gammax = gamma * xhat
    out = gammax + beta

    dout = dY
    dbeta = dout.sum(axis=0)  # step 9
    dgammax = dout
    dgamma = (dgammax * xhat).sum(axis=0)  # step 8
    dxhat = dgammax * gamma
    divar = (dxhat * xmu).sum(axis=0)  # step 7
    dxmu1 = dxhat * ivar
    dsqrtvar = -divar / sqrtvar**2  # step 6
    dvar = 0.5 * dsqrtvar / np.sqrt(var + epsilon)  # step 5
    dsq = np.ones_like(X) / N * dvar  # step 4
    dxmu2 = 2 * xmu * dsq  # step 3
    dxmu = dxmu1 + dxmu2
    dmu = -dxmu.sum(axis=0)  # step 2
    dX1 = dxmu
    dX2 = np.ones_like(X) / N * dmu  # step 1

    values = {
        "mu": mu, "xmu": xmu, "sq": sq, "var": var, "sqrtvar": sqrtvar, "ivar": ivar, "xhat": xhat, "gammax": gammax,
        "out": out,
    }  # fmt: skip
    gradients = {
        "out": dout, "gammax": dgammax, "xhat": dxhat, "ivar": divar, "sqrtvar": dsqrtvar, "var": dvar, "sq": dsq,
        "xmu": dxmu, "mu": dmu,
    }  # fmt: skip
    return Staged(dX1 + dX2, dgamma, dbeta, values, gradients)


def by_matrices_plain(X: Array, dY: Array) -> Array:
    """dX for γ = 1 and ε = 0, with every broadcast written as a product with 1 1ᵀ, which sums each column.

    dX = (dY − 1 1ᵀ dY/N − X̂ ∘ (1 1ᵀ (X̂ ∘ dY))/N) / σ
    """
    N = len(X)
    X_hat, deviation = standardised(X, 0.0)
    averaging = np.ones((N, N)) / N
    return np.asarray((dY - averaging @ dY - X_hat * (averaging @ (X_hat * dY))) / deviation)
