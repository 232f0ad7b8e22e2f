"""The base class of mistakes."""

from __future__ import annotations

import math
from typing import ClassVar

from core.checking.formulas import Formulas
from core.checking.quantity import Quantity
from core.checking.trace import Trace


class Mistake(Formulas):
    """A known mistake: the rules of backpropagation with one of them wrong.

    It is named only if the wrong rule, run on the user's own numbers, reproduces the submission.

    To add one, write a class in a file of ``core/checking/mistakes/`` and list it in `MISTAKES` there. It overrides the wrong
    rule and describes it in texts, in which $n, $K, $layer and the other words of `core/checking/words.py` are filled in.
    """

    slug: ClassVar[str]
    """Its name in an answer."""

    strikes: ClassVar[tuple[str, ...]]
    """The parts whose rule is wrong: `deltas`, `gradients`, ..."""

    parameters: ClassVar[tuple[str, ...]] = ()
    """The names of the parameters whose gradients are concerned; () for all."""

    said: ClassVar[str]
    """The description of the mistake, continuing "Your bias gradient of layer 'out'"."""

    wrong: ClassVar[str]
    """The wrong formula, in LaTeX."""

    why: ClassVar[str]
    """The reason why the formula is wrong, and the right one."""

    prelude: ClassVar[str] = ""
    """A line of NumPy to run before the rule, if the mistake is in the input of the rule."""

    unseen: ClassVar[str] = "the wrong formula gives the same numbers here"
    """The reason why a batch may not reveal the mistake."""

    plain: ClassVar[bool] = False
    """True for a constant factor, which may be combined with any other mistake."""

    alone: ClassVar[bool] = False
    """True for one of many forms of a mistake, which is not combined with another: the pairs would be too many."""

    separate: ClassVar[str] = ""
    """Data to send so that other mistakes give different numbers."""

    @classmethod
    def forms(cls, trace: Trace) -> tuple[type[Mistake], ...]:
        """Return the mistake and its narrower forms in this network, which have the same name."""
        return (cls,)

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        """Return True if the mistake is possible in the rule of that quantity."""
        return True

    def strikes_at(self, trace: Trace, quantity: Quantity) -> bool:
        """Return True if the mistake concerns the rule of a quantity."""
        named = not self.parameters or quantity.part != "gradients" or quantity.name in self.parameters
        return quantity.part in self.strikes and named and self.applies(trace, quantity)


class Fitted(Mistake):
    """A mistake with an unknown number, on which the result depends linearly; least squares find the number."""

    factor: float = 1.0
    """The number."""

    def named(self, trace: Trace) -> tuple[float, ...]:
        """Return the numbers with which the formula is right or another mistake."""
        return ()

    def accepts(self, trace: Trace, factor: float) -> bool:
        """Return True if that number is plausible."""
        return not any(math.isclose(factor, known, rel_tol=1e-6) for known in self.named(trace) if known)


def both(first: type[Mistake], second: type[Mistake]) -> Mistake:
    """Return the formulas of a program with both mistakes."""
    found: Mistake = type(f"{first.__name__}And{second.__name__}", (first, second), {})()
    return found
