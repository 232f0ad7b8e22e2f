"""Equations: the derivation that a layer, an activation function or a loss provides of itself.

The right side of an equation is written twice, as LaTeX and as NumPy, with operands in angle brackets: `<X> <weight>` and
`<X> @ <weight>`. The derivation builder replaces the operands with the names of the request, and evaluates the NumPy
side for the numbers that it shows: the printed numbers are the computed ones.

Operands of a layer: <X>, or <X1>, <X2> … for one that reads several; its parameters by name; <Z>, its result; <dZ>, the
gradient there; <dX> or <dX1> …, <d_weight> …, which its backward equations define. Any other name is an intermediate
result of the layer. Arrays are as the request writes them: matrices are transposed under `column`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Equation:
    """One line of a derivation: `result` = right side."""

    result: str
    """The operand that the equation defines."""

    latex: str
    """The right side in LaTeX."""

    numpy: str
    """The right side as a NumPy expression."""

    because: str
    """The rule of calculus behind the equation, in a sentence; formulas in it are LaTeX between dollar signs."""

    symbol: str | None = None
    """The result in LaTeX, for an intermediate result."""


@dataclass(frozen=True, slots=True)
class Derivation:
    """The equations of one layer, in the order in which they are computed."""

    forward: Sequence[Equation]
    backward: Sequence[Equation]
