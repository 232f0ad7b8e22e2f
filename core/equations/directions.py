"""The derivation of a recurrent layer in both directions: that of each direction, and what joins them.

The operands of a direction are renamed: <h1> is <h1_forward> in the first, <h1_reverse> in the second, and <weight> is
<weight_reverse> there. In LaTeX the letters of the second direction have an arrow to the left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.equations.symbols import OPERAND

LETTER = re.compile(r"(?<![A-Za-z\\_<])([A-Za-z])(?=_|\^\\top)")
"""A letter of the literature outside an operand, with its index or transposed: x_{1}, a_t, U^⊤."""


def layout_of_direction(layout: Layout, units: int) -> Layout:
    """Return the layout that one direction has: states of `units` features."""
    sequence, *initial = layout.inputs
    states = [_one_half(layout, shape, units) for shape in initial]
    return replace(layout, inputs=[sequence, *states], result=_one_half(layout, layout.result, units))


def derivation_in_both(layout: Layout, units: int, first: Derivation, second: Derivation) -> Derivation:
    """Return the equations of both directions, which read the sequence as it is and reversed.

    Args:
        layout: the layout of the layer.
        units: the number of units of each direction.
        first: the derivation of the direction that reads the sequence as it is.
        second: that of the direction that reads it from its last time step to its first.
    """
    both = _Both(layout, units)
    ahead, back = _Direction(layout, "_forward"), _Direction(layout, "_reverse")
    return Derivation(
        [*both.read(), *map(ahead.equation, first.forward), *map(back.equation, second.forward), both.result()],
        [
            *both.d_results(),
            *map(ahead.equation, first.backward),
            *map(back.equation, second.backward),
            *both.d_inputs(),
        ],
    )


def _one_half(layout: Layout, shape: Sequence[int], units: int) -> tuple[int, ...]:
    axis = layout.features(tuple(shape))
    return tuple(units if k == axis else length for k, length in enumerate(shape))


class _Direction:
    """The names of one direction's operands."""

    def __init__(self, layout: Layout, end: str) -> None:
        self._end, self._sequence = end, "X" if len(layout.inputs) == 1 else "X1"
        self._parameters = {name.removesuffix("_reverse") for name in layout.parameters}

    def equation(self, equation: Equation) -> Equation:
        """Return an equation of a layer of one direction as that of this one."""
        numpy = OPERAND.sub(lambda found: f"<{self._name(found[1])}>", equation.numpy)
        return replace(
            equation,
            result=self._name(equation.result),
            latex=self._latex(equation.latex),
            numpy=numpy,
            symbol=self._symbol(equation),
        )

    def _name(self, name: str) -> str:
        if name.removeprefix("d_") in self._parameters:
            return f"{name}_reverse" if self._end == "_reverse" else name
        return name if name == self._sequence and self._end == "_forward" else f"{name}{self._end}"

    def _symbol(self, equation: Equation) -> str:
        """Return the symbol of a result, with an arrow where a layer of one direction has no symbol of its own."""
        if equation.symbol is not None:
            return self._latex(equation.symbol)
        arrow = _arrow(re.sub(r"(\d+)$", r"_{\1}", equation.result.removeprefix("d")), self._end)
        return rf"\partial {arrow}" if equation.result.startswith("d") else arrow

    def _latex(self, text: str) -> str:
        if self._end == "_reverse":
            text = LETTER.sub(r"\\overleftarrow{\1}", text)
        return OPERAND.sub(lambda found: f"<{self._name(found[1])}>", text)


class _Both:
    """The equations that join the directions."""

    def __init__(self, layout: Layout, units: int) -> None:
        self._layout = layout
        self._sequence = "X" if len(layout.inputs) == 1 else "X1"
        self._states = [f"X{position}" for position in range(2, len(layout.inputs) + 1)]
        self._ends = {"_forward": f":{units}", "_reverse": f"{units}:"}

    def read(self) -> Iterator[Equation]:
        """Yield what the directions read: the reversed sequence, and each one's half of the initial states."""
        yield Equation(
            f"{self._sequence}_reverse",
            f"<{self._sequence}>_{{T, \\ldots, 1}}",
            f"<{self._sequence}>[:, ::-1]",
            "The second direction reads the sequence in reversed time: its first time step is the last of the sequence.",
            r"\overleftarrow{X}",
        )
        for name in self._states:
            for end, part in self._ends.items():
                rows = self._layout.column
                yield Equation(
                    f"{name}{end}",
                    rf"<{name}>_{{\text{{{_half(end)}}}}}",
                    f"<{name}>[{part}]" if rows else f"<{name}>[:, {part}]",
                    f"The {_half(end)} half of the features is the initial state of the {_half(end)} direction.",
                    _arrow(f"X_{name[1:]}", end),
                )

    def result(self) -> Equation:
        """Return Z, the states of both directions side by side."""
        if len(self._layout.result) == 3:
            numpy = "np.concatenate([<Z_forward>, <Z_reverse>[:, ::-1]], axis=2)"
            because = (
                "The states of the second direction are put back into the order of the sequence, beside those of the first "
                "at the same time step."
            )
        else:
            numpy = f"np.concatenate([<Z_forward>, <Z_reverse>], axis={self._axis(self._layout.result)})"
            because = (
                "The last state of each direction; that of the second follows the first time step of the sequence."
            )
        return Equation("Z", r"[<Z_forward>\; <Z_reverse>]", numpy, because)

    def d_results(self) -> Iterator[Equation]:
        """Yield the gradient that each direction's result receives."""
        for end, part in self._ends.items():
            because = f"The {_half(end)} direction gave the {_half(end)} half of the features."
            if len(self._layout.result) == 3:
                order = "::-1" if end == "_reverse" else ":"
                numpy = f"<dZ>[:, {order}, {part}]"
                because += " It is put into the order in which that direction reads." if end == "_reverse" else ""
            else:
                numpy = f"<dZ>[{part}]" if self._layout.column else f"<dZ>[:, {part}]"
            yield Equation(
                f"dZ{end}", rf"(<dZ>)_{{\text{{{_half(end)}}}}}", numpy, because, rf"\partial {_arrow('Z', end)}"
            )

    def d_inputs(self) -> Iterator[Equation]:
        """Yield the gradients of what the layer reads."""
        X = self._sequence
        yield Equation(
            f"d{X}",
            f"<d{X}_forward> + <d{X}_reverse>_{{T, \\ldots, 1}}",
            f"<d{X}_forward> + <d{X}_reverse>[:, ::-1]",
            "Both directions read the sequence, so its gradient is the sum of theirs; that of the second is put back into "
            "the order of the sequence.",
        )
        for position, name in enumerate(self._states, 1):
            axis = self._axis(self._layout.inputs[position])
            yield Equation(
                f"d{name}",
                rf"[<d{name}_forward>\; <d{name}_reverse>]",
                f"np.concatenate([<d{name}_forward>, <d{name}_reverse>], axis={axis})",
                "Each direction reads its half of the initial state.",
            )

    def _axis(self, shape: Sequence[int]) -> int:
        return self._layout.features(tuple(shape))


def _half(end: str) -> str:
    return "first" if end == "_forward" else "second"


def _arrow(letter: str, end: str) -> str:
    return rf"\overleftarrow{{{letter}}}" if end == "_reverse" else rf"\overrightarrow{{{letter}}}"
