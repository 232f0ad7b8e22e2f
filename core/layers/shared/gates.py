"""The gates of a recurrent layer, and the order in which their blocks lie in its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.errors import Refusal


@dataclass(frozen=True, slots=True)
class Gates:
    """The gates of one kind of layer."""

    kind: str
    letters: str
    """The layer's own letter of each gate, in the default order."""

    others: Mapping[str, str]
    """Other letters for the same gates, such as c for the candidate g of lstm."""

    libraries: str
    """The orders of well-known libraries, in words."""

    def order(self, sent: str | Sequence[str]) -> tuple[str, ...]:
        """Return the gates in the order that a request sends, in the layer's own letters.

        Raises:
            Refusal: `invalid-request`, unless every gate is there once.
        """
        order = self._own(sent)
        if sorted(order) != sorted(self.letters):
            shown = sent[:60] if isinstance(sent, str) else [letter[:60] for letter in sent[:20]]
            letters = ", ".join(self.letters)
            raise Refusal.of(
                "invalid-request",
                f"gate_order names every gate of {self.kind} once: {letters}, in any order; it is {shown!r}.",
                "gate_order",
                expected=f"the letters {letters} in any order, as {self.letters!r}",
                got=shown,
                hint=self.libraries,
            )
        return order

    def rewrite(self, equation: str | None, sent: str | Sequence[str]) -> str | None:
        """Return an equation with its list of gates, as [i f g o], in the order that a request sends."""
        order = self._own(sent)
        if equation is None or sorted(order) != sorted(self.letters):
            return equation
        for between in (" ", "; "):
            equation = equation.replace(f"[{between.join(self.letters)}]", f"[{between.join(order)}]")
        return equation

    def _own(self, sent: str | Sequence[str]) -> tuple[str, ...]:
        return tuple(self.others.get(letter, letter) for letter in sent)
