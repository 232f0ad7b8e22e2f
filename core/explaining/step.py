"""Step: one equation of a derivation with the names, shapes and numbers of the request."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from core.equations.equation import Equation
from core.equations.symbols import OPERAND, Symbol
from core.explaining.matrices import matrix


@dataclass(frozen=True, slots=True)
class Step:
    """One equation: the symbol that it defines, and the operands of its right side by their placeholders."""

    id: str
    """Path of the result in the answer of /v1/gradients if it occurs there, else layer and name."""

    title: str
    result: Symbol
    equation: Equation
    operands: Mapping[str, Symbol]
    depends_on: tuple[str, ...] = field(default=())

    @property
    def latex(self) -> str:
        """The equation in symbols, as LaTeX."""
        return f"{self.result.latex} = {self._right(_plain)}"

    @property
    def shapes(self) -> str:
        """The equation with the shape under every operand, as LaTeX."""
        right = self._right(_with_shape)
        # A space separates neighbours, so that the shapes under them do not touch.
        return f"{_with_shape(self.result)} = " + right.replace(r"} \underset", r"}\;\underset")

    def numbers(self, digits: int, largest: int) -> str:
        """Return the equation with the numbers of its operands and of its result, as LaTeX."""
        right = self._right(lambda symbol: matrix(symbol.value, digits, largest))
        return f"{self.result.latex} = {right} = {matrix(self.result.value, digits, largest)}"

    @property
    def numpy(self) -> str:
        """The equation as a line of NumPy."""
        return f"{self.result.python} = {numpy_of(self.equation, self.operands)}"

    @property
    def text(self) -> str:
        """The line of NumPy with shapes, as plain text for screen readers."""
        operands = dict.fromkeys(self.operands.values())
        shapes = ", ".join(f"{symbol.python} {_shape(symbol, ' x ')}" for symbol in operands)
        return f"{self.numpy}    [{self.result.python} {_shape(self.result, ' x ')}{'; ' if shapes else ''}{shapes}]"

    def _right(self, written: Callable[[Symbol], str]) -> str:
        latex = self.equation.latex

        def operand(match: re.Match[str]) -> str:
            text = written(self.operands[match[1]])
            # A symbol that has a subscript or a power already needs braces before it takes another one.
            following = latex[match.end() : match.end() + 1]
            return f"{{{text}}}" if following in ("_", "^") and following in text else text

        return OPERAND.sub(operand, latex)


def numpy_of(equation: Equation, operands: Mapping[str, Symbol]) -> str:
    """Return the right side as a NumPy expression over the names of the program."""
    return OPERAND.sub(lambda match: operands[match[1]].python, equation.numpy)


def _plain(symbol: Symbol) -> str:
    return symbol.latex


def _with_shape(symbol: Symbol) -> str:
    shape = _shape(symbol, r" \times ")
    return rf"\underset{{{shape}}}{{{symbol.latex}}}" if shape != "1" else symbol.latex


def _shape(symbol: Symbol, times: str) -> str:
    return times.join(map(str, symbol.value.shape)) or "1"
