"""Equations: what a layer, an activation function or a loss says of its own derivation.

The right side of an equation is written twice, as LaTeX and as NumPy, with operands in angle brackets: `<X> <weight>` and
`<X> @ <weight>`. A walk over the network puts the names of the request in their place, and runs the NumPy side to get the
numbers that are shown: what is printed is what was computed.

Operands of a layer: <X>, or <X1>, <X2> … for one that reads several; its parameters by name; <Z>, its result; <dZ>, the
gradient there; <dX> or <dX1> …, <d_weight> …: what its backward equations define. Any other name is the layer's own, for
intermediate results. Arrays are as the request writes them: rank 2 is transposed under `column`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Equation:
    """One line of a derivation: `result` = right side."""

    result: str
    """The operand that it defines."""

    latex: str
    """The right side in LaTeX."""

    numpy: str
    """The right side as a NumPy expression."""

    because: str
    """The rule of calculus behind it, in a sentence; formulas in it stand between dollar signs."""

    symbol: str | None = None
    """How LaTeX writes the result, for an operand of the layer's own."""


@dataclass(frozen=True, slots=True)
class Derivation:
    """The equations of one layer, in the order in which they are computed."""

    forward: Sequence[Equation]
    backward: Sequence[Equation]
