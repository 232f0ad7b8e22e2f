"""The right backward pass of eigh and of functions of symmetric matrices, with a method for every term."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.shared.kind import OfKind
from core.checking.quantity import Quantity
from core.checking.trace import Trace
from core.convention import orient
from core.layers.eigh import Eigh
from core.layers.second_order_pooling import SecondOrderPooling
from core.layers.shared.matrices import transposed
from core.linalg.clusters import clusters, distinct, equal_within
from core.linalg.functions import Logarithm, SpectralFunction


@dataclass(frozen=True, slots=True)
class Spectral:
    """The arrays of X = U Λ Uᵀ before the backward pass; matrices in the orientation of the request."""

    layer: Any
    X: Array
    """What the layer reads: a symmetric matrix, or the features of second_order_pooling."""
    D: Array
    """∂L/∂Z."""
    values: Array
    """λ."""
    vectors: Array
    """U, an eigenvector in each column."""

    @property
    def function(self) -> SpectralFunction | None:
        """The function of the eigenvalues; None for eigh."""
        if isinstance(self.layer, Eigh):
            return None
        return Logarithm() if isinstance(self.layer, SecondOrderPooling) else self.layer.function()

    @property
    def gives_values(self) -> bool:
        """Whether the layer's result are the eigenvalues."""
        return isinstance(self.layer, Eigh) and self.layer.part == "values"

    @property
    def apart(self) -> Array:
        """True for all pairs i, j of different eigenvalues, d x d."""
        return distinct(clusters(self.values, equal_within(self.values, self.values.shape[-1])))

    @property
    def gaps(self) -> Array:
        """λ_j − λ_i, d x d."""
        return np.asarray(self.values[..., np.newaxis, :] - self.values[..., :, np.newaxis])

    @property
    def sums(self) -> Array:
        """λ_j + λ_i, d x d."""
        return np.asarray(self.values[..., np.newaxis, :] + self.values[..., :, np.newaxis])

    @property
    def slopes(self) -> Array:
        """f'(λ)."""
        function = self.function
        return np.zeros_like(self.values) if function is None else function.divided_difference(self.values, self.values)

    @property
    def differences(self) -> Array:
        """f(λ_j) − f(λ_i), or 1 for eigh: what the kernel divides by the gaps, d x d."""
        function = self.function
        if function is None:
            return np.ones_like(self.gaps)
        f = function.value(self.values)
        return np.asarray(f[..., np.newaxis, :] - f[..., :, np.newaxis])


class SpectralBackward(OfKind):
    """eigh: dX = U sym(K ∘ (Uᵀ dU)) Uᵀ or U diag(dλ) Uᵀ; functions: dX = U (F ∘ (Uᵀ sym(dZ) U)) Uᵀ.

    K_ij = 1/(λ_j − λ_i) and F_ij = (f(λ_j) − f(λ_i))/(λ_j − λ_i), the kernel, are 0 and f'(λ_i) at equal eigenvalues.
    second_order_pooling multiplies the result by 2 F, its features. A mistake overrides the method of one term.
    """

    kinds = ("eigh", "matrix_log", "matrix_power", "second_order_pooling")
    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient")

    def is_possible(self, at: Spectral) -> bool:
        """Return True if the layer has the term. Here: if there is a kernel."""
        return not at.gives_values

    def kernel(self, at: Spectral) -> Array:
        """K or F."""
        if at.function is not None:
            return at.function.divided_differences(at.values)
        return self.divided(at, at.gaps)

    def divided(self, at: Spectral, gaps: Array) -> Array:
        """Return the differences divided by these gaps, and what is right at equal eigenvalues."""
        equal = at.slopes[..., np.newaxis, :]
        return np.asarray(np.where(at.apart, at.differences / np.where(at.apart, gaps, 1), equal))

    def symmetrised(self, A: Array) -> Array:
        """sym(A) = (A + Aᵀ)/2."""
        return np.asarray((A + transposed(A)) / 2)

    def basis(self, at: Spectral) -> Array:
        """U."""
        return at.vectors

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        at, column = arrays_of(trace, layer), trace.network.convention == "column"
        if not self.is_possible(at):
            return None
        U = self.basis(at)
        if at.gives_values:
            inside = at.D[..., np.newaxis] * np.eye(at.D.shape[-1])
        elif at.function is None:
            inside = self.symmetrised(self.kernel(at) * (transposed(U) @ at.D))
        else:
            inside = self.kernel(at) * (transposed(U) @ self.symmetrised(at.D) @ U)
        found = U @ inside @ transposed(U)
        if isinstance(at.layer, SecondOrderPooling):
            found = 2 * at.X @ found
        return orient(np.asarray(found), column)

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        readers = [reader.layer for reader in trace.network.readers.get(quantity.layer, [])]
        found = [layer for layer in readers if self.is_kind(trace, layer) and layer in trace.deltas]
        return any(self.is_possible(arrays_of(trace, layer)) for layer in found)


def arrays_of(trace: Trace, layer: str) -> Spectral:
    """Return the arrays of a layer that decomposes a symmetric matrix."""
    kind: Any = trace.network.nodes[layer].layer
    (X,), D, column = trace.read_by(layer), trace.deltas[layer], trace.network.convention == "column"
    saved = trace.network.layer_rules[layer].saved([X])
    gives_values = isinstance(kind, Eigh) and kind.part == "values"
    return Spectral(
        kind, orient(X, column), D if gives_values else orient(D, column), saved["values"], saved["vectors"]
    )
