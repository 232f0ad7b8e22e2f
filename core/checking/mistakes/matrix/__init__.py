"""The mistakes in layers of matrices: products, transposition, decompositions and functions. `MATRIX` has them all."""

from __future__ import annotations

from core.checking.mistakes.matrix.kernels import SPECTRAL
from core.checking.mistakes.matrix.products import PRODUCTS
from core.checking.mistakes.matrix.singular import SINGULAR
from core.checking.mistakes.shared.kind import OfKind

MATRIX: tuple[type[OfKind], ...] = (*PRODUCTS, *SPECTRAL, *SINGULAR)
"""In the order in which they are named if two give the same numbers."""

__all__ = ["MATRIX"]
