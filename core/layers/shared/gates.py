"""The gates of a recurrent layer, and the order in which their blocks lie in its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.errors import Refusal


def read_gate_order(
    kind: str, sent: str | Sequence[str], default: str, others: Mapping[str, str], hint: str
) -> tuple[str, ...]:
    """Return the letters of the gates in the order that a request sends, in the layer's own letters.

    Args:
        kind: the kind of the layer.
        sent: the letters, as a string or as a list.
        default: the layer's own letters.
        others: other letters for the same gates, such as c for the candidate g of lstm.
        hint: the orders of well-known libraries.

    Raises:
        Refusal: `invalid-request`, unless every gate is there once.
    """
    order = tuple(others.get(letter, letter) for letter in sent)
    if sorted(order) != sorted(default):
        shown = sent[:60] if isinstance(sent, str) else [letter[:60] for letter in sent[:20]]
        letters = ", ".join(default)
        raise Refusal.of(
            "invalid-request",
            f"gate_order names every gate of {kind} once: {letters}, in any order; it is {shown!r}.",
            "gate_order",
            expected=f"the letters {letters} in any order, as {default!r}",
            got=shown,
            hint=hint,
        )
    return order
