"""Mistakes of the forward pass, tried for gradients that no mistake of the backward pass explains."""

from __future__ import annotations

from collections.abc import Iterator

from core.checking.mistakes import MISTAKES
from core.checking.quantity import Quantity
from core.checking.replay import Finding
from core.checking.trace import Trace

FORWARD = ("preactivations", "activations")


def forward_mistakes(trace: Trace) -> Iterator[dict[Quantity, Finding]]:
    """Yield every forward mistake in one layer, and then in all layers where it can occur."""
    everywhere: list[dict[Quantity, Finding]] = []
    for kind in MISTAKES:
        places = {}
        for name in trace.network.nodes:
            for part in FORWARD:
                quantity, mistake = Quantity(part, name), kind()
                if part in kind.strikes and mistake.strikes_at(trace, quantity):
                    places[quantity] = Finding((kind,), mistake, None, True)
        for quantity, finding in places.items():
            yield {quantity: finding}
        if len(places) > 1:
            everywhere.append(places)
    yield from everywhere
