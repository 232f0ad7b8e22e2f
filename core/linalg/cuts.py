"""The distance between the projector of a graph's normalised affinities and that of a partition of its nodes.

    M = D^{−½} W D^{−½}        Ψ = D^{½} E Eᵀ D^{½}        D = diag(W 1)        ½ ‖Π_M − Π_Ψ‖²

Π_M = U Uᵀ with the left singular vectors of M, so its gradient is that of singular vectors, of which only turns between
vectors inside and outside the space count; equal values on the same side do no harm. As the clusters are disjoint,
Π_Ψ = Σ_c u_c u_cᵀ with u_c = √d ∘ e_c, divided by its length.

Source: Ionescu, Vantzos & Sminchisescu (2015), §5.2.
"""

from __future__ import annotations

import numpy as np

from core.arrays import Array, real
from core.errors import Refusal
from core.linalg.clusters import equal_within
from core.linalg.singular import Singular, singular


class CutDistance:
    """The projectors of a stack of affinities and partitions."""

    def __init__(self, W: Array, E: Array, rank: int | None) -> None:
        degrees = W.sum(axis=-1)
        _refuse_degrees(real(degrees))
        self.root = np.sqrt(degrees)
        self.scale = self.root[..., :, np.newaxis] * self.root[..., np.newaxis, :]
        self.M = W / self.scale
        try:
            self.at: Singular = singular(self.M)
        except np.linalg.LinAlgError as error:
            raise Refusal.of("non-finite", f"LAPACK finds no singular values of M ({error}).", "loss") from error
        self.inside = _leading(self.at, rank)
        kept = self.at.left * self.inside[..., np.newaxis, :]
        self.of_affinity = kept @ kept.swapaxes(-1, -2)
        self.E = E
        spread = self.root[..., np.newaxis] * E
        size = np.sqrt((spread * spread).sum(axis=-2, keepdims=True))
        self.size = np.where(size == 0, 1, size)
        self.partition = spread / self.size
        of_partition = self.partition @ self.partition.swapaxes(-1, -2)
        self.difference = self.of_affinity - of_partition

    def value(self) -> Array:
        """Return ½ ‖Π_M − Π_Ψ‖² of each example."""
        return np.asarray(0.5 * (self.difference * self.difference).sum(axis=(-1, -2)))

    def gradient(self) -> Array:
        """Return ∂ℓ/∂W among the matrices of the rank of W."""
        dM = self._through_affinity()
        d_root = self._through_partition()
        moved = dM * self.M
        d_root = d_root - (moved.sum(axis=-1) + moved.sum(axis=-2)) / self.root
        d_degrees = d_root / (2 * self.root)
        return np.asarray(dM / self.scale + d_degrees[..., np.newaxis])

    def _through_affinity(self) -> Array:
        """Return −2 (I − Π_M) Π_Ψ M⁺ᵀ, as the gradient through the left singular vectors in Π_M = U Uᵀ."""
        at, inside = self.at, self.inside
        dU = 2 * (self.difference @ at.left) * inside[..., np.newaxis, :]
        N = at.left.swapaxes(-1, -2) @ dU
        crossing = inside[..., :, np.newaxis] != inside[..., np.newaxis, :]
        turn = np.where(crossing, (N - N.swapaxes(-1, -2)) / 2, 0)
        return np.asarray(at.left @ ((at.inverse_differences + at.inverse_sums) * turn) @ at.right.swapaxes(-1, -2))

    def _through_partition(self) -> Array:
        """Return ∂ℓ/∂√d through Π_Ψ = Σ_c u_c u_cᵀ, where u_c = √d ∘ e_c divided by its length."""
        u = self.partition
        du = -2 * self.difference @ u
        along = (u * du).sum(axis=-2, keepdims=True)
        return np.asarray((self.E * (du - u * along) / self.size).sum(axis=-1))


def _refuse_degrees(degrees: Array) -> None:
    """Refuse nodes whose affinities do not sum to a positive number."""
    wrong = np.argwhere(~(degrees > 0))
    if len(wrong):
        example, node = (int(i) for i in wrong[0])
        detail = (
            f"The affinities of node {node} of example {example} add up to {degrees[example, node]:.6g}; normalized_cuts "
            "divides by the root of that number, the node's degree."
        )
        raise Refusal.of("non-finite", detail, "loss", got=float(degrees[example, node]))


def _leading(at: Singular, rank: int | None) -> Array:
    """Return True for the singular vectors that span the space that Π_M projects on."""
    if rank is None:
        return ~at.zero
    sigma = real(at.values)
    if rank < sigma.shape[-1]:
        gap = sigma[..., rank - 1] - sigma[..., rank]
        wrong = np.argwhere(gap <= equal_within(sigma, sigma.shape[-1])[..., 0])
        if len(wrong):
            example = int(wrong[0][0])
            detail = (
                f"Singular values {rank} and {rank + 1} of M of example {example} are equal in working precision "
                f"({sigma[example, rank - 1]:.6g}); there are no {rank} leading vectors."
            )
            raise Refusal.of("non-finite", detail, "loss", "rank", got=rank)
    return np.broadcast_to(np.arange(sigma.shape[-1]) < rank, sigma.shape)
