"""The mistakes in svd: X = U Σ Vᵀ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.shared.kind import OfKind
from core.checking.quantity import Quantity
from core.checking.trace import Trace
from core.convention import orient
from core.layers.shared.matrices import transposed

_WHY = (
    "The gradient of the left vectors is U (F ∘ (Uᵀ dU − dUᵀ U)) Σ Vᵀ + (I − U Uᵀ) dU Σ⁻¹ Vᵀ, with F_ij = 1/(σ_j² − σ_i²); "
    "that of the right ones is the same of Xᵀ = V Σ Uᵀ."
)


@dataclass(frozen=True, slots=True)
class Factors:
    """The arrays of an svd layer before its backward pass, for Xᵀ if its result are the right vectors."""

    part: str
    D: Array
    """∂L/∂Z."""
    mine: Array
    """The vectors of the result."""
    other: Array
    """Those of the other side."""
    values: Array
    """σ."""

    @property
    def distinct(self) -> Array:
        """True for all pairs i ≠ j, p x p."""
        return ~np.eye(self.values.shape[-1], dtype=bool)

    def pairs(self, values: Array, sign: float) -> Array:
        """Return v_j + sign v_i, p x p."""
        return np.asarray(values[..., np.newaxis, :] + sign * values[..., :, np.newaxis])


class SingularBackward(OfKind):
    """dX = U (F ∘ (Uᵀ dU − dUᵀ U)) Σ Vᵀ + (I − U Uᵀ) dU Σ⁻¹ Vᵀ. A mistake overrides the method of one term."""

    kinds = ("svd",)
    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient")
    why = _WHY
    unseen = "the wrong term is 0"
    of_vectors: ClassVar[bool] = True
    """Whether the mistake is in the gradient of singular vectors; otherwise it is in that of the values too."""

    def is_possible(self, at: Factors) -> bool:
        """Return True if the layer has the term."""
        return at.part != "values" or not self.of_vectors

    def gaps(self, at: Factors) -> Array:
        """σ_j² − σ_i², p x p."""
        return at.pairs(at.values**2, -1)

    def kernel(self, at: Factors) -> Array:
        """F."""
        return np.asarray(np.where(at.distinct, 1 / np.where(at.distinct, self.gaps(at), 1), 0))

    def turn(self, at: Factors) -> Array:
        """Uᵀ dU − dUᵀ U."""
        N = transposed(at.mine) @ at.D
        return np.asarray(N - transposed(N))

    def stretched(self, at: Factors, inside: Array) -> Array:
        """Return the first term times Σ."""
        return np.asarray(inside * at.values[..., np.newaxis, :])

    def outside(self, at: Factors) -> Array:
        """(I − U Uᵀ) dU Σ⁻¹."""
        return np.asarray((at.D - at.mine @ (transposed(at.mine) @ at.D)) / at.values[..., np.newaxis, :])

    def last(self, at: Factors) -> Array:
        """Vᵀ."""
        return transposed(at.other)

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        at = factors_of(trace, layer)
        if not self.is_possible(at) or not np.all(at.values > 0):
            return None
        if at.part == "values":
            found = (at.mine * at.D[..., np.newaxis, :]) @ self.last(at)
        else:
            inside = at.mine @ (self.kernel(at) * self.turn(at))
            found = (self.stretched(at, inside) + self.outside(at)) @ self.last(at)
        return orient(transposed(found) if at.part == "right" else found, trace.network.convention == "column")

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        readers = [reader.layer for reader in trace.network.readers.get(quantity.layer, [])]
        found = [layer for layer in readers if self.is_kind(trace, layer) and layer in trace.deltas]
        return any(self.is_possible(factors_of(trace, layer)) for layer in found)


class SingularGapSign(SingularBackward):
    """F_ij = 1/(σ_i² − σ_j²)."""

    slug = "singular-gap-sign"
    said = "has the singular values of layer '$above' the wrong way round in their differences"
    wrong = r"F_{ij} = 1/(\sigma_i^2 - \sigma_j^2)"

    def gaps(self, at: Factors) -> Array:
        return -super().gaps(at)


class SingularGapSum(SingularBackward):
    """F_ij = 1/(σ_i² + σ_j²)."""

    slug = "singular-gap-sum"
    said = "divides by the sums of squared singular values of layer '$above' instead of their differences"
    wrong = r"F_{ij} = 1/(\sigma_i^2 + \sigma_j^2)"

    def gaps(self, at: Factors) -> Array:
        return at.pairs(at.values**2, 1)


class SingularGapNotInverted(SingularBackward):
    """F_ij = σ_j² − σ_i²."""

    slug = "singular-gap-not-inverted"
    said = "multiplies by the differences of squared singular values of layer '$above' instead of dividing by them"
    wrong = r"F_{ij} = \sigma_j^2 - \sigma_i^2"

    def gaps(self, at: Factors) -> Array:
        return np.asarray(1 / np.where(at.distinct, super().gaps(at), 1))


class SingularGapNotSquared(SingularBackward):
    """F_ij = 1/(σ_j − σ_i)."""

    slug = "singular-gap-not-squared"
    said = "divides by the differences of the singular values of layer '$above', not of their squares"
    wrong = r"F_{ij} = 1/(\sigma_j - \sigma_i)"

    def gaps(self, at: Factors) -> Array:
        return at.pairs(at.values, -1)


class SingularTurnMissing(SingularBackward):
    """Without the first term."""

    slug = "singular-turn-missing"
    said = "lacks the term in which the singular vectors of layer '$above' turn towards each other"
    wrong = r"\partial X = (I - U U^\top) \, \partial U \, \Sigma^{-1} V^\top"

    def turn(self, at: Factors) -> Array:
        return np.zeros_like(super().turn(at))


class SingularNotAntisymmetric(SingularBackward):
    """F ∘ (Uᵀ dU)."""

    slug = "singular-not-antisymmetric"
    said = "contains Uᵀ dU of layer '$above' without subtracting its transpose"
    wrong = r"F \circ (U^\top \partial U)"

    def turn(self, at: Factors) -> Array:
        return transposed(at.mine) @ at.D


class SingularTurnHalved(SingularBackward):
    """F ∘ ½ (Uᵀ dU − dUᵀ U)."""

    slug = "singular-turn-halved"
    said = "contains half of the term in which the singular vectors of layer '$above' turn towards each other"
    wrong = r"\tfrac{1}{2} \, F \circ (U^\top \partial U - \partial U^\top U)"

    def turn(self, at: Factors) -> Array:
        return super().turn(at) / 2


class SingularTurnDoubled(SingularBackward):
    """F ∘ 2 (Uᵀ dU − dUᵀ U)."""

    slug = "singular-turn-doubled"
    said = "contains twice the term in which the singular vectors of layer '$above' turn towards each other"
    wrong = r"2 \, F \circ (U^\top \partial U - \partial U^\top U)"

    def turn(self, at: Factors) -> Array:
        return super().turn(at) * 2


class SingularValuesLeftOut(SingularBackward):
    """The first term without Σ."""

    slug = "singular-values-left-out"
    said = "lacks the singular values of layer '$above' in the term in which its vectors turn towards each other"
    wrong = r"U (F \circ (U^\top \partial U - \partial U^\top U)) V^\top"

    def stretched(self, at: Factors, inside: Array) -> Array:
        return inside


class SingularOutsideMissing(SingularBackward):
    """Without the term outside the span of the vectors."""

    slug = "singular-outside-missing"
    said = "lacks the term outside the span of the singular vectors of layer '$above'"
    wrong = r"\partial X = U (F \circ (U^\top \partial U - \partial U^\top U)) \Sigma V^\top"
    unseen = "the vectors span their whole space"

    def outside(self, at: Factors) -> Array:
        return np.zeros_like(at.D)


class SingularOutsideNotDivided(SingularBackward):
    """(I − U Uᵀ) dU Vᵀ without Σ⁻¹."""

    slug = "singular-outside-not-divided"
    said = "lacks the division by the singular values of layer '$above' in the term outside the span of its vectors"
    wrong = r"(I - U U^\top) \, \partial U \, V^\top"
    unseen = "the vectors span their whole space"

    def outside(self, at: Factors) -> Array:
        return np.asarray(super().outside(at) * at.values[..., np.newaxis, :])


class SingularVectorsNotTransposed(SingularBackward):
    """V instead of Vᵀ, if V is square."""

    slug = "singular-vectors-not-transposed"
    said = "has the other singular vectors of layer '$above' not transposed"
    wrong = r"U \operatorname{diag}(\partial \sigma) V"
    why = "X = U Σ Vᵀ, so the gradient ends in Vᵀ. NumPy's svd returns Vᵀ, not V."
    unseen = "the matrix of the vectors is symmetric"
    of_vectors = False

    def is_possible(self, at: Factors) -> bool:
        return bool(at.other.shape[-1] == at.other.shape[-2])

    def last(self, at: Factors) -> Array:
        return at.other


def factors_of(trace: Trace, layer: str) -> Factors:
    """Return the arrays of an svd layer."""
    kind: Any = trace.network.nodes[layer].layer
    saved = trace.network.layer_rules[layer].saved(trace.read_by(layer))
    D, (left, right) = trace.deltas[layer], (saved["left"], saved["right"])
    if kind.part == "values":
        return Factors(kind.part, D, left, right, saved["values"])
    mine, other = (left, right) if kind.part == "left" else (right, left)
    return Factors(kind.part, orient(D, trace.network.convention == "column"), mine, other, saved["values"])


SINGULAR: tuple[type[SingularBackward], ...] = (
    SingularGapSign,
    SingularGapSum,
    SingularGapNotInverted,
    SingularGapNotSquared,
    SingularTurnMissing,
    SingularNotAntisymmetric,
    SingularTurnHalved,
    SingularTurnDoubled,
    SingularValuesLeftOut,
    SingularOutsideMissing,
    SingularOutsideNotDivided,
    SingularVectorsNotTransposed,
)
