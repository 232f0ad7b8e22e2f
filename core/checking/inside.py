"""The search for a mistake inside a layer, which all gradients of the layer show at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.arrays import Array
from core.checking.comparison import Comparator
from core.checking.effort import Effort
from core.checking.formulas import RIGHT, Formulas
from core.checking.hypothesis import Accusation
from core.checking.mistakes import MISTAKES
from core.checking.mistakes.shared.kind import InsideLayer
from core.checking.quantity import Quantity
from core.checking.replay import Finding, Made, findings
from core.checking.trace import Trace
from core.checking.trials import Scope

KINDS = frozenset(kind for mistake in MISTAKES if issubclass(mistake, InsideLayer) for kind in mistake.kinds)
"""The kinds of layers that have known mistakes inside."""


class InsideSearch:
    """Explains the gradients of one layer by one mistake in its backward pass."""

    def __init__(self, comparator: Comparator, values: Mapping[Quantity, Array], effort: Effort) -> None:
        self._comparator, self._values, self._effort = comparator, values, effort

    def concerns(self, trace: Trace, layer: str) -> bool:
        """Return True if the backward pass of a layer has rules of its own, such as gates or scores."""
        return trace.network.nodes[layer].layer.kind in KINDS

    def accusation(self, trace: Trace, submitted: Sequence[Quantity], wrong: Sequence[Quantity]) -> Accusation:
        """Return one accusation of a layer for all its wrong gradients, with the mistakes that reproduce all its gradients.

        Args:
            trace: the numbers around the layer, with its delta.
            submitted: the submitted gradients of the layer.
            wrong: those that are neither right nor follow from the delta.
        """
        first, *others = wrong
        accusation = Accusation(first, (), first.by_rule(RIGHT, trace), self._values[first], also=tuple(others))
        factors = [] if others or not accusation.is_multiple(trace) else self._found(trace, first, [first], "tensor")
        plain = [each for each in factors if each.is_factor and each.factor is None]
        # A factor of one gradient is a mistake of that gradient: two mistakes inside the layer need not be searched for.
        effort = Effort(self._effort.check_deadline, replays=0) if plain else self._effort
        found = self._found(trace, first, submitted, "layer", effort)
        known = {each.slug for each in found}
        return replace(accusation, findings=(*found, *(each for each in plain if found and each.slug not in known)))

    def _found(
        self, trace: Trace, first: Quantity, shown: Sequence[Quantity], scope: Scope, effort: Effort | None = None
    ) -> list[Finding]:
        """Return the mistakes that reproduce some gradients of a layer."""
        yours = {quantity: self._values[quantity] for quantity in shown}
        made = {quantity: _made(quantity) for quantity in shown}
        return findings(self._comparator, trace, first, yours, made, effort or self._effort, scope)


def _made(quantity: Quantity) -> Made:
    def by_rule(formulas: Formulas, trace: Trace) -> Array:
        return quantity.by_rule(formulas, trace)

    return by_rule
