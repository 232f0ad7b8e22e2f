"""Results of an inversion."""

from __future__ import annotations

from dataclasses import dataclass

from core.arrays import Array
from core.inversion.weight import Decomposed


@dataclass(slots=True)
class LayerInversion:
    """The inversion of one layer. Arrays are batch-first."""

    hidden_image: Array
    """x^l: the result that the layer has to produce, for every example."""

    feasible: Array
    """True for the examples for which the layer can produce that result."""

    why: str | None = None
    """The first example that fails, and the reason."""

    weight: Decomposed | None = None
    """The weight's singular values, its rank and null space."""

    residual: Array | None = None
    """‖x^{l−1} W + b − f⁻¹(x^l)‖ of every example."""

    repaired: Array | None = None
    """Examples whose x^{l−1} was moved along the null space into the range of the layer below."""


@dataclass(slots=True)
class Inversion:
    """The inputs that were found, and the network's output for them."""

    inputs: Array
    output: Array
    errors: Array
    """max |output − target| of every example."""

    feasible: Array
    """True for the examples for which every layer can produce its result and the outputs are reproduced."""

    conclusive: bool
    """True if infeasible examples have no inverse; otherwise another choice in a null space might give one."""

    layers: dict[str, LayerInversion]
