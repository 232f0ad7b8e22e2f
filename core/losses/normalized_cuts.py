"""normalized_cuts: the distance between the spaces of a graph's normalised affinities and of a partition."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from core.arrays import Array, Op, Shape, nothing
from core.equations.equation import Equation
from core.errors import Issue
from core.linalg.cuts import CutDistance
from core.losses.base import Loss, LossContext, Scalar
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalizedCuts(Loss):
    """Normalised cuts: the distance of two projectors, one of an affinity matrix, one of a partition of its nodes.

    It reads the affinity W (n x n, one for each example) and compares it with the partition E (n x k, a 1 for the cluster
    of each node):

        D      = diag(W 1)                     degrees, which have to be positive
        M      = D^{−½} W D^{−½}
        Ψ      = D^{½} E Eᵀ D^{½}
        ℓ      = ½ ‖Π_M − Π_Ψ‖²                Π_A = A A⁺, the projector on the column space of A
        ∂ℓ/∂M  = −2 (I − Π_M) Π_Ψ M⁺ᵀ          among matrices of the same rank; W enters D as well

    A graph of layers gives W = F Λ Fᵀ: a dense layer without bias for F Λ (its weight is Λ), a transpose, a matmul. With
    fewer features than nodes W has low rank, which is what Π_M is about. The projector of a matrix of full rank is I: for
    such affinities `rank` takes the leading vectors alone. W need not be symmetric.

    Targets are E itself, examples x n x k, or the number of each node's cluster, examples x n (`first_label` applies). A
    row of zeros is a node in no cluster.

    Source: Ionescu, Vantzos & Sminchisescu (2015), §5.2; Bach & Jordan, Learning Spectral Clustering (2006), for `rank`.
    """

    kind: Literal["normalized_cuts"] = "normalized_cuts"

    rank: int | None = field(default=None, metadata=constraints(ge=1))
    """Π_M projects on this many leading singular vectors of M. Default: on all whose singular value is not 0."""

    takes_class_indices = True
    formula = (
        r"\tfrac{1}{2} \lVert \Pi_M - \Pi_\Psi \rVert^2, \quad M = D^{-1/2} a D^{-1/2}, \quad"
        r" \Psi = D^{1/2} y y^\top D^{1/2}, \quad D = \operatorname{diag}(a 1)"
    )

    def refusal_of_output(self, output: Shape) -> Issue | None:
        if len(output) == 3 and output[1] == output[2]:
            rank = self.rank or 1
            if rank <= output[1]:
                return None
            detail = f"An affinity of {output[1]} nodes has no {rank} leading vectors."
            return Issue(code="invalid-request", detail=detail, path=("rank",), expected=[1, output[1]], got=rank)
        return Issue(
            code="shape-mismatch",
            detail="normalized_cuts reads one square affinity matrix for each example (examples x nodes x nodes); the "
            f"network's output has shape {list(output)}.",
            hint="A matmul of F Λ and Fᵀ has that shape; a single graph is sent as [[[...]]].",
        )

    def as_output(self, sent: Array, output: Shape) -> Array:
        """Return E, padded with columns of zeros to the shape of W."""
        if sent.ndim == 3 and sent.shape[:2] == output[:2] and sent.shape[2] < output[2]:
            return np.concatenate([sent, np.zeros((*output[:2], output[2] - sent.shape[2]))], axis=2)
        return sent

    def refusal_of(self, Y: Array) -> Issue | None:
        rows = Y.sum(axis=-1)
        wrong = np.argwhere(((Y != 0) & (Y != 1)).any(axis=-1) | (rows > 1))
        if not len(wrong) and (rows.sum(axis=-1) > 0).all():
            return None
        where = (
            f"that of example {wrong[0][0]}, node {wrong[0][1]}, does not"
            if len(wrong)
            else "an example has no clusters"
        )
        return Issue(
            code="invalid-request",
            detail=f"normalized_cuts compares with a partition: each node's row holds one 1, or zeros; {where}.",
            hint="Send E (examples x nodes x clusters), or the number of each node's cluster (examples x nodes).",
        )

    def intermediate(self) -> list[Equation]:
        T, over = ".swapaxes(-1, -2)", "[..., :, None] * <root>[..., None, :]"
        if self.rank is None:
            inside = "<sigma> > 1e-10 * <sigma>.max(axis=-1, keepdims=True)"
        else:
            inside = f"np.ones_like(<sigma>) * np.arange(<sigma>.shape[-1]) < {self.rank}"
        crossing = "(<inside>[..., :, None] != <inside>[..., None, :])"
        spread = "<root>[..., None] * <Y>"
        length = f"np.maximum(np.sqrt((({spread})**2).sum(axis=-2, keepdims=True)), 1e-300)"
        gap = "(<sigma>[..., None, :]**2 - <sigma>[..., :, None]**2)"
        return [
            Equation(
                "root",
                r"\sqrt{<A> \mathbf{1}}",
                "np.sqrt(<A>.sum(axis=-1))",
                "The square roots of the degrees of the nodes.",
                r"\sqrt d",
            ),
            Equation(
                "M",
                r"D^{-1/2} <A> D^{-1/2}",
                f"<A> / (<root>{over})",
                "The affinities, divided by the square roots of both degrees.",
            ),
            Equation("U", r"\text{left vectors of } <M>", "np.linalg.svd(<M>)[0]", r"$M = U \Sigma V^\top$."),
            Equation(
                "sigma", r"\text{singular values of } <M>", "np.linalg.svd(<M>)[1]", "In descending order.", r"\sigma"
            ),
            Equation(
                "V",
                r"\text{right vectors of } <M>",
                f"np.linalg.svd(<M>)[2]{T}",
                "The right singular vectors, with the same signs as the left ones.",
            ),
            Equation(
                "inside",
                r"[\sigma \text{ counts}]",
                inside,
                r"1 for the singular vectors that span the space of $\Pi_M$.",
                r"\iota",
            ),
            Equation(
                "u",
                r"\sqrt d \circ <Y> / \lVert \cdot \rVert",
                f"{spread} / {length}",
                "A unit vector for each cluster.",
            ),
            Equation(
                "difference",
                r"\Pi_M - \Pi_\Psi",
                f"(<U> * <inside>[..., None, :]) @ (<U> * <inside>[..., None, :]){T} - <u> @ <u>{T}",
                "The difference of the projectors on the two spaces.",
                r"\Delta",
            ),
            Equation(
                "dU",
                r"2 <difference> <U>_\iota",
                "2 * (<difference> @ <U>) * <inside>[..., None, :]",
                r"$\ell = \tfrac{1}{2} \lVert \Delta \rVert^2$, and $\Pi_M = U_\iota U_\iota^\top$.",
                r"\partial U",
            ),
            Equation(
                "turn",
                r"(<U>^\top <dU> - <dU>^\top <U>)_{\text{across}}",
                f"np.where({crossing}, <U>{T} @ <dU> - (<U>{T} @ <dU>){T}, 0)",
                "Only a turn of a vector inside the space towards one outside changes the projector.",
                "N",
            ),
            Equation(
                "dM",
                r"<U> \bigl(\tfrac{1}{\sigma_j^2 - \sigma_i^2} \circ <turn>\bigr) \Sigma <V>^\top",
                f"<U> @ (np.where({crossing}, 1 / np.where({crossing}, {gap}, 1), 0) * <turn> * <sigma>[..., None, :])"
                f" @ <V>{T}",
                "Back through the singular vectors.",
                r"\partial M",
            ),
            Equation(
                "du", r"-2 <difference> <u>", "-2 * <difference> @ <u>", r"$\Pi_\Psi = \sum u u^\top$.", r"\partial u"
            ),
            Equation(
                "d_root",
                r"\partial \sqrt d",
                f"(<Y> * (<du> - <u> * (<u> * <du>).sum(axis=-2, keepdims=True)) / {length}).sum(axis=-1)"
                " - ((<dM> * <M>).sum(axis=-1) + (<dM> * <M>).sum(axis=-2)) / <root>",
                r"$M$ and $\Psi$ both contain the degrees: the gradients add up.",
                r"\partial \sqrt d",
            ),
        ]

    def numpy(self) -> str:
        return "0.5 * (<difference>**2).sum(axis=(-1, -2))"

    def numpy_gradient(self) -> str:
        return "<dM> / (<root>[..., :, None] * <root>[..., None, :]) + (<d_root> / (2 * <root>))[..., None]"

    def latex_gradient(self) -> str:
        return r"D^{-1/2} <dM> D^{-1/2} + \tfrac{1}{2} D^{-1/2} <d_root> \mathbf{1}^\top"

    def per_example(self, A: Array, Y: Array) -> Array:
        return CutDistance(A, Y, self.rank).value()

    def value(self, at: LossContext) -> Scalar:
        def total() -> Any:
            distance = CutDistance(at.A, at.Y, self.rank)
            np.copyto(at.dA, distance.gradient())
            return at.coefficients.dot(distance.value())

        return total

    def gradient(self, at: LossContext) -> Op:
        return nothing
