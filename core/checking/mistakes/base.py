"""The base class of mistakes."""

from __future__ import annotations

from typing import ClassVar

from core.checking.formulas import Formulas
from core.checking.quantity import Quantity
from core.checking.trace import Trace


class Mistake(Formulas):
    """A mistake that people make: the rules of backpropagation with one of them wrong.

    It is named as a cause only where the wrong rule, run on the user's own numbers, makes what the user submitted.

    Adding one: a class in a file of ``core/checking/mistakes/``, and its name in `MISTAKES` there. It overrides the rule that
    it has wrong and says the rest in words. In these, $n, $K, $layer and the other words of `core/checking/words.py` are
    filled in.
    """

    slug: ClassVar[str]
    """Its name in an answer."""

    strikes: ClassVar[tuple[str, ...]]
    """Parts whose rule it has wrong: `deltas`, `gradients`, ..."""

    parameters: ClassVar[tuple[str, ...]] = ()
    """Among the gradients, those of parameters with these names; () for all."""

    said: ClassVar[str]
    """The description of the mistake, continuing "Your bias gradient of layer 'out'"."""

    wrong: ClassVar[str]
    """The wrong formula, in LaTeX."""

    why: ClassVar[str]
    """Why it is wrong."""

    prelude: ClassVar[str] = ""
    """A line of NumPy that belongs before those of the rule, where the mistake is in what the rule is given."""

    unseen: ClassVar[str] = "the wrong formula gives the same numbers here"
    """Why a batch may not show it."""

    plain: ClassVar[bool] = False
    """True for a constant factor, which may be combined with any other mistake."""

    separate: ClassVar[str] = ""
    """Data to send so that other mistakes give different numbers."""

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        """Return True if the mistake is possible in the rule of that quantity."""
        return True

    def strikes_at(self, trace: Trace, quantity: Quantity) -> bool:
        """Return True if the mistake concerns the rule of a quantity."""
        named = not self.parameters or quantity.part != "gradients" or quantity.name in self.parameters
        return quantity.part in self.strikes and named and self.applies(trace, quantity)


class Fitted(Mistake):
    """A mistake with an unknown number in it, on which the result depends linearly: it is found by least squares."""

    factor: float = 1.0
    """The number."""

    def accepts(self, trace: Trace, factor: float) -> bool:
        """Return True if that number is plausible."""
        return True


def both(first: type[Mistake], second: type[Mistake]) -> Mistake:
    """Two mistakes in one program."""
    found: Mistake = type(f"{first.__name__}And{second.__name__}", (first, second), {})()
    return found
