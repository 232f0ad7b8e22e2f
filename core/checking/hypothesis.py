"""A hypothesis: a set of mistakes that a program may have, and their consequences."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from core.arrays import Array
from core.checking.formulas import Formulas
from core.checking.layer_rules import Backward
from core.checking.quantity import Quantity
from core.checking.replay import Finding
from core.checking.trace import Trace

UNNAMED = 0.1
"""What a factor costs more whose number is found by least squares: a size of the problem explains more."""

NAMED, AGAIN, UNKNOWN, CONTRADICTED = 1.0, 0.5, 3.0, 4.0
"""The costs of a known mistake, the same mistake at another layer, an unknown mistake, and a right tensor that would be
wrong if the hypothesis were true. The cheapest hypothesis is believed."""


@dataclass(frozen=True, slots=True)
class Accusation:
    """A rule that is wrong."""

    quantity: Quantity
    findings: tuple[Finding, ...]
    """The mistakes that reproduce the numbers; empty if no known mistake does."""
    expected: Array
    """The result of the right rule on the user's own numbers."""
    yours: Array | None
    """The submitted tensor, or one recovered from the submission; None if neither exists."""
    certain: bool = True
    """True if no other quantity can be the wrong one."""
    also: tuple[Quantity, ...] = ()
    """Other quantities that are wrong by the same mistake: gradients of one layer, if the mistake is inside it."""

    @property
    def slug(self) -> str | None:
        """The name of the mistake, if it is known."""
        return self.findings[0].slug if self.findings else None

    @property
    def is_factor(self) -> bool:
        """True if a constant factor is all that is wrong."""
        return bool(self.findings) and self.findings[0].is_factor

    @property
    def may_be_factor(self) -> bool:
        """True if a constant factor is one of the readings."""
        return any(finding.is_factor for finding in self.findings)

    def is_multiple(self, trace: Trace) -> bool:
        """Return True if the numbers may be a multiple of the expected ones; a penalty hides whether they are."""
        return self.ratio is not None or trace.network.objective.loss.l2 != 0

    @property
    def ratio(self) -> float | None:
        """The ratio of submitted to expected numbers, if it is the same for all."""
        if self.yours is None or self.yours.shape != self.expected.shape:
            return None
        where = self.expected != 0
        if not where.any() or (self.yours[~where] != 0).any():
            return None
        ratios = self.yours[where] / self.expected[where]
        middle = float(np.median(ratios))
        return middle if np.all(np.abs(ratios - middle) <= 1e-6 * abs(middle)) else None


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """An assumption about the mistakes of the user's program."""

    trace: Trace
    accusations: tuple[Accusation, ...] = ()
    cost: float = 0.0
    lost: frozenset[str] = field(default_factory=frozenset)
    """Layers whose delta is unknown, so that their gradients cannot be judged."""
    doubtful: frozenset[str] = field(default_factory=frozenset)
    """Layers with an unknown mistake inside, so that what they send back may be wrong."""

    def accusing(self, *accusations: Accusation) -> Hypothesis:
        """Return the hypothesis with more mistakes."""
        found = self
        for accusation in accusations:
            found = replace(
                found, accusations=(*found.accusations, accusation), cost=found.cost + found._price(accusation)
            )
        return found

    def _price(self, accusation: Accusation) -> float:
        if not accusation.findings:
            return UNKNOWN
        known = {each.slug for each in self.accusations}
        first = accusation.findings[0]
        price = NAMED * len(first.mistakes) + UNNAMED * (first.factor is not None)
        return price - (NAMED - AGAIN) * any(finding.slug in known for finding in accusation.findings)

    def with_rules_of(self, layer: str, formulas: Formulas) -> Hypothesis:
        """Return the hypothesis in which the backward pass inside that layer is the one of these formulas."""

        def backward(trace: Trace) -> Backward:
            reads = range(len(trace.network.nodes[layer].reads))
            parameters = trace.network.nodes[layer].parameters
            return Backward(
                [formulas.through_layer(trace, layer, position) for position in reads],
                {name: formulas.data_gradient(trace, layer, name) for name in parameters},
            )

        return replace(self, trace=self.trace.with_rules_of(layer, backward))

    def with_delta(self, layer: str, delta: Array) -> Hypothesis:
        """Return the hypothesis with a delta of that layer."""
        return replace(self, trace=self.trace.with_delta(layer, delta))

    def losing(self, layer: str) -> Hypothesis:
        """Return the hypothesis with the delta of that layer unknown."""
        return replace(self, lost=self.lost | {layer})

    def doubting(self, layer: str) -> Hypothesis:
        """Return the hypothesis with what that layer sends back in doubt."""
        return replace(self, doubtful=self.doubtful | {layer})

    def contradicted(self) -> Hypothesis:
        """Return the hypothesis with the cost of a contradiction added."""
        return replace(self, cost=self.cost + CONTRADICTED)
