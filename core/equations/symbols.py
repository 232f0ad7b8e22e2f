"""Symbols: what an operand is called in LaTeX, in NumPy and in the answer."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.arrays import Array

OPERAND = re.compile(r"<([A-Za-z_]\w*)>")
LETTERS = {
    "weight": ("W", "W"),
    "bias": ("b", "b"),
    "recurrent_weight": ("U", "U"),
    "recurrent_bias": ("c", "c"),
    "gamma": (r"\gamma", "gamma"),
    "beta": (r"\beta", "beta"),
    "in_weight": ("W", "W_in"),
    "in_bias": ("b", "b_in"),
    "out_weight": ("U", "W_out"),
    "out_bias": ("c", "b_out"),
    "running_mean": (r"\mu", "running_mean"),
    "running_variance": (r"\sigma^2", "running_variance"),
}
"""Parameters as the literature writes them: LaTeX, and the beginning of the NumPy name."""


@dataclass(frozen=True, slots=True, eq=False)
class Symbol:
    """An operand under its names."""

    latex: str
    python: str
    source: str
    """Id of the step that defines it, or the path of the tensor in the request."""

    value: Array
    """Its numbers, as the request writes matrices."""


class Tags:
    """Names of layers as subscripts and as parts of identifiers, each used once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def identifier(self, name: str) -> str:
        """The name with everything but letters and digits replaced; a number is added where another name gave the same."""
        plain = re.sub(r"[^A-Za-z0-9]", "_", name)
        unique, count = plain, 1
        while unique in self._taken:
            count += 1
            unique = f"{plain}_{count}"
        self._taken.add(unique)
        return unique


def subscript(name: str) -> str:
    """The name as a LaTeX subscript."""
    return name if name.isdecimal() else rf"\text{{{escaped(name)}}}"


WIDE = str.maketrans("<>&", "\uff1c\uff1e\uff06")
"""Characters that mean something where LaTeX becomes MathML, as their full-width forms."""


def escaped(name: str) -> str:
    """Text that LaTeX, and the MathML that is made of it, prints as it is."""
    for character in "\\{}$#^_%~":
        name = name.replace(character, "-" if character in "\\{}^~" else "\\" + character)
    return name.translate(WIDE)


def with_subscript(letter: str, tag: str) -> str:
    """A letter with a subscript; one with a superscript already is set in braces."""
    return f"{{{letter}}}_{{{tag}}}" if set(letter) & set("_^") else f"{letter}_{{{tag}}}"
