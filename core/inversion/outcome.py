"""Results of an inversion."""

from __future__ import annotations

from dataclasses import dataclass

from core.arrays import Array
from core.inversion.weight import Decomposed


@dataclass(slots=True)
class LayerInversion:
    """What came of one layer. Arrays are batch-first."""

    hidden_image: Array
    """x^l: the result that the layer has to have, for every example."""

    feasible: Array
    """Whether it can have that result, for every example."""

    why: str | None = None
    """The first example for which it cannot, and why."""

    weight: Decomposed | None = None
    """The weight's singular values, its rank and null space."""

    residual: Array | None = None
    """‖x^{l−1} W + b − f⁻¹(x^l)‖ of every example."""

    repaired: Array | None = None
    """Examples whose x^{l−1} was moved along the null space into the range of the layer below."""


@dataclass(slots=True)
class Inversion:
    """Inputs, and what the network makes of them."""

    inputs: Array
    output: Array
    errors: Array
    """max |output − target| of every example."""

    feasible: Array
    """Whether every layer could have its result, for every example, and the outputs are reproduced."""

    conclusive: bool
    """Whether examples that are not feasible have no inverse at all; else another choice in a null space might do."""

    layers: dict[str, LayerInversion]
