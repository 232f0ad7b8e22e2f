"""The derivation of gru, for both places of the reset gate."""

from __future__ import annotations

from collections.abc import Mapping

from core.equations.equation import Derivation, Equation
from core.equations.recurrence import Unrolled

Terms = list[tuple[str, str]]
"""The terms of a sum, each as LaTeX and as NumPy."""

WHY_GATES = r"Through the sigmoid of both gates: $\sigma' = \sigma (1 - \sigma)$."
NAMES = {"r": "reset", "z": "update"}


def gru_derivation(over: Unrolled, blocks: Mapping[str, slice], *, bias: bool, reset_after: bool) -> Derivation:
    """Return the equations of gru.

    Args:
        over: the common equations of recurrent layers.
        blocks: the block of each gate along the features, in their order.
        bias: whether the layer has biases.
        reset_after: whether r multiplies the product with U rather than the state before it.
    """
    form: _Form = _ResetAfter(over, blocks, bias) if reset_after else _ResetBefore(over, blocks, bias)
    steps = range(1, over.time + 1)
    forward = [equation for t in steps for equation in form.forward(t)]
    backward = [equation for t in reversed(steps) for equation in form.backward(t)]
    return Derivation(
        [over.initial("h", 2), *forward, over.result()],
        [*backward, *form.gathered(), *over.d_initial(2, form.back(0))],
    )


class _Form:
    """What both forms have in common: the gates' equations by time step."""

    def __init__(self, over: Unrolled, blocks: Mapping[str, slice], bias: bool) -> None:
        self.over, self.order, self.bias = over, tuple(blocks), bias
        self.part = {letter: f"[:, {block.start}:{block.stop}]" for letter, block in blocks.items()}

    def forward(self, t: int) -> list[Equation]:
        """Return the equations of time step t."""
        raise NotImplementedError

    def back(self, t: int) -> Terms:
        """Return what time step t + 1 sends back to the state h_t."""
        raise NotImplementedError

    def backward(self, t: int) -> list[Equation]:
        """Return the gradients of time step t."""
        raise NotImplementedError

    def gathered(self) -> list[Equation]:
        """Return the gradients of the parameters and of the sequence."""
        raise NotImplementedError

    def contributed(self, t: int) -> Equation:
        b = " + <bias>" if self.bias else ""
        return Equation(
            f"p{t}",
            rf"x_{{{t}}} {self.over.latex_W}{b}",
            f"<{self.over.X}>[:, {t - 1}] @ {self.over.W}{b}",
            "The contribution of the input to the gates and the candidate.",
            f"p_{t}",
        )

    def gates(self, t: int, by_state: Mapping[str, str], latex: Mapping[str, str]) -> list[Equation]:
        """Return r and z, from what the state contributes to each."""
        return [
            Equation(
                f"{letter}{t}",
                rf"\sigma(p_{letter} + {latex[letter]})",
                f"1 / (1 + np.exp(-(<p{t}>{self.part[letter]} + {by_state[letter]})))",
                f"The {name} gate.",
                f"{letter}_{t}",
            )
            for letter, name in NAMES.items()
        ]

    def state(self, t: int) -> Equation:
        return Equation(
            f"h{t}",
            rf"(1 - <z{t}>) \circ <m{t}> + <z{t}> \circ <h{t - 1}>",
            f"(1 - <z{t}>) * <m{t}> + <z{t}> * <h{t - 1}>",
            "z is the share of the previous state that is kept.",
            f"h_{t}",
        )

    def d_state(self, t: int) -> Equation:
        return self.over.d_state(t, self.back(t) if t < self.over.time else [])

    def d_candidate(self, t: int) -> Equation:
        return Equation(
            f"dn{t}",
            rf"<dh{t}> \circ (1 - <z{t}>) \circ (1 - <m{t}>^2)",
            f"<dh{t}> * (1 - <z{t}>) * (1 - <m{t}>**2)",
            r"Through the candidate: $\tanh' = 1 - \tanh^2$.",
            rf"\partial a_{{n,{t}}}",
        )

    def joined(self, name: str, t: int, because: str, d_reset: str, candidate: tuple[str, str]) -> Equation:
        """Return the gradients of all gates as one matrix, in the order of their blocks."""
        parts = {
            "r": f"{d_reset} * <r{t}> * (1 - <r{t}>)",
            "z": f"<dh{t}> * (<h{t - 1}> - <m{t}>) * <z{t}> * (1 - <z{t}>)",
            "n": candidate[1],
        }
        latex = {"r": r"\partial a_r", "z": r"\partial a_z", "n": candidate[0]}
        return Equation(
            f"d{name}{t}",
            "[" + r"\; ".join(latex[letter] for letter in self.order) + "]",
            f"np.concatenate([{', '.join(parts[letter] for letter in self.order)}], axis=1)",
            because,
            rf"\partial {name}_{t}",
        )


class _ResetAfter(_Form):
    """m = tanh(p_n + r ∘ q_n) with q = h U + c."""

    def forward(self, t: int) -> list[Equation]:
        c, n = " + <recurrent_bias>" if self.bias else "", self.part["n"]
        return [
            self.contributed(t),
            Equation(
                f"q{t}",
                rf"<h{t - 1}> {self.over.latex_U}{c}",
                f"<h{t - 1}> @ {self.over.U}{c}",
                "The contribution of the previous state to the gates and the candidate.",
                f"q_{t}",
            ),
            *self.gates(t, {letter: f"<q{t}>{self.part[letter]}" for letter in "rz"}, {"r": "q_r", "z": "q_z"}),
            Equation(
                f"m{t}",
                rf"\tanh(p_n + <r{t}> \circ q_n)",
                f"np.tanh(<p{t}>{n} + <r{t}> * <q{t}>{n})",
                "The candidate for the new state; r scales the contribution of the previous state.",
                f"n_{t}",
            ),
            self.state(t),
        ]

    def back(self, t: int) -> Terms:
        return [
            (rf"<dq{t + 1}> U^\top", f"<dq{t + 1}> @ ({self.over.U}).T"),
            (rf"<dh{t + 1}> \circ <z{t + 1}>", f"<dh{t + 1}> * <z{t + 1}>"),
        ]

    def backward(self, t: int) -> list[Equation]:
        n = self.part["n"] if self.order[-1] != "n" else f"[:, {2 * self.over.units}:]"
        d_reset = f"<dn{t}> * <q{t}>{n}"
        why = "r scales $q_n$, the previous state's contribution to the candidate."
        return [
            self.d_state(t),
            self.d_candidate(t),
            self.joined("p", t, WHY_GATES, d_reset, (r"\partial a_n", f"<dn{t}>")),
            self.joined("q", t, why, d_reset, (r"r \circ \partial a_n", f"<dn{t}> * <r{t}>")),
        ]

    def gathered(self) -> list[Equation]:
        return self.over.gathered("dp", "dq", {"bias": "dp", "recurrent_bias": "dq"} if self.bias else {})


class _ResetBefore(_Form):
    """m = tanh(p_n + s U_n + c_n) with s = r ∘ h."""

    def times(self, state: str, letter: str) -> str:
        """Return what a state contributes to a gate, through the gate's blocks of U and c, as NumPy."""
        product, part = f"<{state}> @ {self.over.U}{self.part[letter]}", self.part[letter].replace("[:, ", "[")
        return f"{product} + <recurrent_bias>{part}" if self.bias else product

    def latex_times(self, state: str, letter: str) -> str:
        """Return the same as LaTeX."""
        return f"<{state}> U_{letter}" + (f" + c_{letter}" if self.bias else "")

    def times_back(self, gradient: str, letter: str) -> str:
        """Return the product of a gate's gradient with the transpose of its block of U."""
        return f"{gradient} @ ({self.over.U}{self.part[letter]}).T"

    def forward(self, t: int) -> list[Equation]:
        h = f"h{t - 1}"
        return [
            self.contributed(t),
            *self.gates(
                t,
                {letter: self.times(h, letter) for letter in "rz"},
                {letter: self.latex_times(h, letter) for letter in "rz"},
            ),
            Equation(
                f"s{t}",
                rf"<r{t}> \circ <{h}>",
                f"<r{t}> * <{h}>",
                "r scales the previous state before the product with the recurrent weight.",
                f"s_{t}",
            ),
            Equation(
                f"m{t}",
                rf"\tanh(p_n + {self.latex_times(f's{t}', 'n')})",
                f"np.tanh(<p{t}>{self.part['n']} + {self.times(f's{t}', 'n')})",
                "The candidate for the new state.",
                f"n_{t}",
            ),
            self.state(t),
        ]

    def back(self, t: int) -> Terms:
        dp = f"<dp{t + 1}>"
        return [
            *(
                (rf"\partial a_{letter} U_{letter}^\top", self.times_back(f"{dp}{self.part[letter]}", letter))
                for letter in "rz"
            ),
            (rf"<ds{t + 1}> \circ <r{t + 1}>", f"<ds{t + 1}> * <r{t + 1}>"),
            (rf"<dh{t + 1}> \circ <z{t + 1}>", f"<dh{t + 1}> * <z{t + 1}>"),
        ]

    def backward(self, t: int) -> list[Equation]:
        return [
            self.d_state(t),
            self.d_candidate(t),
            Equation(
                f"ds{t}",
                rf"<dn{t}> U_n^\top",
                self.times_back(f"<dn{t}>", "n"),
                "As in a dense layer whose input is $s_t$.",
                rf"\partial s_{t}",
            ),
            self.joined("p", t, WHY_GATES, f"<ds{t}> * <h{t - 1}>", (r"\partial a_n", f"<dn{t}>")),
        ]

    def gathered(self) -> list[Equation]:
        read = {"r": "h_{t-1}", "z": "h_{t-1}", "n": "s_t"}
        products = r"\; ".join(rf"{read[letter]}^\top \partial a_{letter}" for letter in self.order)
        latex = rf"\textstyle\sum_t [{products}]"
        by_state = [
            "np.concatenate(["
            + ", ".join(
                f"<{f's{t}' if letter == 'n' else f'h{t - 1}'}>.T @ <dp{t}>{self.part[letter]}" for letter in self.order
            )
            + "], axis=1)"
            for t in range(1, self.over.time + 1)
        ]
        return self.over.gathered_by_state(
            "dp", latex, by_state, {"bias": "dp", "recurrent_bias": "dp"} if self.bias else {}
        )
