"""The mistakes of lstm in the block of one gate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.recurrence.base import ThroughTime
from core.checking.mistakes.recurrence.lstm_backward import GATES, LstmBackward, LstmStep


class _Beside(LstmBackward):
    """A gate's gradient multiplied by the wrong number."""

    least_steps = 1
    unseen = "both formulas give the same numbers here"
    letter: ClassVar[str]
    read: ClassVar[str]

    def beside(self, letter: str, step: LstmStep) -> Array:
        found: Array = getattr(step, self.read) if letter == self.letter else super().beside(letter, step)
        return found


def _beside(letter: str, right: str, read: str, shown: str) -> type[_Beside]:
    gate = GATES[letter]
    return type(
        f"{gate.title().replace(' ', '')}Reads{read.title()}",
        (_Beside,),
        {
            "letter": letter,
            "read": read,
            "slug": f"{gate.replace(' ', '-')}-multiplied-by-{shown.replace(' ', '-')}",
            "block": gate,
            "said": f"multiplies by {_SIGN[read]} instead of {right} in the {gate}",
            "wrong": rf"da_{letter} = d{'h' if letter == 'o' else 'c'} \circ {_LATEX[read]} \circ \ldots",
            "why": f"The {gate} {letter} multiplies {right} in the forward pass, so its gradient contains {right}.",
        },
    )


_SIGN = {"cell": "c_t", "before": "c_(t−1)", "shown": "tanh(c_t)", "i": "i", "g": "g", "f": "f", "o": "o"}
_LATEX = {"cell": "c_t", "before": "c_{t-1}", "shown": r"\tanh(c_t)", "i": "i", "g": "g", "f": "f", "o": "o"}

BESIDE = (
    _beside("f", "c_(t−1)", "cell", "current cell"),
    _beside("f", "c_(t−1)", "shown", "tanh of current cell"),
    _beside("i", "g", "i", "itself"),
    _beside("i", "g", "before", "previous cell"),
    _beside("g", "i", "g", "itself"),
    _beside("g", "i", "f", "forget gate"),
    _beside("o", "tanh(c_t)", "cell", "cell"),
    _beside("o", "tanh(c_t)", "before", "previous cell"),
)
"""A gate's gradient with another number than the one that the gate multiplies."""


class _Copied(LstmBackward):
    """da of one gate equal to that of another."""

    least_steps = 1
    alone = True
    unseen = "both blocks are equal here"
    letter: ClassVar[str]
    other: ClassVar[str]

    def through_gate_functions(self, gradients: Mapping[str, Array], step: LstmStep) -> dict[str, Array]:
        found = super().through_gate_functions(gradients, step)
        return {**found, self.letter: found[self.other]}


def _copied(letter: str, other: str) -> type[_Copied]:
    gate, source = GATES[letter], GATES[other]
    return type(
        f"{gate.title().replace(' ', '')}CopiedFrom{source.title().replace(' ', '')}",
        (_Copied,),
        {
            "letter": letter,
            "other": other,
            "slug": f"{gate.replace(' ', '-')}-copied-from-{source.replace(' ', '-')}",
            "block": gate,
            "said": f"has the delta of the {source} in the block of the {gate}",
            "wrong": f"da_{letter} = da_{other}",
            "why": f"Each gate has a delta of its own: the {gate} {letter} and the {source} {other} multiply different "
            "numbers in the forward pass.",
        },
    )


COPIED = tuple(_copied(letter, other) for letter in GATES for other in GATES if letter != other)
"""The block of one gate equal to that of another."""


class _PathMissing(LstmBackward):
    """dh without what comes back through one gate."""

    letter: ClassVar[str]

    def through_recurrent_weight(self, letter: str, dq: Array, U: Array) -> Array:
        found = super().through_recurrent_weight(letter, dq, U)
        return np.zeros_like(found) if letter == self.letter else found


def _path_missing(letter: str) -> type[_PathMissing]:
    gate = GATES[letter]
    return type(
        f"{gate.title().replace(' ', '')}PathMissing",
        (_PathMissing,),
        {
            "letter": letter,
            "slug": f"{gate.replace(' ', '-')}-not-carried-through",
            "block": gate,
            "said": f"lacks what comes back to h from the {gate} of the next time step",
            "wrong": rf"dh_t = \frac{{\partial L}}{{\partial h_t}} + \sum_{{k \ne {letter}}} \back{{da_{{k,t+1}}}}{{U_k}}",
            "why": "h_t is read by all four gates of the next time step, so what they send back adds up.",
        },
    )


PATHS = tuple(_path_missing(letter) for letter in GATES)
"""The carried gradient without the part through one gate."""

BLOCKS: tuple[type[ThroughTime], ...] = (*BESIDE, *PATHS, *COPIED)
"""Mistakes in the block of one gate."""
