"""Derivatives of gates that are wrong: one class for each gate and wrong derivative."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, NamedTuple

import numpy as np

from core.arrays import Array
from core.checking.mistakes.recurrence.base import ThroughTime

TANH = "gn"
"""The letters of the blocks whose function is tanh."""


class _Form(NamedTuple):
    """A wrong derivative of a gate v."""

    slug: str
    compute: Callable[[Array], Array]
    said: str
    latex: str


def _sigmoid(value: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-value)))


SIGMOID_FORMS = (
    _Form("incomplete", lambda v: v, "{v} instead of {v} (1 − {v})", "{v}"),
    _Form("missing", np.ones_like, "1 instead of {v} (1 − {v})", "1"),
    _Form("without-gate", lambda v: 1 - v, "1 − {v} instead of {v} (1 − {v})", "(1 - {v})"),
    _Form("of-tanh", lambda v: 1 - v * v, "1 − {v}², the derivative of tanh, instead of {v} (1 − {v})", "(1 - {v}^2)"),
    _Form(
        "at-gate",
        lambda v: _sigmoid(v) * (1 - _sigmoid(v)),
        "σ'({v}), in which σ is applied again to {v}, instead of {v} (1 − {v})",
        r"\sigma'({v})",
    ),
)
TANH_FORMS = (
    _Form("missing", np.ones_like, "1 instead of 1 − {v}²", "1"),
    _Form(
        "of-sigmoid", lambda v: v * (1 - v), "{v} (1 − {v}), the derivative of σ, instead of 1 − {v}²", "{v} (1 - {v})"
    ),
    _Form("without-square", lambda v: 1 - v, "1 − {v} instead of 1 − {v}²", "(1 - {v})"),
    _Form(
        "at-candidate",
        lambda v: 1 - np.tanh(v) ** 2,
        "tanh'({v}), in which tanh is applied again to {v}, instead of 1 − {v}²",
        r"\tanh'({v})",
    ),
)


AGAIN = SIGMOID_FORMS[4]._replace(
    said="f'({v}), in which f is applied again to the gate, instead of f' in terms of the gate", latex="f'({v})"
)


class WrongSlope(ThroughTime):
    """The derivative of one gate, or of all gates with the same function, wrong."""

    least_steps = 1
    unseen = "both formulas give the same numbers here"
    letters: ClassVar[str]
    form: ClassVar[_Form]

    def slope(self, letter: str, gate: Array) -> Array:
        return self.form.compute(gate) if letter in self.letters else super().slope(letter, gate)


def slopes_of(base: type[ThroughTime], names: Mapping[str, str]) -> tuple[type[ThroughTime], ...]:
    """Return a mistake for each gate and each wrong derivative, then those in which all gates have the same one."""
    single = [
        _of(base, letter, names[letter], form)
        for letter in names
        for form in (TANH_FORMS if letter in TANH else SIGMOID_FORMS)
    ]
    sigmoid = "".join(letter for letter in names if letter not in TANH)
    return (
        *single,
        *(_of(base, sigmoid, "all gates", form) for form in SIGMOID_FORMS),
        _of(base, "".join(names), "all blocks", SIGMOID_FORMS[1]),
        _of(base, "".join(names), "all blocks", AGAIN, _AllAgain),
    )


class _AllAgain(WrongSlope):
    """f' at the value of the gate, in every block."""

    def slope(self, letter: str, gate: Array) -> Array:
        value = np.tanh(gate) if letter in TANH else _sigmoid(gate)
        return ThroughTime.slope(self, letter, value)


def _of(
    base: type[ThroughTime], letters: str, name: str, form: _Form, wrong: type[WrongSlope] = WrongSlope
) -> type[ThroughTime]:
    v = letters if len(letters) == 1 else "v"
    title = "".join(word.title() for word in (*name.split(), *form.slug.split("-")))
    where = (
        f"the {name}" if len(letters) == 1 else "every gate" if name == "all gates" else "every gate and the candidate"
    )
    found: type[ThroughTime] = type(
        f"{base.__name__.removesuffix('Backward')}{title}",
        (wrong, base),
        {
            "letters": letters,
            "form": form,
            "slug": f"{name.replace(' ', '-')}-derivative-{form.slug}",
            "block": name if len(letters) == 1 else "",
            "said": f"multiplies by {form.said.replace('{v}', v)} in {where}",
            "wrong": rf"da_{{{v}}} = d{v} \circ {form.latex.replace('{v}', v)}",
            "why": _why(letters, name, v),
        },
    )
    return found


def _why(letters: str, name: str, v: str) -> str:
    if len(letters) > 1:
        return "A gate is v = σ(a), so its delta is dv ∘ v (1 − v); for v = tanh(a) the delta is dv ∘ (1 − v²)."
    if letters in TANH:
        return f"The {name} is {v} = tanh(a), so its delta is d{v} ∘ (1 − {v}²)."
    return f"The {name} is {v} = σ(a), so its delta is d{v} ∘ {v} (1 − {v})."
