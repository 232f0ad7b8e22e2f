"""The shared part of the derivations of recurrent layers: unrolled time, an equation per quantity and time step."""

from __future__ import annotations

from core.equations.equation import Equation
from core.equations.layout import Layout


class Unrolled:
    """The common equations of a recurrent layer, unrolled over the time steps 1 … T."""

    def __init__(self, layout: Layout, units: int, bias: str | None) -> None:
        self._layout, self._bias = layout, bias
        self.n, self.time, self.features = layout.inputs[0]
        self.X = "X" if len(layout.inputs) == 1 else "X1"
        self.units = units
        self.W, self.U = [f"{name}.T" if layout.out_by_in else name for name in ("<weight>", "<recurrent_weight>")]
        turned = r"^\top" if layout.out_by_in else ""
        self.latex_W, self.latex_U = f"<weight>{turned}", f"<recurrent_weight>{turned}"

    def initial(self, letter: str, position: int) -> Equation:
        """Return the state before the first time step: the layer's input at that position, counted from 1, or 0."""
        name, symbol = f"{letter}0", f"{letter}_0"
        if position > len(self._layout.inputs):
            numpy = f"np.zeros(({self.n}, {self.units}))"
            return Equation(name, "0", numpy, "The state before the first time step is 0.", symbol)
        sent = f"<X{position}>"
        turned = r"^\top" if self._layout.column else ""
        numpy = f"{self._layout.core(sent, self._layout.inputs[position - 1])} + 0"
        return Equation(name, f"{sent}{turned}", numpy, "The layer reads the state before the first time step.", symbol)

    def d_initial(self, position: int, terms: list[tuple[str, str]]) -> list[Equation]:
        """Return the gradient of the initial state at that position, counted from 1, if the layer reads it."""
        if position > len(self._layout.inputs):
            return []
        latex, numpy = (" + ".join(term[side] for term in terms) for side in (0, 1))
        latex = rf"({latex})^\top" if self._layout.column else latex
        because = "Only the first time step reads the initial state: its gradient is what that step sends back."
        numpy = self._layout.sent(numpy, self._layout.inputs[position - 1])
        return [Equation(f"dX{position}", latex, numpy, because)]

    def contributed(self, t: int, state: str) -> tuple[str, str]:
        """Return x_t W + h U + b as LaTeX and NumPy."""
        latex = rf"x_{{{t}}} {self.latex_W} + {state} {self.latex_U}" + (f" + {self._bias}" if self._bias else "")
        numpy = f"<{self.X}>[:, {t - 1}] @ {self.W} + {state} @ {self.U}" + (f" + {self._bias}" if self._bias else "")
        return latex, numpy

    def result(self) -> Equation:
        """Return Z: all states, or the last one."""
        if len(self._layout.result) == 3:
            states = ", ".join(f"<h{t}>" for t in range(1, self.time + 1))
            return Equation(
                "Z",
                rf"[h_1, \ldots, h_{{{self.time}}}]",
                f"np.stack([{states}], axis=1)",
                "The states of all time steps.",
            )
        return Equation(
            "Z",
            f"<h{self.time}>",
            self._layout.sent(f"<h{self.time}> + 0", self._layout.result),
            "The state of the last time step.",
        )

    def arriving(self, t: int) -> tuple[str, str] | None:
        """Return the gradient that reaches h_t from outside the layer."""
        if len(self._layout.result) == 3:
            return rf"(<dZ>)_{{{t}}}", f"<dZ>[:, {t - 1}]"
        return ("<dZ>", self._layout.core("<dZ>", self._layout.result)) if t == self.time else None

    def d_state(self, t: int, later: list[tuple[str, str]]) -> Equation:
        """Return dh_t: the gradient from outside the layer plus that of the next time step."""
        terms = [term for term in (self.arriving(t), *later) if term]
        because = (
            "$h_t$ is part of the result and is read by the next time step: both gradients add up."
            if len(terms) > 1
            else "Chain rule."
        )
        if not terms:
            terms = [("0", f"np.zeros(({self.n}, {self.units}))")]
        latex, numpy = (" + ".join(term[side] for term in terms) for side in (0, 1))
        return Equation(f"dh{t}", latex, numpy, because, rf"\partial h_{{{t}}}")

    def gathered(self, P: str, Q: str, biases: dict[str, str]) -> list[Equation]:
        """Return the gradients of weights, biases and sequence, from the operands named `P` and `Q` of every time step."""
        by_state = [f"<h{t - 1}>.T @ <{Q}{t}>" for t in range(1, self.time + 1)]
        return self.gathered_by_state(P, r"\textstyle\sum_t h_{t-1}^\top \partial a_t", by_state, biases)

    def gathered_by_state(self, P: str, latex_dU: str, by_state: list[str], biases: dict[str, str]) -> list[Equation]:
        """Return the same gradients, where `by_state` has the contribution of every time step to that of U."""
        steps = range(1, self.time + 1)
        dW = " + ".join(f"<{self.X}>[:, {t - 1}].T @ <{P}{t}>" for t in steps)
        dU = " + ".join(by_state)
        turn = self._layout.out_by_in
        because = "All time steps share these parameters, so their gradient is the sum over the time steps."
        back = "" if turn else r"^\top"
        return [
            Equation("d_weight", r"\textstyle\sum_t x_t^\top \partial a_t", f"({dW}).T" if turn else dW, because),
            Equation(
                "d_recurrent_weight",
                latex_dU,
                f"({dU}).T" if turn else dU,
                because,
            ),
            *(
                Equation(
                    f"d_{name}",
                    r"\textstyle\sum_t \partial a_t^\top \mathbf{1}",
                    "(" + " + ".join(f"<{letter}{t}>" for t in steps) + ").sum(axis=0)",
                    because,
                )
                for name, letter in biases.items()
            ),
            Equation(
                f"d{self.X}",
                rf"\partial x_t = \partial a_t <weight>{back}",
                "np.stack([" + ", ".join(f"<{P}{t}> @ ({self.W}).T" for t in steps) + "], axis=1)",
                "As in a dense layer, at every time step.",
            ),
        ]
