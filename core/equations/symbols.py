"""Symbols: the names of an operand in LaTeX, in NumPy and in the answer."""

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
    "weight_reverse": (r"\overleftarrow{W}", "W_reverse"),
    "bias_reverse": (r"\overleftarrow{b}", "b_reverse"),
    "recurrent_weight_reverse": (r"\overleftarrow{U}", "U_reverse"),
    "recurrent_bias_reverse": (r"\overleftarrow{c}", "c_reverse"),
    "gamma": (r"\gamma", "gamma"),
    "beta": (r"\beta", "beta"),
    "in_weight": ("W", "W_in"),
    "in_bias": ("b", "b_in"),
    "out_weight": ("U", "W_out"),
    "out_bias": ("c", "b_out"),
    "negative_slope": ("s", "negative_slope"),
    "running_mean": (r"\mu", "running_mean"),
    "running_variance": (r"\sigma^2", "running_variance"),
}
"""The letters of parameters in the literature: LaTeX, and the first part of the NumPy name."""


@dataclass(frozen=True, slots=True, eq=False)
class Symbol:
    """An operand with its names and its value."""

    latex: str
    python: str
    source: str
    """Id of the step that defines the operand, or its path in the request."""

    value: Array
    """The numbers, in the layout of the request."""


class Tags:
    """Unique identifiers for the names of layers."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def identifier(self, name: str) -> str:
        """Return the name with all but letters and digits replaced, and a number added if the result is taken."""
        plain = re.sub(r"[^A-Za-z0-9]", "_", name)
        unique, count = plain, 1
        while unique in self._taken:
            count += 1
            unique = f"{plain}_{count}"
        self._taken.add(unique)
        return unique


def subscript(name: str) -> str:
    """Return the name as a LaTeX subscript."""
    return name if name.isdecimal() else rf"\text{{{escape(name)}}}"


WIDE = str.maketrans("<>&", "\uff1c\uff1e\uff06")
"""Characters that are special in MathML, and their full-width forms."""


def escape(name: str) -> str:
    """Return text that LaTeX, and the MathML made from it, prints literally."""
    for character in "\\{}$#^_%~":
        name = name.replace(character, "-" if character in "\\{}^~" else "\\" + character)
    return name.translate(WIDE)


def with_subscript(letter: str, tag: str) -> str:
    """Return a letter with a subscript; a letter that has a subscript or superscript already is put in braces."""
    return f"{{{letter}}}_{{{tag}}}" if set(letter) & set("_^") else f"{letter}_{{{tag}}}"
